#include "demo/child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc 2.36 declares them as if they were C++.
extern "C" {
#include <sys/pidfd.h>
}

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/monotonic.h"

namespace offhook::demo {
namespace {

using base::ErrorCode;

constexpr int kReadyFd = 3;
constexpr int kExitNotFound = 127;

struct PipeEnds {
    int read = -1, write = -1;
    PipeEnds() = default;
    ~PipeEnds() {
        close_one(read);
        close_one(write);
    }
    PipeEnds(const PipeEnds&) = delete;
    PipeEnds& operator=(const PipeEnds&) = delete;
    bool open() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
        read = ends[0];
        write = ends[1];
        return true;
    }
    static void close_one(int& fd) {
        if (fd >= 0) close(fd);
        fd = -1;
    }
};

/// What the child does between fork and exec: system calls alone, since other threads of ours may
/// have held any lock.
[[noreturn]] void become(
    char* const* argv, pid_t parent, int out_fd, int error_fd, int ready_fd, int failure_fd) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have died before the line above.
    if (getppid() != parent) _exit(kExitNotFound);
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    const int nothing = open("/dev/null", O_RDONLY);
    // Above those that it gets, so that none of them is overwritten before it was copied.
    constexpr int kAbove = 10;
    out_fd = fcntl(out_fd, F_DUPFD, kAbove);
    error_fd = fcntl(error_fd, F_DUPFD, kAbove);
    failure_fd = fcntl(failure_fd, F_DUPFD_CLOEXEC, kAbove);
    if (ready_fd >= 0) ready_fd = fcntl(ready_fd, F_DUPFD, kAbove);
    dup2(nothing, STDIN_FILENO);
    dup2(out_fd, STDOUT_FILENO);
    dup2(error_fd, STDERR_FILENO);
    const bool has_ready = ready_fd >= 0 && dup2(ready_fd, kReadyFd) == kReadyFd;
    close_range(has_ready ? kReadyFd + 1 : kReadyFd, ~0U, CLOSE_RANGE_CLOEXEC);
    execvp(argv[0], argv);
    const int error = errno;
    [[maybe_unused]] const auto n = write(failure_fd, &error, sizeof error);
    _exit(kExitNotFound);
}

}  // namespace

base::Result<std::unique_ptr<Child>> Child::start(const Order& order,
                                                  GMainContext* context,
                                                  Listener listener) {
    const std::string& program = order.argv.front();
    PipeEnds out, error, ready, failure;
    if (!out.open() || !error.open() || !failure.open() || (order.tells_ready && !ready.open()))
        return base::fail_errno("cannot make pipes for " + program, errno);

    std::vector<std::string> words = order.argv;
    if (order.tells_ready) {
        words.emplace_back("--ready-fd");
        words.push_back(std::to_string(kReadyFd));
    }
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) become(argv.data(), parent, out.write, error.write, ready.write, failure.write);
    if (pid < 0) return base::fail_errno("cannot start " + program, errno);
    const int pid_fd = pidfd_open(pid, 0);
    PipeEnds::close_one(out.write);
    PipeEnds::close_one(error.write);
    PipeEnds::close_one(ready.write);
    PipeEnds::close_one(failure.write);

    int why = pid_fd < 0 ? errno : 0;
    // It ends with the exec, or says why there is none.
    if (::read(failure.read, &why, sizeof why) != static_cast<ssize_t>(sizeof why) && pid_fd >= 0)
        why = 0;
    if (why != 0) {
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        if (pid_fd >= 0) close(pid_fd);
        return base::fail_errno("cannot start " + program, why);
    }
    std::unique_ptr<Child> child(
        new Child(pid, pid_fd, std::exchange(ready.read, -1), std::move(listener)));
    child->watch(context, std::exchange(out.read, -1), std::exchange(error.read, -1));
    return child;
}

Child::Child(pid_t pid, int pid_fd, int ready_fd, Listener listener)
    : pid_(pid), pid_fd_(pid_fd), ready_fd_(ready_fd), listener_(std::move(listener)) {
    error_.is_error = true;
}

