#include "events/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "hand_executor.h"

namespace offhook::events {
namespace {

using log::Level;
using log::Mark;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

void say(std::string_view type, std::string_view call = {}) {
    log::write(Level::Info, Mark::None, type, call, "m");
}

class Seen final : public EventLog::Subscriber {
public:
    void on_event(const EventRef& event) override {
        types.push_back(event->type);
        seqs.push_back(event->seq);
        last = event;
    }
    std::vector<std::string> types;
    std::vector<std::uint64_t> seqs;
    EventRef last;
};

class EventLogTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(
            log::setup({.level = Level::Error, .format = log::Format::Json, .file = "/dev/null"}));
    }
    void TearDown() override { log::shutdown(); }
    void make(EventLog::Options options = {}) { log_.emplace(options, control_); }

    HandExecutor control_;
    std::optional<EventLog> log_;
};

TEST_F(EventLogTest, EventsAreNumberedFromOneAndKept) {
    make();
    EXPECT_EQ(log_->newest(), 0U);
    EXPECT_EQ(log_->oldest(), 1U);
    say("call.incoming", "c-1");
    say("call.ended", "c-1");
    EXPECT_EQ(log_->newest(), 0U);  // control did not run yet
    control_.run();
    EXPECT_EQ(log_->newest(), 2U);
    EXPECT_EQ(log_->oldest(), 1U);
    EXPECT_EQ(log_->at(1)->type, "call.incoming");
    EXPECT_EQ(log_->at(2)->type, "call.ended");
    EXPECT_EQ(log_->at(0), nullptr);
    EXPECT_EQ(log_->at(3), nullptr);
    EXPECT_THAT(log_->instance(), MatchesRegex("[0-9a-f]{16}"));
}

TEST_F(EventLogTest, TheOldestGoWhenThereAreTooMany) {
    make({.keep = 3});
    for (int i = 0; i < 5; ++i) say("a.a");
    control_.run();
    EXPECT_EQ(log_->oldest(), 3U);
    EXPECT_EQ(log_->newest(), 5U);
    EXPECT_EQ(log_->at(2), nullptr);
    EXPECT_EQ(log_->at(3)->seq, 3U);
}

TEST_F(EventLogTest, JsonHasWhatTheLogWasToldEscaped) {
    make();
    log::write(Level::Warning,
               Mark::Call,
               "call.ended",
               "c-1",
               "over\n",
               {{"reason", "ti\x1bmeout"}, {"n", 3}, {"share", 0.5}, {"yes", true}});
    control_.run();
    const EventRef event = log_->at(1);
    EXPECT_THAT(event->json,
                MatchesRegex(R"(\{"seq":1,"time":"[-0-9T:.]*Z","type":"call.ended",)"
                             R"("level":"warning","call":"c-1","message":"over.*",)"
                             R"("data":\{"reason":"ti.*meout","n":3,"share":0.5,"yes":true\}\})"));
    EXPECT_THAT(event->json, HasSubstr(R"(ti\\x1Bmeout)"));
    EXPECT_EQ(event->whole("n"), 3);
    EXPECT_EQ(event->whole("reason"), 0);
    EXPECT_EQ(event->text("reason"), "ti\\x1Bmeout");
    EXPECT_EQ(event->text("missing"), "");
}

TEST_F(EventLogTest, EventsOfACallAreItsAccountsAndItsChannels) {
    make();
    log::write(Level::Info, Mark::Call, "call.incoming", "c-1", "m", {{"account", "desk"}});
    log::write(Level::Info, Mark::Call, "channel.joined", "c-1", "m", {{"channel", "lobby"}});
    say("rtp.keepalive", "c-1");
    say("call.ended", "c-1");
    say("late.line", "c-1");
    say("rtp.keepalive", "c-2");
    control_.run();
    EXPECT_EQ(log_->at(1)->channel, "");
    EXPECT_EQ(log_->at(3)->account, "desk");
    EXPECT_EQ(log_->at(3)->channel, "lobby");
    EXPECT_EQ(log_->at(4)->account, "desk");
    EXPECT_EQ(log_->at(5)->account, "");
    EXPECT_EQ(log_->at(6)->account, "");
}

TEST_F(EventLogTest, SubscribersAreToldEachEventInOrderAndMayLeaveMeanwhile) {
    class Leaves final : public EventLog::Subscriber {
    public:
        Leaves(EventLog& events, EventLog::Subscriber& other) : events_(events), other_(other) {}
        void on_event(const EventRef&) override {
            ++times;
            events_.unsubscribe(*this);
            events_.unsubscribe(other_);
        }
        int times = 0;

    private:
        EventLog& events_;
        EventLog::Subscriber& other_;
    };
    make();
    Seen first;
    Seen second;
    Leaves leaves(*log_, second);
    log_->subscribe(first);
    log_->subscribe(leaves);
    log_->subscribe(second);
    say("a.a");
    say("b.b");
    control_.run();
    EXPECT_THAT(first.types, ElementsAre("a.a", "b.b"));
    EXPECT_THAT(first.seqs, ElementsAre(1U, 2U));
    EXPECT_EQ(leaves.times, 1);
    EXPECT_TRUE(second.types.empty());
    log_->unsubscribe(second);
}

TEST_F(EventLogTest, WhatIsTooMuchAtOnceIsCountedAndAnnounced) {
    make({.keep = 100, .max_waiting = 4});
    Seen seen;
    log_->subscribe(seen);
    for (int i = 0; i < 10; ++i) say("a.a");
    EXPECT_EQ(log_->dropped(), 6U);
    control_.run();
    ASSERT_EQ(seen.types.size(), 5U);
    EXPECT_EQ(seen.types.back(), "events.dropped");
    EXPECT_EQ(seen.last->text("sink"), "events");
    EXPECT_EQ(seen.last->whole("count"), 6);
    say("b.b");
    control_.run();
    EXPECT_EQ(seen.types.back(), "b.b");
    EXPECT_EQ(log_->dropped(), 6U);
}

TEST_F(EventLogTest, FlushTakesInWhatControlHasNotSeen) {
    make();
    say("a.a");
    log_->flush();
    EXPECT_EQ(log_->newest(), 1U);
    control_.run();
    EXPECT_EQ(log_->newest(), 1U);
}

TEST_F(EventLogTest, WhatWasPostedMayComeAfterItsEnd) {
    make();
    say("a.a");
    log_.reset();
    say("b.b");
    control_.run();
}

// Also for TSan: writers on their threads, control on this one.
TEST_F(EventLogTest, NothingIsLostOrReorderedBetweenThreads) {
    constexpr int kWriters = 4;
    constexpr int kEach = 2'000;
    make({.keep = 100'000, .max_waiting = 100'000});
    std::atomic<int> running{kWriters};
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
        writers.emplace_back([w, &running] {
            for (int i = 0; i < kEach; ++i)
                log::write(Level::Info, Mark::None, "a.a", {}, "m", {{"w", w}, {"i", i}});
            --running;
        });
    }
    while (running > 0) control_.run();
    for (std::thread& writer : writers) writer.join();
    control_.run();
    ASSERT_EQ(log_->newest(), static_cast<std::uint64_t>(kWriters * kEach));
    std::map<std::int64_t, std::int64_t> next;
    for (std::uint64_t seq = 1; seq <= log_->newest(); ++seq) {
        const EventRef event = log_->at(seq);
        EXPECT_EQ(event->whole("i"), next[event->whole("w")]++);
    }
}

}  // namespace
}  // namespace offhook::events
