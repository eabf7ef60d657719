#include "demo/child.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/monotonic.h"

namespace offhook {
namespace {

using demo::Child;
using namespace std::chrono_literals;

/// Runs the default context until `done`, or for `limit`.
bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit = 10s) {
    const std::int64_t until_ns = base::monotonic_ns() + limit.count() * base::kNsPerMs;
    // So that the loop wakes up to look at the clock.
    const guint tick = g_timeout_add(
        20, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
    while (!done() && base::monotonic_ns() < until_ns) g_main_context_iteration(nullptr, TRUE);
    g_source_remove(tick);
    return done();
}

/// State letter of /proc/PID/stat; empty: there is no such process.
std::string state_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(") ");
    return end == std::string::npos ? "" : line.substr(end + 2, 1);
}

struct Heard {
    std::vector<std::string> out, error;
    std::optional<int> code;
    Child::Listener listener() {
        return {.on_line = [this](std::string_view line,
                                  bool is_error) { (is_error ? error : out).emplace_back(line); },
                .on_ended = [this](int how) { code = how; }};
    }
};

std::unique_ptr<Child> shell(const std::string& script, Heard& heard, bool tells_ready = false) {
    auto child = Child::start({.argv = {"/bin/sh", "-c", script, "sh"}, .tells_ready = tells_ready},
                              nullptr,
                              heard.listener());
    EXPECT_TRUE(child) << child.error().text();
    return child ? std::move(*child) : nullptr;
}

TEST(DemoChild, TellsItsLinesAndItsEnd) {
    Heard heard;
    const auto child = shell("echo one; echo two >&2; printf three; exit 7", heard);
    ASSERT_TRUE(run_until([&] { return heard.code.has_value(); }));
    EXPECT_EQ(heard.code, 7);
    EXPECT_EQ(heard.out, (std::vector<std::string>{"one", "three"}));
    EXPECT_EQ(heard.error, (std::vector<std::string>{"two"}));
}

TEST(DemoChild, ALongLineIsCut) {
    Heard heard;
    const auto child = shell("head -c 20000 /dev/zero | tr '\\0' x", heard);
    ASSERT_TRUE(run_until([&] { return heard.code.has_value(); }));
    ASSERT_FALSE(heard.out.empty());
    for (const std::string& line : heard.out) EXPECT_LE(line.size(), Child::kMaxLineBytes);
}

TEST(DemoChild, SaysWhenItIsReady) {
    Heard heard;
    const auto child =
        shell("echo \"$1 $2\"; echo ready 127.0.0.1:4711 >&3; exec cat", heard, true);
    const auto ready = child->wait_ready(5s);
    ASSERT_TRUE(ready) << ready.error().text();
    EXPECT_EQ(*ready, "127.0.0.1:4711");
    ASSERT_TRUE(run_until([&] { return !heard.out.empty(); }));
    EXPECT_EQ(heard.out.front(), "--ready-fd 3");
}

TEST(DemoChild, EndsBeforeItWasReady) {
    Heard heard;
    const auto child = shell("exit 1", heard, true);
    const auto ready = child->wait_ready(5s);
    ASSERT_FALSE(ready);
    EXPECT_EQ(ready.error().code, base::ErrorCode::Unavailable);
}

TEST(DemoChild, IsNeverReady) {
    Heard heard;
    const auto child = shell("exec sleep 60", heard, true);
    const auto ready = child->wait_ready(50ms);
    ASSERT_FALSE(ready);
    EXPECT_EQ(ready.error().code, base::ErrorCode::Timeout);
}

TEST(DemoChild, OfAMissingProgramIsAnError) {
    Heard heard;
    const auto child = Child::start({.argv = {"/nonexistent/bot"}}, nullptr, heard.listener());
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().code, base::ErrorCode::Io);
    EXPECT_NE(child.error().text().find("/nonexistent/bot"), std::string::npos);
}

TEST(DemoChild, IsKilled) {
    Heard heard;
    const auto child = shell("exec sleep 60", heard);
    child->signal(SIGKILL);
    ASSERT_TRUE(run_until([&] { return heard.code.has_value(); }));
    EXPECT_EQ(heard.code, 128 + SIGKILL);
}

TEST(DemoChild, GoesWithItsOwnerEvenIfItDoesNotWant) {
    Heard heard;
    auto child = shell("trap '' TERM; echo deaf; while :; do sleep 1; done", heard);
    ASSERT_TRUE(run_until([&] { return !heard.out.empty(); }));
    const pid_t pid = child->pid();
    child.reset();
    EXPECT_EQ(state_of(pid), "");
    EXPECT_FALSE(heard.code);
}

TEST(DemoChild, GetsNoDescriptorOfOurs) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);  // without O_CLOEXEC, as a library might
    Heard heard;
    const auto child = shell("ls -l /proc/self/fd | grep -c pipe:\\\\[", heard);
    const auto more =
        shell("[ -e /proc/self/fd/" + std::to_string(ends[1]) + " ] && echo leaked", heard);
    ASSERT_TRUE(run_until([&] { return heard.code.has_value() && !heard.out.empty(); }));
    for (const std::string& line : heard.out) EXPECT_NE(line, "leaked");
    close(ends[0]);
    close(ends[1]);
}

// The daemon may be killed in the middle of a demonstration.
TEST(DemoChild, DiesWithItsParent) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t parent = fork();
    if (parent == 0) {
        Heard heard;
        auto child = Child::start({.argv = {"sleep", "60"}}, nullptr, heard.listener());
        const pid_t pid = child ? (*child)->pid() : -1;
        [[maybe_unused]] const auto n = write(ends[1], &pid, sizeof pid);
        raise(SIGKILL);
        _exit(1);
    }
    pid_t child = -1;
    ASSERT_EQ(read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
    ASSERT_GT(child, 0);
    waitpid(parent, nullptr, 0);
    EXPECT_TRUE(run_until([&] { return state_of(child).empty() || state_of(child) == "Z"; }));
    close(ends[0]);
    close(ends[1]);
}

}  // namespace
}  // namespace offhook
