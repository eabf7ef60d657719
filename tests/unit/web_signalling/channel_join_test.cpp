// The WebSocket of channels as its clients see it: joining, one place for each user, offers, the end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web_signalling/channel_door_test.h"

namespace offhook::signalling::web {
namespace {

using testing::ChannelClient;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using testing::web_answer;
using testing::web_offer;

class ChannelJoin : public testing::ChannelDoorTest {};

TEST_F(ChannelJoin, WelcomesAndLetsIn) {
    open_channels({.ice_servers = {"stun:stun.example.net"}});
    const auto anna =
        client("Origin: http://" + address_ + "\r\nSec-WebSocket-Protocol: offhook.v1\r\n");
    EXPECT_EQ(anna->socket().answer().headers.at("sec-websocket-protocol"), "offhook.v1");
    const auto joined = anna->join("anna", R"(,"name":"Anna A.")");
    EXPECT_EQ(joined.text("channel"), "lobby");
    EXPECT_EQ(joined.text("policy"), "everybody");
    EXPECT_EQ(joined.text("role"), "speaker");
    EXPECT_EQ(joined.boolean("resumed"), false);
    EXPECT_EQ(joined.text("resume")->size(), 64U);
    EXPECT_EQ(joined.objects("ice_servers").at(0).text("urls"), "stun:stun.example.net");
    const auto members = joined.objects("members");
    ASSERT_EQ(members.size(), 1U);
    EXPECT_EQ(members[0].text("id"), joined.text("member"));
    EXPECT_EQ(members[0].text("name"), "Anna A.");

    const auto ben = client();
    EXPECT_EQ(ben->join("ben").objects("members").size(), 2U);
    for (;;) {
        const auto told = anna->next("members");
        ASSERT_EQ(told.text("channel"), "lobby");
        if (told.objects("members").size() == 2) break;
    }
    loop_.run([&] { channels_->speak("lobby", {ben->member()}); });
    EXPECT_THAT(anna->next("speaking").texts("members"), ElementsAre(ben->member()));
    const auto listed = loop_.run([&] { return registry_->connections(); });
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].facts.user, "anna");
    EXPECT_EQ(listed[0].facts.channel, "lobby");
    EXPECT_EQ(listed[0].facts.protocol, "offhook.v1");
    EXPECT_EQ(listed[0].state, connection::State::Live);
}

TEST_F(ChannelJoin, ThePlaceIsFreeBeforeTheNextIsLetIn) {
    open_channels();
    const auto first = client();
    first->join("anna");
    std::size_t there = 99;
    loop_.run([&] { channels_->before_join = [&] { there = registry_->connections().size(); }; });
    const auto second = client();
    const auto joined = second->join("anna");
    EXPECT_EQ(joined.boolean("resumed"), false);
    EXPECT_EQ(joined.objects("members").size(), 1U);
    EXPECT_EQ(loop_.run([&] { return there; }), 1U);  // the second itself
    const auto error = first->next("error");
    EXPECT_EQ(error.text("code"), "replaced");
    EXPECT_EQ(error.whole("status"), 409);
    EXPECT_EQ(first->close_code(), 4000);
    EXPECT_THAT(channels_->notes(),
                ElementsAre("join anna lobby", "leave anna", "join anna lobby"));
}

TEST_F(ChannelJoin, OfFiftyAtOnceOneIsLeft) {
    open_channels();
    std::vector<std::unique_ptr<ChannelClient>> all;
    for (int i = 0; i < 50; ++i) all.push_back(client());
    for (auto& each : all) each->ask("anna");
    const std::int64_t limit_ns = base::monotonic_ns() + 10 * base::kNsPerS;
    while (loop_.run([&] { return registry_->connections().size() + channels_->members(); }) != 2)
        ASSERT_LT(base::monotonic_ns(), limit_ns) << "more than one is left";
    int replaced = 0;
    int left = 0;
    for (auto& each : all) {
        each->send(R"({"type":"ping","t":1})");
        if (each->next("pong").text("type") == "pong")
            ++left;
        else if (each->close_code() == 4000)
            ++replaced;
    }
    EXPECT_EQ(left, 1);
    EXPECT_EQ(replaced, 49);
}

TEST_F(ChannelJoin, TwoTabsThatFightAreParted) {
    open_channels({}, {}, {.max_claims = 3});
    std::vector<std::unique_ptr<ChannelClient>> tabs;
    for (int i = 0; i < 3; ++i) {
        tabs.push_back(client());
        tabs.back()->join("anna");
    }
    const auto late = client();
    late->ask("anna");
    const auto error = late->next("error");
    EXPECT_EQ(error.text("code"), "limit-reached");
    EXPECT_GT(error.whole("retry_after_s").value_or(0), 0);
    EXPECT_EQ(late->close_code(), 4004);
    EXPECT_EQ(tabs[0]->close_code(), 4000);
    EXPECT_EQ(tabs[1]->close_code(), 4000);
    tabs[2]->send(R"({"type":"ping","t":2.5})");
    EXPECT_EQ(tabs[2]->next("pong").number("t"), 2.5);
}