Child::~Child() {
    ending_.stop();
    out_.watch.stop();
    error_.watch.stop();
    if (!is_over_) {
        signal(SIGTERM);
        if (!wait(kPatience)) {
            signal(SIGKILL);
            [[maybe_unused]] const bool is_gone = wait(kPatience);
        }
    }
    for (const int fd : {pid_fd_, ready_fd_, out_.fd, error_.fd}) {
        if (fd >= 0) close(fd);
    }
}

void Child::watch(GMainContext* context, int out_fd, int error_fd) {
    out_.fd = out_fd;
    error_.fd = error_fd;
    for (Pipe* pipe : {&out_, &error_}) {
        fcntl(pipe->fd, F_SETFL, O_NONBLOCK);
        pipe->watch.start(context, pipe->fd, G_IO_IN, [this, pipe](GIOCondition) { read(*pipe); });
    }
    ending_.start(context, pid_fd_, G_IO_IN, [this](GIOCondition) { on_exit(); });
}

void Child::signal(int number) {
    if (!is_over_) pidfd_send_signal(pid_fd_, number, nullptr, 0);
}

base::Result<std::string> Child::wait_ready(std::chrono::milliseconds limit) {
    const std::int64_t until_ns = base::monotonic_ns() + limit.count() * base::kNsPerMs;
    std::string line;
    while (line.find('\n') == std::string::npos && line.size() < kMaxLineBytes) {
        const std::int64_t left_ms = (until_ns - base::monotonic_ns()) / base::kNsPerMs;
        if (left_ms <= 0) return base::fail(ErrorCode::Timeout, "it did not become ready in time");
        pollfd readable{.fd = ready_fd_, .events = POLLIN, .revents = 0};
        if (poll(&readable, 1, static_cast<int>(left_ms)) <= 0) continue;
        std::array<char, 512> bytes{};
        const ssize_t n = ::read(ready_fd_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return base::fail(ErrorCode::Unavailable, "it ended before it was ready");
        line.append(bytes.data(), static_cast<std::size_t>(n));
    }
    line.resize(line.find_first_of('\n') == std::string::npos ? line.size()
                                                              : line.find_first_of('\n'));
    constexpr std::string_view kPrefix = "ready ";
    return line.starts_with(kPrefix) ? line.substr(kPrefix.size()) : line;
}

void Child::read(Pipe& pipe) {
    std::array<char, kMaxLineBytes> bytes{};
    const ssize_t n = ::read(pipe.fd, bytes.data(), bytes.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return pipe.watch.stop();
    pipe.partial.append(bytes.data(), static_cast<std::size_t>(n));
    tell_lines(pipe, false);
}

void Child::tell_lines(Pipe& pipe, bool is_all) {
    std::size_t begin = 0;
    for (std::size_t end = pipe.partial.find('\n'); end != std::string::npos;
         end = pipe.partial.find('\n', begin)) {
        listener_.on_line(std::string_view(pipe.partial).substr(begin, end - begin), pipe.is_error);
        begin = end + 1;
    }
    pipe.partial.erase(0, begin);
    if (pipe.partial.empty() || (!is_all && pipe.partial.size() < kMaxLineBytes)) return;
    listener_.on_line(std::string_view(pipe.partial).substr(0, kMaxLineBytes), pipe.is_error);
    pipe.partial.clear();
}

bool Child::wait(std::chrono::milliseconds limit) {
    pollfd over{.fd = pid_fd_, .events = POLLIN, .revents = 0};
    while (poll(&over, 1, static_cast<int>(limit.count())) < 0 && errno == EINTR) {
    }
    siginfo_t info{};
    if (waitid(P_PIDFD, static_cast<id_t>(pid_fd_), &info, WEXITED | WNOHANG) != 0 ||
        info.si_pid == 0) {
        return false;
    }
    is_over_ = true;
    exit_code_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return true;
}

void Child::on_exit() {
    if (!wait(std::chrono::milliseconds(0))) return;
    ending_.stop();
    // What it said last is still in the pipes.
    for (Pipe* pipe : {&out_, &error_}) {
        while (pipe->watch.is_active()) {
            pollfd readable{.fd = pipe->fd, .events = POLLIN, .revents = 0};
            if (poll(&readable, 1, 0) <= 0) break;
            read(*pipe);
        }
        tell_lines(*pipe, true);
    }
    // Copied: it may destroy this.
    const auto told = listener_.on_ended;
    told(exit_code_);
}

}  // namespace offhook::demo
