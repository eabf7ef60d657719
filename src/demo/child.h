#pragma once

#include <glib.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "glib/fd_watch.h"

namespace offhook::demo {

/// A program that runs beside this process and never longer than it: it is killed when this process
/// ends, however that happens (PR_SET_PDEATHSIG of prctl(2)), and it is spoken to by a pidfd, so
/// that no signal ever hits somebody else's process.
///
/// It has its own process group, so that Ctrl-C reaches this process alone; standard input is empty.
/// @thread the one that runs `context`; it has to live as long as the child
class Child {
public:
    struct Order {
        std::vector<std::string> argv;  ///< argv[0] is a path, or looked up in PATH
        bool tells_ready = false;  ///< gets `--ready-fd 3` behind argv, and writes a line there
    };
    struct Listener {
        /// A line of its standard output or error, without its end; at most `kMaxLineBytes`. From the
        /// outside: not escaped.
        std::function<void(std::string_view line, bool is_error)> on_line;
        /// It is over: exit code, or 128 + signal. May destroy the Child.
        std::function<void(int code)> on_ended;
    };
    static constexpr std::size_t kMaxLineBytes = 4'096;

    /// @errors Io: it cannot be started, the words of the system with it
    [[nodiscard]] static base::Result<std::unique_ptr<Child>> start(const Order& order,
                                                                    GMainContext* context,
                                                                    Listener listener);
    /// SIGTERM, and SIGKILL when it is still there after `kPatience`. Nothing is told any more.
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    static constexpr std::chrono::milliseconds kPatience{1'000};

    [[nodiscard]] pid_t pid() const { return pid_; }
    void signal(int number);
    /// Waits for the line on descriptor 3 and returns what stands behind "ready ".
    /// @errors Timeout; Unavailable: it ended before
    [[nodiscard]] base::Result<std::string> wait_ready(std::chrono::milliseconds limit);

private:
    struct Pipe {
        int fd = -1;
        std::string partial{};
        bool is_error = false;
        glib::FdWatch watch{};
    };

    Child(pid_t pid, int pid_fd, int ready_fd, Listener listener);
    void watch(GMainContext* context, int out_fd, int error_fd);
    void read(Pipe& pipe);
    void tell_lines(Pipe& pipe, bool is_all);
    void on_exit();
    /// @return whether it is over; then `exit_code_` is known
    [[nodiscard]] bool wait(std::chrono::milliseconds limit);

    const pid_t pid_;
    int pid_fd_;
    int ready_fd_;
    bool is_over_ = false;
    int exit_code_ = 0;
    Listener listener_;
    Pipe out_, error_;
    glib::FdWatch ending_;
};

}  // namespace offhook::demo