TEST_F(ChannelJoin, ALegIsTheMembersPlace) {
    open_channels({.stats_period = std::chrono::milliseconds(20)});
    const auto anna = client();
    anna->join("anna");
    anna->offer(web_offer(), 3);
    const auto answer = anna->next("answer");
    EXPECT_EQ(answer.text("sdp"), "v=0\r\na=answer\r\n");
    EXPECT_EQ(answer.whole("id"), 3);
    const auto call = calls_.last();
    ASSERT_TRUE(call.place);
    EXPECT_EQ(call.place->channel, "lobby");
    EXPECT_EQ(call.place->member, anna->member());
    EXPECT_EQ(call.from_user, "channel");
    anna->send(R"({"type":"candidate","candidate":"candidate:1 1 udp 1 192.0.2.1 1 typ host"})");
    anna->send(R"({"type":"candidate","candidate":null})");
    EXPECT_TRUE(calls_.wait_for("end of candidates"));
    EXPECT_THAT(calls_.notes(), Contains("candidate:1 1 udp 1 192.0.2.1 1 typ host"));
    const auto stats = anna->next("stats");
    EXPECT_EQ(stats.text("member"), anna->member());
    EXPECT_EQ(stats.whole("packets_received"), 50);
    calls_.on_offer = [&](const model::CallId& id, const std::string&, std::uint32_t exchange) {
        signaller_->answer(id, web_answer("v=0 again"), exchange);
    };
    anna->offer(web_offer("sendrecv", "wxyz"), 4);
    EXPECT_EQ(anna->next("answer").text("sdp"), "v=0 again");
    // What was lost on its way is asked for again, and is the same.
    anna->offer(web_offer("sendrecv", "wxyz"), 4);
    EXPECT_EQ(anna->next("answer").text("sdp"), "v=0 again");
    anna->send(R"({"type":"leave"})");
    EXPECT_EQ(anna->close_code(), 4006);
    EXPECT_TRUE(calls_.wait_for("ended caller-hangup"));
    EXPECT_TRUE(is_all_gone());
}

TEST_F(ChannelJoin, AfterALegFailedAnotherMayBeOffered) {
    open_channels();
    const auto anna = client();
    anna->join("anna");
    anna->offer(web_offer(), 1);
    anna->next("answer");
    loop_.run([&] {
        signaller_->hangup(
            calls_.last().id, model::ended(model::EndReason::IceFailed, "no pair worked"), {});
    });
    const auto error = anna->next("error");
    EXPECT_EQ(error.text("code"), "leg-ended");
    EXPECT_EQ(error.text("reason"), "ice-failed");
    EXPECT_EQ(error.text("detail"), "no pair worked");
    anna->offer(web_offer(), 1);
    EXPECT_EQ(anna->next("answer").whole("id"), 1);
    EXPECT_THAT(channels_->notes(), Not(Contains("leave anna")));
}

TEST_F(ChannelJoin, ARefusedLegLeavesTheMember) {
    open_channels();
    calls_.on_call = [](const model::IncomingCall& call) {
        call.via->reject(call.id, 503, "full", std::chrono::seconds(5), 0);
    };
    const auto anna = client();
    anna->join("anna");
    anna->offer(web_offer(), 9);
    const auto error = anna->next("error");
    EXPECT_EQ(error.text("code"), "limit-reached");
    EXPECT_EQ(error.whole("id"), 9);
    EXPECT_EQ(error.whole("retry_after_s"), 5);
    anna->send(R"({"type":"mute","muted":true})");
    EXPECT_TRUE(channels_->wait_for("mute anna"));
}

TEST_F(ChannelJoin, IsTakenOutAndMoved) {
    open_channels();
    const auto anna = client();
    anna->join("anna");
    loop_.run([&] { EXPECT_TRUE(channels_->move("lobby", anna->member(), "studio")); });
    const auto moved = anna->next("moved");
    EXPECT_EQ(moved.text("channel"), "studio");
    EXPECT_EQ(moved.objects("members").size(), 1U);
    // The same user is in the new channel once.
    const auto tab = client();
    tab->join("anna", {}, "studio");
    EXPECT_EQ(anna->close_code(), 4000);
    loop_.run([&] { EXPECT_TRUE(channels_->remove("studio", tab->member())); });
    EXPECT_EQ(tab->next("removed").text("why"), "removed");
    EXPECT_EQ(tab->close_code(), 4005);
    const auto ben = client();
    ben->join("ben");
    loop_.run([&] { EXPECT_TRUE(channels_->close("lobby")); });
    EXPECT_EQ(ben->next("removed").text("why"), "channel-closed");
    EXPECT_EQ(ben->close_code(), 4006);
    EXPECT_TRUE(is_all_gone());
}

TEST_F(ChannelJoin, TheRegistryMayEndIt) {
    open_channels();
    const auto anna = client();
    anna->join("anna");
    loop_.run(
        [&] { EXPECT_TRUE(registry_->remove(registry_->connections().at(0).id, "an operator")); });
    EXPECT_EQ(anna->next("error").text("code"), "removed");
    EXPECT_EQ(anna->close_code(), 4005);
    EXPECT_TRUE(is_all_gone());
}

TEST_F(ChannelJoin, TellsWhatIsWrong) {
    open_channels();
    const auto anna = client();
    anna->join("anna");
    anna->send(R"({"type":"stats","report":{"packets_sent":0,"path":"host","ok":true,"x":null}})");
    anna->send(R"({"type":"diagnose","id":5})");
    const auto diagnosis = anna->next("diagnosis");
    EXPECT_EQ(diagnosis.whole("id"), 5);
    const auto issue = diagnosis.objects("issues").at(0);
    EXPECT_EQ(issue.text("code"), "alone");
    EXPECT_EQ(issue.text("severity"), "info");
}

TEST_F(ChannelJoin, GoingDownTellsEverybody) {
    open_channels();
    const auto anna = client();
    anna->join("anna");
    anna->offer(web_offer(), 1);
    anna->next("answer");
    loop_.run([&] { endpoint_.reset(); });
    EXPECT_EQ(anna->close_code(), 1001);
    EXPECT_TRUE(calls_.wait_for("ended drained"));
    EXPECT_TRUE(channels_->wait_for("leave anna"));
    EXPECT_EQ(loop_.run([&] { return registry_->connections().size(); }), 0U);
}

}  // namespace
}  // namespace offhook::signalling::web
