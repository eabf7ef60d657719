#include "harness/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace offhook::harness {
namespace {

constexpr int kReadyFd = 3;

std::runtime_error system_failure(const std::string& what) {
    return std::runtime_error(what + ": " + std::strerror(errno));
}

int remaining_ms(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    return left > 0 ? static_cast<int>(left) : 0;
}

/// Only async-signal-safe calls: the test has threads.
[[noreturn]] void become(char* const* argv,
                         char* const* envp,
                         const char* folder,
                         int input,
                         int output,
                         int ready,
                         pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(127);
    }
    ::setpgid(0, 0);
    if (*folder != '\0' && ::chdir(folder) != 0) {
        ::_exit(126);
    }
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    if (ready >= 0) {
        if (ready == kReadyFd) {
            ::fcntl(ready, F_SETFD, 0);
        } else {
            ::dup2(ready, kReadyFd);
        }
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execvpe(argv[0], argv, envp);
    ::_exit(127);
}

std::vector<std::string> environment(const std::map<std::string, std::string>& added) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!added.contains(text.substr(0, text.find('=')))) {
            result.push_back(text);
        }
    }
    for (const auto& [key, value] : added) {
        result.push_back(key + "=" + value);
    }
    return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) {
        result.push_back(text.data());
    }
    result.push_back(nullptr);
    return result;
}

}  // namespace

TempDir::TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "offhook-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw system_failure("mkdtemp");
    }
    path_ = pattern;
}

TempDir::~TempDir() {
    if (std::getenv("OFFHOOK_KEEP") != nullptr) {
        std::fprintf(stderr, "kept: %s\n", path_.c_str());
        return;
    }
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Process::Process(const std::vector<std::string>& argv, const Options& options) : name_(argv.at(0)) {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    std::array<int, 2> ready{-1, -1};
    if (::pipe2(input.data(), O_CLOEXEC) != 0 || ::pipe2(output.data(), O_CLOEXEC) != 0 ||
        (options.has_ready_fd && ::pipe2(ready.data(), O_CLOEXEC) != 0)) {
        throw system_failure("pipe2");
    }
    std::vector<std::string> arguments = argv;
    std::vector<std::string> variables = environment(options.env);
    const std::vector<char*> arg_pointers = pointers(arguments);
    const std::vector<char*> env_pointers = pointers(variables);
    const std::string folder = options.folder.string();
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
        throw system_failure("fork");
    }
    if (pid_ == 0) {
        become(arg_pointers.data(),
               env_pointers.data(),
               folder.c_str(),
               input[0],
               output[1],
               ready[1],
               parent);
    }
    // Also here, whichever comes first: a group that is killed must exist.
    ::setpgid(pid_, pid_);
    ::close(input[0]);
    ::close(output[1]);
    if (options.has_ready_fd) {
        ::close(ready[1]);
        ready_fd_ = ready[0];
    }
    output_fd_ = output[0];
    pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    wake_fd_ = ::eventfd(0, EFD_CLOEXEC);
    if (!options.input.empty() &&
        ::write(input[1], options.input.data(), options.input.size()) < 0) {
        std::fprintf(stderr, "%s does not read its input\n", name_.c_str());
    }
    ::close(input[1]);
    if (pid_fd_ < 0 || wake_fd_ < 0) {
        ::kill(-pid_, SIGKILL);
        throw system_failure("pidfd_open");
    }
    reader_ = std::thread([this] { read_output(); });
}

Process::~Process() {
    if (!exit_code_) {
        // Stopped processes die of SIGKILL too.
        ::kill(-pid_, SIGKILL);
        wait(seconds(10));
    }
    // Children that it left in its group.
    ::kill(-pid_, SIGKILL);
    const std::uint64_t one = 1;
    if (::write(wake_fd_, &one, sizeof one) < 0) {
        std::abort();
    }
    reader_.join();
    for (const int fd : {pid_fd_, output_fd_, ready_fd_, wake_fd_}) {
        if (fd >= 0) {
            ::close(fd);
        }
    }
}

