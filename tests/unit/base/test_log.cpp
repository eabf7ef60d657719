#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace offhook::log {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class LogFile : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = ::testing::TempDir() + "offhook-log-XXXXXX";
        const int fd = mkstemp(name.data());
        ASSERT_GE(fd, 0);
        ::close(fd);
        path_ = name;
    }
    void TearDown() override {
        shutdown();
        ::unlink(path_.c_str());
        ::unlink((path_ + ".1").c_str());
    }
    static std::vector<std::string> lines(const std::string& path) {
        std::ifstream in(path);
        std::vector<std::string> all;
        for (std::string line; std::getline(in, line);) all.push_back(line);
        return all;
    }
    void open(Format format, Level level = Level::Info) {
        ASSERT_TRUE(setup({.level = level, .format = format, .file = path_}));
    }
    std::string path_;
};

TEST_F(LogFile, AutoIsJsonWhenNotATerminal) {
    open(Format::Auto);
    write(Level::Info, Mark::Call, "call.incoming", "c-1", "m");
    shutdown();
    ASSERT_EQ(lines(path_).size(), 1U);
    EXPECT_THAT(lines(path_)[0], StartsWith("{\"ts\":\""));
}

TEST_F(LogFile, TextOnDemandWithoutColourInAFile) {
    open(Format::Text);
    write(Level::Info, Mark::Call, "call.incoming", "c-1", "m");
    shutdown();
    ASSERT_EQ(lines(path_).size(), 1U);
    EXPECT_THAT(lines(path_)[0], HasSubstr(" INFO  🔔 call.incoming c-1 m"));
}

TEST_F(LogFile, LevelChangesWhileRunning) {
    open(Format::Json, Level::Warning);
    EXPECT_FALSE(enabled(Level::Info));
    write(Level::Info, Mark::None, {}, {}, "not seen");
    set_level(Level::Debug);
    write(Level::Debug, Mark::None, {}, {}, "seen");
    shutdown();
    set_level(Level::Info);
    ASSERT_EQ(lines(path_).size(), 1U);
    EXPECT_THAT(lines(path_)[0], HasSubstr("\"msg\":\"seen\""));
}

TEST_F(LogFile, ReopenFollowsRotation) {
    open(Format::Json);
    write(Level::Info, Mark::None, {}, {}, "before");
    shutdown();
    open(Format::Json);
    ASSERT_EQ(std::rename(path_.c_str(), (path_ + ".1").c_str()), 0);
    ASSERT_TRUE(reopen());
    write(Level::Info, Mark::None, {}, {}, "after");
    shutdown();
    ASSERT_EQ(lines(path_ + ".1").size(), 1U);
    ASSERT_EQ(lines(path_).size(), 1U);
    EXPECT_THAT(lines(path_)[0], HasSubstr("after"));
}

TEST_F(LogFile, AFileThatCannotBeOpenedIsAnError) {
    const auto result = setup({.file = "/nowhere/at/all.log"});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, base::ErrorCode::Io);
    EXPECT_THAT(result.error().text(), HasSubstr("/nowhere/at/all.log"));
}

TEST(LogQueue, AStuckReaderNeverHoldsUpTheWriter) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_TRUE(
        setup({.format = Format::Json, .file = "/proc/self/fd/" + std::to_string(ends[1])}));
    ::close(ends[1]);
    constexpr int kMoreThanPipeAndQueue = 10'000;
    for (int i = 0; i < kMoreThanPipeAndQueue; ++i) {
        write(Level::Info, Mark::None, "test.line", {}, "m", {{"i", i}});  // would hang here
    }
    std::string all;
    std::thread reader([&] {
        char chunk[4096];
        for (ssize_t n = 0; (n = ::read(ends[0], chunk, sizeof chunk)) > 0;) {
            all.append(chunk, static_cast<std::size_t>(n));
        }
    });
    shutdown();
    reader.join();
    ::close(ends[0]);
    EXPECT_THAT(all, HasSubstr("\"i\":9999}"));
    EXPECT_THAT(all, HasSubstr("\"event\":\"log.overrun\""));
}

TEST_F(LogFile, NothingIsLostOrTornBetweenThreads) {
    open(Format::Json);
    constexpr int kThreads = 4;
    constexpr int kLines = 500;  // together below the queue
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([t] {
            for (int i = 0; i < kLines; ++i) {
                write(Level::Info, Mark::None, "test.line", {}, "m", {{"thread", t}, {"i", i}});
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    shutdown();
    const auto all = lines(path_);
    ASSERT_EQ(all.size(), static_cast<std::size_t>(kThreads * kLines));
    for (const std::string& line : all) {
        EXPECT_EQ(line.front(), '{');
        EXPECT_EQ(line.back(), '}');
    }
}

}  // namespace
}  // namespace offhook::log
