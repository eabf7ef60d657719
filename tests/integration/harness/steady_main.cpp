// Runs a test that measures time, and knows when the machine itself stood still.
//
//   steady PROGRAM [ARG...]
//   steady --report PROGRAM [ARG...]   runs it once and prints the longest stop in ms as the last word
//
// Beside PROGRAM a thread on each core, above every priority of ours (SCHED_FIFO 50) and asleep but for a look at the clock
// each millisecond, notes how late it was woken. On a shared virtual machine that is now and then 10 to 170 ms: nothing
// on that core runs then. What PROGRAM failed while such a stop happened says nothing about it: its failed cases are measured
// again, at most four times, and every stop is printed. Without a stop a failure is a failure at once, and without the
// right to SCHED_FIFO there is no witness, so nothing is ever repeated.

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

extern char** environ;

namespace {

constexpr long kTick_ns = 1'000'000;
constexpr long kStop_ns = 10'000'000;  // half a packet time; shorter ones are only reported
constexpr int kAttempts = 5;

std::atomic<bool> g_finished{false};
std::atomic<long> g_longest_ns{0};
std::atomic<int> g_stops{0};

long monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000L + now.tv_nsec;
}

void watch_core(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<unsigned>(core), &cores);
    pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);
    const sched_param priority{.sched_priority = 50};
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) != 0) return;
    long due_ns = monotonic_ns();
    while (!g_finished) {
        due_ns += kTick_ns;
        const timespec due{.tv_sec = due_ns / 1'000'000'000L, .tv_nsec = due_ns % 1'000'000'000L};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
        const long late_ns = monotonic_ns() - due_ns;
        long longest = g_longest_ns;
        while (late_ns > longest && !g_longest_ns.compare_exchange_weak(longest, late_ns)) {
        }
        if (late_ns < kStop_ns) continue;
        ++g_stops;
        due_ns = monotonic_ns();
    }
}

/// The case of a GoogleTest line "[  FAILED  ] Suite.Case (12 ms)"; empty for any other line.
std::string failed_case(std::string_view line) {
    constexpr std::string_view kMark = "[  FAILED  ] ";
    const std::size_t end = line.find(" (");
    if (!line.starts_with(kMark) || end == std::string_view::npos || !line.ends_with(" ms)\n"))
        return {};
    const std::size_t name_end = std::min(end, line.find(','));
    return std::string(line.substr(kMark.size(), name_end - kMark.size()));
}

struct Outcome {
    int code = 127;
    std::string failed;  ///< cases, joined for --gtest_filter; empty when it is no GoogleTest
};

/// Runs the program, passing on what it prints.
Outcome run(const std::vector<std::string>& arguments) {
    Outcome outcome;
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    int output[2];
    if (pipe2(output, O_CLOEXEC) != 0) {
        std::perror("pipe");
        return outcome;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    pid_t child = 0;
    const int refused = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    FILE* lines = fdopen(output[0], "r");
    char* line = nullptr;
    std::size_t room = 0;
    while (refused == 0 && getline(&line, &room, lines) > 0) {
        std::fputs(line, stdout);
        std::fflush(stdout);
        const std::string name = failed_case(line);
        if (!name.empty()) outcome.failed += (outcome.failed.empty() ? "" : ":") + name;
    }
    std::free(line);
    std::fclose(lines);
    if (refused != 0) {
        std::fprintf(stderr, "%s: %s\n", argv[0], std::strerror(refused));
        return outcome;
    }
    int status = 0;
    waitpid(child, &status, 0);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return outcome;
}

/// @return the exit code of the last attempt
int run_steadily(const std::vector<std::string>& program) {
    std::vector<std::string> arguments = program;
    for (int attempt = 1;; ++attempt) {
        g_stops = 0;
        g_longest_ns = 0;
        const Outcome outcome = run(arguments);
        if (g_stops > 0) {
            std::printf("steady: the machine itself stood still %d times, at most %.1f ms\n",
                        g_stops.load(),
                        static_cast<double>(g_longest_ns) / 1e6);
        }
        const bool is_settled = outcome.code == 0 || outcome.code == 77 || g_stops == 0;
        if (is_settled || attempt == kAttempts) return outcome.code;
        std::printf("steady: run %d failed while it did; measuring again\n", attempt);
        std::fflush(stdout);
        arguments = program;
        if (!outcome.failed.empty()) arguments.push_back("--gtest_filter=" + outcome.failed);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bool only_reports = argc > 1 && std::strcmp(argv[1], "--report") == 0;
    const int first = only_reports ? 2 : 1;
    if (argc <= first) {
        std::fprintf(stderr, "usage: steady [--report] PROGRAM [ARG...]\n");
        return 2;
    }
    mlockall(MCL_CURRENT | MCL_FUTURE);
    cpu_set_t usable;
    CPU_ZERO(&usable);
    sched_getaffinity(0, sizeof usable, &usable);
    std::vector<std::thread> witnesses;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(static_cast<unsigned>(core), &usable))
            witnesses.emplace_back(watch_core, core);
    }
    const std::vector<std::string> program(argv + first, argv + argc);
    int code = 0;
    if (only_reports) {
        code = run(program).code;
        std::printf("longest stop in ms: %.1f\n", static_cast<double>(g_longest_ns) / 1e6);
    } else {
        code = run_steadily(program);
    }
    g_finished = true;
    for (std::thread& witness : witnesses) witness.join();
    return code;
}
