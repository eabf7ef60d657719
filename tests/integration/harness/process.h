#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace offhook::harness {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

/// A folder that is gone with the test, unless OFFHOOK_KEEP is set (then its path is printed).
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return path_ / name;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A program started for a test. Its output is read all the time, so that it never blocks on a full
/// pipe; its process group is killed in the destructor, also when the test fails; when the test
/// dies, so does it.
class Process {
public:
    struct Options {
        std::filesystem::path folder;            ///< working directory; empty: the test's
        std::map<std::string, std::string> env;  ///< added to the test's environment
        std::string input;  ///< written to its standard input, which is then closed
        bool has_ready_fd =
            false;  ///< descriptor 3 is a pipe whose first line `ready_line` returns
    };

    /// Starts `argv[0]` (looked up in PATH). @errors throws std::runtime_error when it cannot be
    /// started.
    explicit Process(const std::vector<std::string>& argv) : Process(argv, Options{}) {}
    Process(const std::vector<std::string>& argv, const Options& options);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool is_running() { return !wait(milliseconds(0)); }

    /// Exit code, or 128 + signal; nothing when it still runs after `limit`.
    std::optional<int> wait(milliseconds limit);

    /// Sends a signal to the process alone, or to its whole group.
    void signal(int number);
    void signal_group(int number);

    /// SIGTERM, then SIGKILL after `limit`. Returns what `wait` would.
    int stop(milliseconds limit = seconds(10));

    /// Standard output and error as they came, so far.
    [[nodiscard]] std::string output();

    /// Waits until the output from byte `from` on contains `text`; the position behind it.
    /// Nothing when `limit` passed or the program ended without it.
    std::optional<std::size_t> wait_output(const std::string& text,
                                           milliseconds limit,
                                           std::size_t from = 0);

    /// Waits for the first line on descriptor 3; empty when none came.
    std::string ready_line(milliseconds limit);

private:
    void read_output();

    std::string name_;
    pid_t pid_ = -1;
    int pid_fd_ = -1;
    int output_fd_ = -1;
    int ready_fd_ = -1;
    int wake_fd_ = -1;
    std::optional<int> exit_code_;
    std::mutex mutex_;  ///< guards output_ and output_ended_
    std::condition_variable changed_;
    std::string output_;
    bool output_ended_ = false;
    std::thread reader_;
};

/// Runs to the end and returns its output. @errors throws when it fails or takes longer than
/// `limit`.
std::string run(const std::vector<std::string>& argv,
                milliseconds limit = seconds(30),
                const Process::Options& options = {});

/// Asks `predicate` again until it is true, `limit` passes, or `alive` (may be null) ends. Between
/// two questions it waits for the process, not for the clock alone.
bool eventually(milliseconds limit, Process* alive, const std::function<bool()>& predicate);

/// Waits for `length` of real time, or until `alive` ends; true when the time passed with it alive.
/// For scenarios whose subject is time itself (a call of 5 s), never for guessing when something is
/// done.
bool stays_alive(Process& alive, milliseconds length);

/// True when PATH has the program.
bool has_program(const std::string& name);

}  // namespace offhook::harness