void Process::read_output() {
    std::array<char, 8192> chunk{};
    for (;;) {
        std::array<pollfd, 2> watched{{{output_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), -1) < 0) {
            continue;
        }
        ssize_t got = 0;
        if (watched[0].revents != 0) {
            got = ::read(output_fd_, chunk.data(), chunk.size());
        }
        const std::lock_guard lock(mutex_);
        if (got > 0) {
            output_.append(chunk.data(), static_cast<std::size_t>(got));
        } else {
            output_ended_ = true;
        }
        changed_.notify_all();
        if (output_ended_) {
            return;
        }
    }
}

std::optional<int> Process::wait(milliseconds limit) {
    if (exit_code_) {
        return exit_code_;
    }
    const auto deadline = Clock::now() + limit;
    pollfd watched{pid_fd_, POLLIN, 0};
    int ready = 0;
    do {
        ready = ::poll(&watched, 1, remaining_ms(deadline));
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        return std::nullopt;
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return exit_code_;
}

void Process::signal(int number) {
    if (!exit_code_) {
        ::kill(pid_, number);
    }
}

void Process::signal_group(int number) {
    if (!exit_code_) {
        ::kill(-pid_, number);
    }
}

int Process::stop(milliseconds limit) {
    signal(SIGTERM);
    if (const auto code = wait(limit)) {
        return *code;
    }
    signal_group(SIGKILL);
    return wait(seconds(10)).value_or(128 + SIGKILL);
}

std::string Process::output() {
    const std::lock_guard lock(mutex_);
    return output_;
}

std::optional<std::size_t> Process::wait_output(const std::string& text,
                                                milliseconds limit,
                                                std::size_t from) {
    std::unique_lock lock(mutex_);
    std::size_t at = std::string::npos;
    changed_.wait_for(lock, limit, [&] {
        at = output_.find(text, from);
        return at != std::string::npos || output_ended_;
    });
    if (at == std::string::npos) {
        return std::nullopt;
    }
    return at + text.size();
}

std::string Process::ready_line(milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    std::string line;
    while (line.find('\n') == std::string::npos) {
        pollfd watched{ready_fd_, POLLIN, 0};
        if (::poll(&watched, 1, remaining_ms(deadline)) <= 0) {
            return {};
        }
        std::array<char, 512> chunk{};
        const ssize_t got = ::read(ready_fd_, chunk.data(), chunk.size());
        if (got <= 0) {
            return {};
        }
        line.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return line.substr(0, line.find('\n'));
}

std::string run(const std::vector<std::string>& argv,
                milliseconds limit,
                const Process::Options& options) {
    Process process(argv, options);
    const std::optional<int> code = process.wait(limit);
    if (!code) {
        throw std::runtime_error(argv[0] + " took too long:\n" + process.output());
    }
    // The last bytes may still be in the pipe.
    process.wait_output(std::string(1, '\0') + "never", seconds(5));
    if (*code != 0) {
        throw std::runtime_error(argv[0] + " ended with " + std::to_string(*code) + ":\n" +
                                 process.output());
    }
    return process.output();
}

bool eventually(milliseconds limit, Process* alive, const std::function<bool()>& predicate) {
    const auto deadline = Clock::now() + limit;
    for (;;) {
        if (predicate()) {
            return true;
        }
        const int left = remaining_ms(deadline);
        if (left == 0) {
            return false;
        }
        const milliseconds step(std::min(left, 20));
        if (alive != nullptr) {
            if (alive->wait(step)) {
                return predicate();
            }
        } else {
            ::poll(nullptr, 0, static_cast<int>(step.count()));
        }
    }
}

bool stays_alive(Process& alive, milliseconds length) {
    return !alive.wait(length);
}

bool has_program(const std::string& name) {
    std::string path = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "/usr/bin:/bin";
    for (std::size_t start = 0; start <= path.size();) {
        const std::size_t end = std::min(path.find(':', start), path.size());
        if (::access((path.substr(start, end - start) + "/" + name).c_str(), X_OK) == 0) {
            return true;
        }
        start = end + 1;
    }
    return false;
}

}  // namespace offhook::harness
