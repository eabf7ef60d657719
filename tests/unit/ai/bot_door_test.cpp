#include "ai/bot_door.h"

#include <gtest/gtest.h>

#include "bot_rig.h"

namespace offhook::ai {
namespace {

using base::kNsPerS;
using testing::Samples;
using Why = socket::LinkEnd::Why;

/// A bot that connects over loopback.
class Visitor final : public socket::LinkEvents {
public:
    Visitor(socket::EventLoop& loop, const std::string& url, const std::string& subprotocol) {
        socket::DialSettings dial;
        dial.url = url;
        dial.subprotocol = subprotocol;
        auto dialled = socket::dial(loop, dial, *this);
        if (dialled) link = std::move(*dialled);
    }
    void on_open() override { is_open = true; }
    void on_text(std::string_view /*text*/) override {}
    void on_binary(std::span<const std::byte> bytes) override { received_bytes += bytes.size(); }
    void on_closed(const socket::LinkEnd& how) override { end = how; }

    std::unique_ptr<socket::Link> link;
    bool is_open = false;
    std::size_t received_bytes = 0;
    std::optional<socket::LinkEnd> end;
};

class Door : public testing::BotRig {
protected:
    void SetUp() override {
        BotRig::SetUp();
        settings_->ai.is_dialled = false;
        settings_->reconnect_s = 20;
        notes_.subprotocol = "media";
        config::AiListen listen;
        listen.wait_s = 30;
        auto door = BotDoor::open(*loop_, listen);
        ASSERT_TRUE(door) << door.error().text();
        door_ = std::move(*door);
    }
    void TearDown() override {
        session_.reset();
        door_.reset();
    }
    std::unique_ptr<Visitor> visit(const std::string& path,
                                   const std::string& subprotocol = "media") {
        return std::make_unique<Visitor>(
            *loop_, "ws://127.0.0.1:" + std::to_string(door_->port()) + path, subprotocol);
    }
    /// Real sockets, so real time, 10 s at most.
    bool turn_until(const std::function<bool()>& is_so) {
        const std::int64_t until_ns = base::monotonic_ns() + 10 * kNsPerS;
        while (!is_so() && base::monotonic_ns() < until_ns) loop_->turn(10 * base::kNsPerMs);
        return is_so();
    }
};

TEST_F(Door, AnUnknownCallIsNotFound) {
    begin();
    const auto visitor = visit("/media/c-2");
    ASSERT_TRUE(turn_until([&] { return visitor->end.has_value(); }));
    EXPECT_EQ(visitor->end->why, Why::Refused);
    EXPECT_EQ(visitor->end->code, 404);
    const auto other = visit("/elsewhere");
    ASSERT_TRUE(turn_until([&] { return other->end.has_value(); }));
    EXPECT_EQ(other->end->code, 404);
}

TEST_F(Door, TheBotOfTheCallComesAndNobodyElse) {
    begin();
    EXPECT_TRUE(events_.has("waiting /media/c-1"));
    EXPECT_TRUE(wires_.empty());
    step_for(500);
    const auto bot = visit("/media/c-1");
    ASSERT_TRUE(turn_until([&] { return bot->is_open && !notes_.opened.empty(); }));
    EXPECT_EQ(stats_->state, model::AiState::Live);
    step_for(500);
    ASSERT_TRUE(turn_until([&] { return bot->received_bytes == 1000 * 16; }));
    const auto second = visit("/media/c-1");
    ASSERT_TRUE(turn_until([&] { return second->end.has_value(); }));
    EXPECT_EQ(second->end->code, 409);
    const Samples words(800, 44);
    bot->link->send_binary(std::as_bytes(std::span(words)));
    ASSERT_TRUE(turn_until([&] { return host().given() == words.size(); }));
    step_for(200);
    EXPECT_EQ(heard_, words);
}

TEST_F(Door, ItMayComeBack) {
    begin();
    auto bot = visit("/media/c-1");
    ASSERT_TRUE(turn_until([&] { return notes_.opened.size() == 1; }));
    events_.lines.clear();
    bot.reset();
    ASSERT_TRUE(turn_until([&] { return stats_->state == model::AiState::Lost; }));
    EXPECT_TRUE(events_.has("waiting /media/c-1"));
    step_for(5000);
    bot = visit("/media/c-1");
    ASSERT_TRUE(turn_until([&] { return notes_.opened.size() == 2; }));
    EXPECT_EQ(notes_.opened[1].replay_ms, 3000);
    EXPECT_EQ(stats_->state, model::AiState::Live);
    session_->on_news(EndNews{});
    session_.reset();
    ASSERT_TRUE(turn_until([&] { return bot->end.has_value(); }));
    EXPECT_EQ(bot->end->why, Why::ClosedByPeer);
    EXPECT_EQ(bot->end->code, 1000);
    const auto late = visit("/media/c-1");
    ASSERT_TRUE(turn_until([&] { return late->end.has_value(); }));
    EXPECT_EQ(late->end->code, 404);
}

TEST_F(Door, WhoAsksForNoSubprotocolIsRefused) {
    begin();
    const auto visitor = visit("/media/c-1", "");
    ASSERT_TRUE(turn_until([&] { return visitor->end.has_value(); }));
    EXPECT_EQ(visitor->end->code, 400);
    EXPECT_EQ(stats_->connections, 0U);
}

TEST_F(Door, NobodyCame) {
    settings_->fallback = {{Fallback::Kind::Ai, "second"}};
    begin();
    step_for(29'900);
    EXPECT_FALSE(events_.has("state ended"));
    step_for(200);
    EXPECT_EQ(events_.lines.back(), "fallback ai second");
}

TEST_F(Door, NobodyCameBack) {
    begin();
    auto bot = visit("/media/c-1");
    ASSERT_TRUE(turn_until([&] { return notes_.opened.size() == 1; }));
    bot.reset();
    ASSERT_TRUE(turn_until([&] { return stats_->state == model::AiState::Lost; }));
    step_for(19'900);
    EXPECT_FALSE(events_.has("finished"));
    step_for(200);
    EXPECT_TRUE(events_.has("finished"));
}

TEST_F(Door, WithoutADoorThereIsNoWaiting) {
    door_.reset();
    begin();
    EXPECT_TRUE(events_.has("finished"));
    EXPECT_STREQ(stats_->last_loss.load(), "no-listener");
}

}  // namespace
}  // namespace offhook::ai
