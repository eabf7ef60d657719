// Calls that are in a channel, and calls that become one: everything is real but signalling.
#include <gmock/gmock.h>

#include "registry_test.h"

namespace offhook::call::testing {
namespace {

using model::CallState;
using model::EndReason;
using model::MemberKind;
using model::MemberRole;
using model::MemberState;
using ::testing::HasSubstr;

class Nobody final : public model::ChannelListener {
public:
    void on_members(const model::ChannelInfo&) override {}
    void on_speaking(const std::vector<model::MemberId>&) override {}
    void on_removed(std::string_view why) override { removed = why; }
    void on_moved(const model::ChannelInfo&) override {}
    std::string removed;
};

class ChannelCalls : public RegistryTest {
protected:
    std::vector<model::MemberInfo> members(const std::string& channel = "sales") const {
        const auto found = channels->find(channel);
        return found ? found->members : std::vector<model::MemberInfo>{};
    }
    model::MemberId joins(const std::string& channel, MemberRole role = MemberRole::Speaker) {
        auto id =
            channels->join({.channel = channel, .user = "bert", .name = {}, .role = role}, nobody);
        EXPECT_TRUE(id);
        return id.value_or(std::string());
    }
    model::CallId browser_comes_in(const model::ChannelPlace& place) {
        model::IncomingCall incoming;
        incoming.id = model::CallId::make();
        incoming.peer = "wss:127.0.0.1:443";
        incoming.offer = web_sdp();
        incoming.place = place;
        const model::CallId id = incoming.id;
        calls->on_incoming(std::move(incoming));
        return id;
    }
    Nobody nobody;
};

TEST_F(ChannelCalls, ARoutesCallerIsAMemberUntilItHangsUp) {
    const model::CallId id = comes_in("z1");
    ASSERT_EQ(members().size(), 1U) << "its place is kept while it rings";
    EXPECT_EQ(members()[0].kind, MemberKind::Phone);
    EXPECT_EQ(members()[0].role, MemberRole::Speaker);
    EXPECT_EQ(members()[0].state, MemberState::Joining);
    calls->on_answer_sent(id);
    calls->on_confirmed(id, std::nullopt);
    EXPECT_EQ(members()[0].state, MemberState::Connected);
    EXPECT_EQ(members()[0].call, id);
    EXPECT_EQ(info(id).channel, "sales");
    EXPECT_EQ(info(id).member, members()[0].id);
    EXPECT_TRUE(info(id).ai.empty());
    EXPECT_TRUE(bots.empty()) << "it has no AI of its own";
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_packets > 10; }));
    EXPECT_EQ(channels->find("sales")->worker, info(id).worker);
    ends(id, model::ended(EndReason::CallerHangup));
    EXPECT_TRUE(members().empty());
    EXPECT_EQ(channels->find("sales")->worker, -1);
    EXPECT_EQ(over.back().channel, "sales");
}

TEST_F(ChannelCalls, WhoIsTakenOutIsHungUp) {
    const model::CallId id = answered("z1");
    ASSERT_TRUE(channels->remove("sales", members()[0].id));
    ASSERT_TRUE(wait_until([&] { return sip.was_asked("hangup " + id.text); }));
    EXPECT_EQ(sip.ends.back().reason, EndReason::ApiHangup);
    EXPECT_THAT(sip.ends.back().detail, HasSubstr("removed"));
    ends(id, model::ended(EndReason::ApiHangup));
}

TEST_F(ChannelCalls, AFullChannelIsBusy) {
    joins("sales");
    joins("sales");
    const model::CallId id = comes_in("z1");
    EXPECT_EQ(sip.last(), "reject " + id.text + " 486");
    EXPECT_EQ(over.back().end->reason, EndReason::LimitCalls);
    EXPECT_EQ(members().size(), 2U);
}

TEST_F(ChannelCalls, ACallThatFailsLeavesNoMember) {
    model::IncomingCall incoming;
    incoming.id = model::CallId::make();
    incoming.to_user = "z1";
    incoming.local_address = "127.0.0.1";
    incoming.offer = peer_sdp();
    incoming.offer->audio.rtp_port = 0;
    const auto id = incoming.id;
    calls->on_incoming(std::move(incoming));
    EXPECT_EQ(sip.last(), "reject " + id.text + " 488");
    EXPECT_TRUE(members().empty());
}

TEST_F(ChannelCalls, AMembersLegTakesItsPlaceAndMayComeAgain) {
    const auto member = joins("sales");
    const model::CallId id = browser_comes_in({.channel = "sales", .member = member});
    gathers();
    calls->on_answer_sent(id);
    EXPECT_EQ(members()[0].state, MemberState::Joining) << "it is not connected yet";
    verifies(id);
    EXPECT_EQ(members()[0].state, MemberState::Connected);
    EXPECT_EQ(info(id).member, member);
    EXPECT_TRUE(bots.empty());
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_packets > 0; }));
    ends(id, model::ended(EndReason::PeerVanished));
    ASSERT_EQ(members().size(), 1U) << "its signalling decides whether it leaves";
    EXPECT_EQ(members()[0].state, MemberState::Joining);

    const model::CallId again = browser_comes_in({.channel = "sales", .member = member});
    gathers();
    calls->on_answer_sent(again);
    verifies(again);
    EXPECT_EQ(members()[0].call, again);
    channels->leave(member);
    ASSERT_TRUE(wait_until([&] { return sip.was_asked("hangup " + again.text); }));
    EXPECT_EQ(sip.ends.back().reason, EndReason::CallerHangup);
    ends(again, model::ended(EndReason::CallerHangup));
}

