#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "events/event_file.h"
#include "events/otlp_sender.h"
#include "events/sink.h"
#include "events/spool.h"
#include "events/webhook.h"
#include "hand_executor.h"

namespace offhook::events {
namespace {

using log::Level;
using log::Mark;
using testing::ElementsAre;

class Folder : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "offhook-events-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        path_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(path_); }
    std::string path_;
};

class SpoolTest : public Folder {
protected:
    Spool open(std::size_t max_bytes = 1000) {
        auto spool = Spool::open(path_ + "/spool", max_bytes);
        EXPECT_TRUE(spool);
        return *std::move(spool);
    }
    static std::vector<std::string> all(Spool& spool) {
        std::vector<std::string> texts;
        for (; !spool.empty(); spool.remove_first()) texts.push_back(*spool.read_first());
        return texts;
    }
};

TEST_F(SpoolTest, KeepsBatchesInOrderOverProcesses) {
    std::size_t dropped = 0;
    {
        Spool spool = open();
        for (int i = 0; i < 12; ++i) {
            ASSERT_TRUE(spool.add("batch " + std::to_string(i), 1, false, dropped));
        }
        spool.remove_first();
    }
    // What a process left half written is nothing.
    std::ofstream(path_ + "/spool/new") << "half";
    Spool again = open();
    EXPECT_EQ(again.size(), 11U);
    ASSERT_TRUE(again.add("last", 1, false, dropped));
    const auto texts = all(again);
    EXPECT_EQ(texts.front(), "batch 1");
    EXPECT_EQ(texts[10], "batch 11");
    EXPECT_EQ(texts.back(), "last");
    EXPECT_EQ(dropped, 0U);
    EXPECT_EQ(again.bytes(), 0U);
}

TEST_F(SpoolTest, DropsTheOldestButNotTheOneUnderWay) {
    std::size_t dropped = 0;
    Spool spool = open(25);
    ASSERT_TRUE(spool.add("0123456789", 3, false, dropped));
    ASSERT_TRUE(spool.add("abcdefghij", 4, true, dropped));
    ASSERT_TRUE(spool.add("ABCDEFGHIJ", 5, true, dropped));
    EXPECT_EQ(dropped, 4U);
    EXPECT_THAT(all(spool), ElementsAre("0123456789", "ABCDEFGHIJ"));
}

TEST_F(SpoolTest, WhatTheDiskDoesNotTakeIsAnErrorAndLeavesNothing) {
    std::size_t dropped = 0;
    Spool spool = open(1 << 20);
    const auto before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    rlimit small = limit;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    EXPECT_FALSE(spool.add(std::string(10'000, 'x'), 1, false, dropped));
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, before);
    EXPECT_TRUE(spool.empty());
    EXPECT_TRUE(std::filesystem::is_empty(path_ + "/spool"));
    EXPECT_TRUE(spool.add(std::string(10'000, 'x'), 1, false, dropped));
}

// By python3: hmac.new(b"key", b"1700000000.{}", "sha256").hexdigest()
TEST(Signature, IsHmacOverTimeAndBody) {
    EXPECT_EQ(signature(base::Secret("key"), 1'700'000'000, "{}"),
              "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae");
}

class EventFileTest : public Folder {
protected:
    static EventRef event(const std::string& json) {
        auto made = std::make_shared<Event>();
        made->json = json;
        return made;
    }
    [[nodiscard]] std::string text() const {
        std::ifstream in(path_ + "/events.jsonl");
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

// A disk that is full in the middle of a line, by a limit on the size of files.
TEST_F(EventFileTest, ALineIsThereAsAWholeOrNotAtAll) {
    ASSERT_TRUE(log::setup({.level = Level::Error, .file = "/dev/null"}));
    auto file = *EventFile::open(path_ + "/events.jsonl");
    file->write(event("{\"seq\":1}"));
    const auto before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    rlimit small = limit;
    small.rlim_cur = 15;
    setrlimit(RLIMIT_FSIZE, &small);
    file->write(event("{\"seq\":2}"));
    file->write(event("{\"seq\":3}"));
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, before);
    EXPECT_EQ(file->lost(), 2U);
    file->write(event("{\"seq\":4}"));
    EXPECT_EQ(text(), "{\"seq\":1}\n{\"seq\":4}\n");
    log::shutdown();
}

TEST(OtlpHeaders, AreTheSpecificationsText) {
    const auto headers = *parse_otlp_headers(" api-key=a%20b , x=1=2,");
    ASSERT_EQ(headers.size(), 2U);
    EXPECT_EQ(headers[0].first, "api-key");
    EXPECT_EQ(headers[0].second.reveal(), "a b");
    EXPECT_EQ(headers[1].second.reveal(), "1=2");
    EXPECT_TRUE(parse_otlp_headers("")->empty());
    EXPECT_FALSE(parse_otlp_headers("novalue"));
    EXPECT_FALSE(parse_otlp_headers("=x"));
}

// A sink that stands still loses what is too much, and says so once it goes on.
TEST(SinkQueue, IsBoundedAndAnnouncesWhatItDropped) {
    ASSERT_TRUE(log::setup({.level = Level::Error, .file = "/dev/null"}));
    {
        HandExecutor control;
        EventLog log({.keep = 100, .max_waiting = 100'000}, control);
        std::optional<SinkThread> thread(std::in_place);
        std::atomic<std::size_t> taken{0};
        SinkQueue queue(
            log, *thread, "file", "f", Filter{.types = {"a.*"}}, [&](const EventRef&) { ++taken; });
        std::promise<void> go_on;
        thread->post([&] { go_on.get_future().wait(); });
        for (int i = 0; i < 5'000; ++i) log::write(Level::Info, Mark::None, "a.a", {}, {});
        log::write(Level::Info, Mark::None, "b.b", {}, {});
        control.run();
        EXPECT_EQ(queue.dropped(), 5'000U - 4'096U);
        go_on.set_value();
        thread->run([] {});
        EXPECT_EQ(taken, 4'096U);
        control.run();
        const EventRef told = log.at(log.newest());
        EXPECT_EQ(told->type, "events.dropped");
        EXPECT_EQ(told->whole("count"), 5'000 - 4'096);
        queue.stop();
        thread.reset();
    }
    log::shutdown();
}

}  // namespace
}  // namespace offhook::events
