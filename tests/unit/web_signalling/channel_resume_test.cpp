// A member whose WebSocket is lost: what goes on, and who may come back as it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web_signalling/channel_door_test.h"

namespace offhook::signalling::web {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using testing::web_answer;
using testing::web_offer;

class ChannelResume : public testing::ChannelDoorTest {};

TEST_F(ChannelResume, TheSameMemberComesBack) {
    open_channels();
    const auto ben = client();
    ben->join("ben");
    auto anna = client();
    anna->join("anna");
    anna->offer(web_offer(), 1);
    anna->next("answer");
    const std::string member = anna->member();
    const std::string resuming = anna->resuming();
    anna.reset();
    ASSERT_TRUE(channels_->wait_for("away anna"));
    EXPECT_EQ(loop_.run([&] { return signaller_->size(); }), 1U);  // its sound goes on
    const auto again = client();
    const auto joined = again->join("anna", resuming);
    EXPECT_EQ(joined.boolean("resumed"), true);
    EXPECT_EQ(joined.text("member"), member);
    EXPECT_EQ(resuming, again->resuming());
    EXPECT_EQ(joined.objects("members").size(), 2U);
    EXPECT_TRUE(channels_->wait_for("back anna"));
    EXPECT_THAT(channels_->notes(), Not(Contains("leave anna")));
    EXPECT_THAT(calls_.notes(), Not(Contains("ended transport-lost")));
    again->send(R"({"type":"candidate","candidate":null})");
    EXPECT_TRUE(calls_.wait_for("end of candidates"));
}

TEST_F(ChannelResume, WhoIsStillHereComesBackAsWell) {
    open_channels();
    const auto first = client();
    first->join("anna");
    const auto again = client();
    const auto joined = again->join("anna", first->resuming());
    EXPECT_EQ(joined.boolean("resumed"), true);
    EXPECT_EQ(joined.text("member"), first->member());
    EXPECT_EQ(first->next("error").text("code"), "replaced");
    EXPECT_EQ(first->close_code(), 4000);
    EXPECT_THAT(channels_->notes(), Not(Contains("leave anna")));
}

TEST_F(ChannelResume, AnAnswerThatWasMissedComesThen) {
    open_channels();
    calls_.on_call = [](const model::IncomingCall&) {};
    auto anna = client();
    anna->join("anna");
    anna->offer(web_offer(), 7);
    ASSERT_TRUE(calls_.wait_for("incoming"));
    const std::string resuming = anna->resuming();
    anna.reset();
    ASSERT_TRUE(channels_->wait_for("away anna"));
    loop_.run([&] { signaller_->answer(calls_.last().id, web_answer("v=0 late"), 0); });
    const auto again = client();
    again->join("anna", resuming);
    const auto answer = again->next("answer");
    EXPECT_EQ(answer.whole("id"), 7);
    EXPECT_EQ(answer.text("sdp"), "v=0 late");
}

TEST_F(ChannelResume, AfterTheLimitNothingIsLeft) {
    open_channels({.resume_limit = std::chrono::milliseconds(50)});
    auto anna = client();
    anna->join("anna");
    anna->offer(web_offer(), 1);
    anna->next("answer");
    const std::string resuming = anna->resuming();
    anna.reset();
    EXPECT_TRUE(channels_->wait_for("leave anna"));
    EXPECT_TRUE(calls_.wait_for("ended transport-lost"));
    EXPECT_TRUE(is_all_gone());
    const auto again = client();
    EXPECT_EQ(again->join("anna", resuming).boolean("resumed"), false);
}

TEST_F(ChannelResume, ItEndsAtOnceWhenItsLegDoes) {
    open_channels();
    auto anna = client();
    anna->join("anna");
    anna->offer(web_offer(), 1);
    anna->next("answer");
    anna.reset();
    ASSERT_TRUE(channels_->wait_for("away anna"));
    loop_.run([&] {
        signaller_->hangup(
            calls_.last().id, model::ended(model::EndReason::PeerVanished, "silence"), {});
    });
    EXPECT_TRUE(channels_->wait_for("leave anna"));
    EXPECT_TRUE(is_all_gone());
}

TEST_F(ChannelResume, WithoutTheSecretItIsSomebodyNew) {
    open_channels();
    auto anna = client();
    anna->join("anna");
    anna.reset();
    ASSERT_TRUE(channels_->wait_for("away anna"));
    const auto again = client();
    EXPECT_EQ(again->join("anna", R"(,"resume":"0123")").boolean("resumed"), false);
    EXPECT_THAT(channels_->notes(),
                ElementsAre("join anna lobby", "away anna", "leave anna", "join anna lobby"));
}

TEST_F(ChannelResume, ThePlaceIsOneUsersInOneChannel) {
    open_channels();
    const auto anna = client();
    anna->join("anna");
    const auto eve = client();
    eve->ask("eve", anna->resuming());
    EXPECT_EQ(eve->next("error").text("code"), "not-allowed");
    EXPECT_EQ(eve->close_code(), 1008);
    const auto elsewhere = client();
    EXPECT_EQ(elsewhere->join("anna", anna->resuming(), "studio").boolean("resumed"), false);
    anna->send(R"({"type":"ping","t":1})");
    EXPECT_EQ(anna->next("pong").whole("t"), 1);
}

TEST_F(ChannelResume, WhoWasMovedComesBackToWhereItIs) {
    open_channels();
    auto anna = client();
    anna->join("anna");
    loop_.run([&] { EXPECT_TRUE(channels_->move("lobby", anna->member(), "studio")); });
    anna->next("moved");
    const std::string resuming = anna->resuming();
    anna.reset();
    ASSERT_TRUE(channels_->wait_for("away anna"));
    const auto again = client();
    const auto joined = again->join("anna", resuming);
    EXPECT_EQ(joined.boolean("resumed"), true);
    EXPECT_EQ(joined.text("channel"), "studio");
}

// Tokens live for minutes, calls for hours.
TEST_F(ChannelResume, ATokenThatExpiredSinceIsNoObstacle) {
    open_channels({},
                  {{.name = "ops", .user = "ops", .sha256 = std::string(64, '0'), .scopes = {}}});
    const auto token = join_tokens_->mint({.user = "anna",
                                           .channel = "lobby",
                                           .name = {},
                                           .role = model::MemberRole::Listen,
                                           .expires_s = base::realtime_ns() / base::kNsPerS + 60});
    ASSERT_TRUE(token) << token.error().text();
    const std::string showing = R"(,"token":")" + *token + "\"";
    auto anna = client();
    anna->join("anna", showing);
    const std::string resuming = anna->resuming();
    ahead_ns_ = 100 * base::kNsPerS;
    anna.reset();
    ASSERT_TRUE(channels_->wait_for("away anna"));
    const auto late = client();
    late->ask("anna", showing);
    EXPECT_EQ(late->next("error").text("code"), "unauthorized");
    const auto again = client();
    const auto joined = again->join("anna", showing + resuming);
    EXPECT_EQ(joined.boolean("resumed"), true);
    EXPECT_EQ(joined.text("role"), "listen");
}

// A tab that closes says 1001, and so does one that is loaded again.
TEST_F(ChannelResume, OnlyAGoodbyeIsALeave) {
    open_channels();
    const auto anna = client();
    anna->join("anna");
    anna->say_goodbye(1001);
    EXPECT_TRUE(channels_->wait_for("away anna"));
    const auto ben = client();
    ben->join("ben");
    ben->say_goodbye(1000);
    EXPECT_TRUE(channels_->wait_for("leave ben"));
    EXPECT_THAT(channels_->notes(), Not(Contains("leave anna")));
}

}  // namespace
}  // namespace offhook::signalling::web
