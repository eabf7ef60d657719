#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/ai_sockets.h"
#include "connection/memory_leases.h"
#include "glib/ref.h"

namespace offhook::app {
namespace {

using connection::EndReason;
using model::AiState;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class AiSocketsTest : public testing::Test {
protected:
    AiSocketsTest() {
        call_.id = model::CallId{"c-000000000001"};
        call_.ai = "desk";
        call_.bot.protocol = "plain";
        call_.bot.where = "bots.example.net:443";
    }
    void becomes(AiState state, const char* loss = nullptr) {
        call_.bot.state = state;
        stats_->last_loss = loss;
        sockets_.on_state(call_, stats_);
    }
    EndReason last_end() { return registry_.history().front().end; }

    glib::Ref<GMainContext> context_ = glib::Ref<GMainContext>::adopt(g_main_context_new());
    connection::MemoryLeases leases_{context_.get()};
    connection::Registry registry_{{}, context_.get(), leases_};
    std::vector<std::pair<std::string, std::uint64_t>> dropped_;
    AiSockets sockets_{registry_, [this](const model::CallId& call, std::uint64_t connection) {
                           dropped_.emplace_back(call.text, connection);
                       }};
    model::CallInfo call_;
    std::shared_ptr<model::AiStats> stats_ = std::make_shared<model::AiStats>();
};

TEST_F(AiSocketsTest, ABotIsAnEntryWhileItHearsTheCaller) {
    becomes(AiState::Connecting);
    EXPECT_THAT(registry_.connections(), IsEmpty());
    becomes(AiState::Live);
    stats_->link_sent_messages = 5;
    stats_->link_received_bytes = 99;
    stats_->round_trip_ms = 2.5;
    const auto all = registry_.connections();
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].facts.kind, connection::Kind::Ai);
    EXPECT_EQ(all[0].facts.user, "desk");
    EXPECT_EQ(all[0].facts.channel, "c-000000000001");
    EXPECT_EQ(all[0].facts.address, "bots.example.net:443");
    EXPECT_EQ(all[0].facts.protocol, "plain");
    EXPECT_EQ(all[0].state, connection::State::Live);
    EXPECT_EQ(all[0].traffic.sent_messages, 5U);
    EXPECT_EQ(all[0].traffic.received_bytes, 99U);
    EXPECT_EQ(all[0].traffic.rtt_ms, 2.5);
    EXPECT_EQ(all[0].fence, 0U);
    becomes(AiState::Live);
    EXPECT_THAT(registry_.connections(), SizeIs(1));
}

TEST_F(AiSocketsTest, WhatTookItSaysWhy) {
    for (const auto& [word, reason] : {std::pair{"closed-by-peer", EndReason::Client},
                                       std::pair{"silent", EndReason::Stale},
                                       std::pair{"slow", EndReason::Slow},
                                       std::pair{"reset", EndReason::Broken}}) {
        becomes(AiState::Live);
        becomes(AiState::Lost, word);
        EXPECT_EQ(last_end(), reason) << word;
    }
    becomes(AiState::Live);
    sockets_.on_left(call_.id);
    EXPECT_EQ(last_end(), EndReason::Left);
    EXPECT_THAT(registry_.connections(), IsEmpty());
}

TEST_F(AiSocketsTest, ARemovedOneIsDroppedAndComesBack) {
    stats_->connections = 3;
    becomes(AiState::Live);
    ASSERT_TRUE(registry_.remove(registry_.connections()[0].id, "the API"));
    EXPECT_THAT(dropped_, ElementsAre(Pair("c-000000000001", 3)));
    EXPECT_EQ(registry_.connections()[0].state, connection::State::Closing);
    becomes(AiState::Lost, "removed");
    EXPECT_EQ(last_end(), EndReason::Removed);
    becomes(AiState::Live);
    EXPECT_THAT(registry_.connections(), SizeIs(1));
}

TEST_F(AiSocketsTest, AStoppingDaemonLeavesBotsToTheirCalls) {
    becomes(AiState::Live);
    registry_.close();
    EXPECT_THAT(dropped_, IsEmpty());
    EXPECT_EQ(last_end(), EndReason::Shutdown);
}

}  // namespace
}  // namespace offhook::app