TEST_F(ChannelCalls, APlaceThatIsGoneIsRefused) {
    const model::CallId id = browser_comes_in({.channel = "sales", .member = "m-000000000000"});
    EXPECT_EQ(sip.last(), "reject " + id.text + " 404");
    EXPECT_TRUE(ways.empty());
}

TEST_F(ChannelCalls, AMovedMembersCallSaysWhereItIs) {
    const model::CallId id = answered("z1");
    ASSERT_TRUE(channels->move("sales", info(id).member, "desk"));
    ASSERT_TRUE(wait_until([&] { return info(id).channel == "desk"; }));
    EXPECT_TRUE(wait_until([&] { return members("desk").size() == 2; })) << "with its AI";
    EXPECT_EQ(bots, std::vector<std::string>{"tone 0"});
    ends(id, model::ended(EndReason::CallerHangup));
    EXPECT_TRUE(members("desk").empty());
}

TEST_F(ChannelCalls, TheAiOfAChannelMayLeaveAndNothingElse) {
    const auto member = joins("desk");
    const model::CallId id = browser_comes_in({.channel = "desk", .member = member});
    gathers();
    calls->on_answer_sent(id);
    verifies(id);
    ASSERT_EQ(members("desk").size(), 2U);
    EXPECT_EQ(members("desk")[1].state, MemberState::Connected) << "it is built in";
    EXPECT_TRUE(wait_until([&] { return members("desk")[1].sound.heard_frames > 0; }));
    const model::CallId session = members("desk")[1].call;
    calls->on_bot_request(session, {.number = 1, .verb = ai::BotVerb::Transfer});
    EXPECT_EQ(members("desk").size(), 2U);
    calls->on_bot_request(session, {.number = 2, .verb = ai::BotVerb::HangUp});
    EXPECT_EQ(members("desk").size(), 1U);
    EXPECT_THAT(bot_news, ::testing::ElementsAre("transfer refused", "hang-up done"));
    channels->leave(member);
    ASSERT_TRUE(wait_until([&] { return sip.was_asked("hangup " + id.text); }));
    ends(id, model::ended(EndReason::CallerHangup));
}

class SupervisedCalls : public ChannelCalls {
protected:
    model::CallId supervised() {
        const model::CallId id = answered("x");
        EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_ai_frames > 5; }));
        const auto name = calls->supervise(id);
        EXPECT_TRUE(name) << (name ? "" : name.error().text());
        EXPECT_TRUE(wait_until([&] {
            return members("call-" + id.text).size() == 2 &&
                   members("call-" + id.text)[1].state == MemberState::Connected;
        }));
        return id;
    }
};

TEST_F(SupervisedCalls, TheBotSpeaksOnAndTheCallGoesBack) {
    const model::CallId id = supervised();
    EXPECT_EQ(info(id).channel, "call-" + id.text);
    EXPECT_EQ(channels->find(info(id).channel)->worker, info(id).worker) << "on the leg's worker";
    const auto mixed = info(id).stats;
    EXPECT_TRUE(wait_until([&] { return info(id).stats.voice_samples > mixed.voice_samples; }))
        << "the mixer takes the AI's sound";
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_packets > mixed.sent_packets + 10; }));
    const auto boss = joins("call-" + id.text, MemberRole::Listen);
    channels->leave(boss);
    ASSERT_TRUE(channels->close("call-" + id.text));
    ASSERT_TRUE(wait_until([&] { return info(id).channel.empty(); }));
    const auto direct = info(id).stats;
    EXPECT_TRUE(
        wait_until([&] { return info(id).stats.sent_ai_frames > direct.sent_ai_frames + 5; }));
    EXPECT_EQ(info(id).state, CallState::Answered);
    EXPECT_EQ(bots.size(), 1U) << "one AI all the time";
    EXPECT_LT(info(id).stats.voice_underruns, 10U);
    ends(id, model::ended(EndReason::CallerHangup));
}

TEST_F(SupervisedCalls, SupervisorsGoWithTheCall) {
    const model::CallId id = supervised();
    joins("call-" + id.text, MemberRole::Barge);
    ends(id, model::ended(EndReason::CallerHangup));
    EXPECT_FALSE(channels->find("call-" + id.text));
    EXPECT_TRUE(wait_until([&] { return nobody.removed == "call-ended"; }));
}

TEST_F(SupervisedCalls, TheNextAiSpeaksInTheSameChannel) {
    config.ai.push_back({.name = "next", .protocol = config::AiProtocol::Tone});
    fallback = {{ai::Fallback::Kind::Ai, "next"}};
    const model::CallId id = supervised();
    calls->on_bot_fallback(id, fallback[0]);
    EXPECT_EQ(info(id).ai, "next");
    EXPECT_EQ(members("call-" + id.text)[1].name, "next");
    const auto before = info(id).stats.voice_samples;
    EXPECT_TRUE(wait_until([&] { return info(id).stats.voice_samples > before + 1600; }));
    ends(id, model::ended(EndReason::CallerHangup));
}

TEST_F(SupervisedCalls, NotEveryCallCanBe) {
    EXPECT_EQ(calls->supervise({"c-000000000000"}).error().code, base::ErrorCode::NotFound);
    const model::CallId ringing = comes_in("x");
    EXPECT_EQ(calls->supervise(ringing).error().code, base::ErrorCode::Conflict);
    const model::CallId member = answered("z1");
    EXPECT_EQ(calls->supervise(member).error().code, base::ErrorCode::Conflict);
    ends(ringing, model::ended(EndReason::CallerCancelled));
    ends(member, model::ended(EndReason::CallerHangup));
}

}  // namespace
}  // namespace offhook::call::testing
