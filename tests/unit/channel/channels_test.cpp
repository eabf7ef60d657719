// The book of channels: who is in which, who is told, and what their legs hear.
#include <gmock/gmock.h>

#include "channels_rig.h"

namespace offhook::channel::testing {
namespace {

using base::ErrorCode;
using model::MemberKind;
using model::MemberRole;
using model::MemberState;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ChannelBook : public ChannelsRig {};

TEST_F(ChannelBook, NamesAndLimits) {
    const auto refused = [&](model::ChannelOrder order) {
        const auto made = channels->create(order);
        return made ? ErrorCode::Internal : made.error().code;
    };
    EXPECT_EQ(refused({.name = "sales", .ai = {}}), ErrorCode::Conflict);
    EXPECT_EQ(refused({.name = "a b", .ai = {}}), ErrorCode::InvalidArgument);
    EXPECT_EQ(refused({.name = "", .ai = {}}), ErrorCode::InvalidArgument);
    EXPECT_EQ(refused({.name = "call-1", .ai = {}}), ErrorCode::InvalidArgument);
    EXPECT_EQ(refused({.name = "ws", .ai = {}}), ErrorCode::InvalidArgument);
    EXPECT_EQ(refused({.name = "b", .ai = "nobody"}), ErrorCode::InvalidArgument);
    for (std::size_t i = channels->channels().size(); i < Channels::kMaxChannels; ++i)
        ASSERT_TRUE(channels->create({.name = "c" + std::to_string(i), .ai = {}}));
    EXPECT_EQ(refused({.name = "one-more", .ai = {}}), ErrorCode::LimitReached);
    ASSERT_TRUE(channels->close("c7"));
    EXPECT_TRUE(channels->create({.name = "one-more", .ai = {}}));
    EXPECT_EQ(channels->close("c7").error().code, ErrorCode::NotFound);
}

TEST_F(ChannelBook, IsFullAt32AndStringsAreEscaped) {
    Hearer hearer;
    const auto first = joins(hearer, "anna\n\x1b[2J");
    EXPECT_EQ(info(first).user, "anna\\x0A\\x1B[2J");
    for (int i = 1; i < 32; ++i) joins(hearer, "x");
    const auto refused = channels->join({.channel = "sales", .user = "y", .name = {}}, hearer);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_EQ(channels->join({.channel = "nowhere", .user = "y", .name = {}}, hearer).error().code,
              ErrorCode::NotFound);
    EXPECT_EQ(
        channels
            ->join({.channel = "sales", .user = "y", .name = {}, .role = MemberRole::Ai}, hearer)
            .error()
            .code,
        ErrorCode::InvalidArgument);
}

TEST_F(ChannelBook, AllThatHappensInATurnIsToldOnce) {
    Hearer anna;
    Hearer bert;
    const auto a = joins(anna, "anna");
    const auto b = joins(bert, "bert");
    ASSERT_TRUE(channels->mute_self(a, true));
    EXPECT_TRUE(anna.told.empty()) << "from the loop";
    turn();
    EXPECT_THAT(anna.told, ElementsAre("members sales 2"));
    EXPECT_THAT(bert.told, ElementsAre("members sales 2"));
    EXPECT_TRUE(bert.last.members[0].is_muted);
    EXPECT_FALSE(bert.last.members[0].is_muted_by_operator);
    ASSERT_TRUE(channels->set_away(b, true));
    turn();
    EXPECT_EQ(anna.last.members[1].state, MemberState::Away);
    channels->leave(b);
    turn();
    EXPECT_THAT(bert.told, ElementsAre("members sales 2", "members sales 2"))
        << "who leaves hears nothing of it";
    EXPECT_EQ(anna.told.back(), "members sales 1");
    EXPECT_EQ(channels->set_away(b, false).error().code, ErrorCode::NotFound);
}

TEST_F(ChannelBook, WhoIsTakenOutIsToldAndItsLegEnds) {
    Hearer anna;
    Hearer bert;
    const auto a = joins(anna, "anna");
    const auto b = joins(bert, "bert");
    FakeLeg line = leg();
    ASSERT_TRUE(channels->seat_leg(a, line.seated()));
    EXPECT_EQ(info(a).state, MemberState::Connected);
    EXPECT_EQ(info(b).state, MemberState::Joining);
    ASSERT_TRUE(channels->remove("sales", a));
    EXPECT_TRUE(ended.empty()) << "from the loop";
    turn();
    EXPECT_EQ(anna.told.back(), "removed removed");
    EXPECT_THAT(ended, ElementsAre(line.call.text + " removed"));
    ASSERT_TRUE(channels->close("sales"));
    turn();
    EXPECT_EQ(bert.told.back(), "removed channel-closed");
    EXPECT_TRUE(channels->channels().empty());
    EXPECT_EQ(mixers, 0);
}

TEST_F(ChannelBook, WhoGoesBeforeItIsToldIsNotTold) {
    auto anna = std::make_unique<Hearer>();
    const auto a = joins(*anna, "anna");
    ASSERT_TRUE(channels->remove("sales", a));
    channels->leave(a);
    anna.reset();
    turn();
}

TEST_F(ChannelBook, AnOperatorsOrdersAreChecked) {
    Hearer anna;
    const auto a = joins(anna, "anna");
    EXPECT_EQ(channels->set_gain("sales", a, 21).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(channels->set_gain("sales", a, NAN).error().code, ErrorCode::InvalidArgument);
    ASSERT_TRUE(channels->set_gain("sales", a, -6));
    EXPECT_EQ(info(a).gain_db, -6);
    EXPECT_EQ(channels->set_gain("other", a, 0).error().code, ErrorCode::NotFound);
    EXPECT_EQ(channels->set_role("sales", a, MemberRole::Caller).error().code,
              ErrorCode::InvalidArgument);
    ASSERT_TRUE(channels->set_role("sales", a, MemberRole::Listen));
    EXPECT_EQ(info(a).role, MemberRole::Listen);
    ASSERT_TRUE(channels->mute("sales", a, true));
    ASSERT_TRUE(channels->mute_self(a, false));
    EXPECT_TRUE(info(a).is_muted) << "an operator's word is not its own to take back";
    EXPECT_EQ(channels->remove("sales", "m-none").error().code, ErrorCode::NotFound);
}

class ChannelSounds : public ChannelsRig {};

TEST_F(ChannelSounds, EachHearsTheOthersAndTheMixerGoesWithTheLast) {
    Hearer hearer;
    const auto a = joins(hearer, "anna");
    const auto b = joins(hearer, "bert");
    FakeLeg anna = leg();
    FakeLeg bert = leg();
    EXPECT_EQ(mixers, 0) << "nobody has sound";
    ASSERT_TRUE(channels->seat_leg(a, anna.seated()));
    ASSERT_TRUE(channels->seat_leg(b, bert.seated()));
    EXPECT_EQ(mixers, 1);
    EXPECT_TRUE(hears(bert, anna));
    std::array<std::int16_t, 320> own{};
    anna.seat->to_leg.read(own);
    EXPECT_LT(strength(own, 1000), 0.05) << "nobody hears itself";
    EXPECT_TRUE(wait_until([&] { return info(a).sound.heard_frames > 0; }));
    ASSERT_TRUE(channels->find("sales"));
    EXPECT_GT(channels->find("sales")->mixed_frames, 0U);

    channels->unseat_leg(anna.call);
    EXPECT_EQ(info(a).state, MemberState::Joining) << "it may come with another leg";
    EXPECT_EQ(mixers, 1);
    channels->unseat_leg(bert.call);
    EXPECT_EQ(mixers, 0);
    EXPECT_EQ(channels->find("sales")->members.size(), 2U);
}

TEST_F(ChannelSounds, WhoSpeaksIsToldAndWhoIsMutedDoesNot) {
    Hearer hearer;
    const auto a = joins(hearer, "anna");
    const auto b = joins(hearer, "bert");
    FakeLeg anna = leg();
    FakeLeg bert = leg();
    ASSERT_TRUE(channels->seat_leg(a, anna.seated()));
    ASSERT_TRUE(channels->seat_leg(b, bert.seated()));
    std::size_t position = 0;
    EXPECT_TRUE(wait_until([&] {
        anna.seat->from_leg.write(tone(500, position));
        return hearer.heard("speaking " + a);
    }));
    ASSERT_TRUE(channels->mute("sales", a, true));
    EXPECT_TRUE(wait_until([&] {
        anna.seat->from_leg.write(tone(500, position));
        return hearer.told.back() == "speaking";
    }));
}

TEST_F(ChannelSounds, AMovedMemberIsHeardWhereItIs) {
    ASSERT_TRUE(channels->create({.name = "support", .ai = {}}));
    Hearer anna;
    Hearer bert;
    Hearer carl;
    const auto a = joins(anna, "anna");
    const auto b = joins(bert, "bert");
    const auto c = joins(carl, "carl", MemberRole::Speaker, "support");
    FakeLeg one = leg();
    FakeLeg two = leg();
    FakeLeg three = leg();
    ASSERT_TRUE(channels->seat_leg(a, one.seated()));
    ASSERT_TRUE(channels->seat_leg(b, two.seated()));
    ASSERT_TRUE(channels->seat_leg(c, three.seated()));
    const auto seat = one.seat;
    ASSERT_TRUE(channels->move("sales", a, "support"));
    turn();
    EXPECT_TRUE(anna.heard("moved support"));
    EXPECT_EQ(one.seat, seat) << "the leg keeps its seat";
    EXPECT_THAT(places, ElementsAre(one.call.text + " in support"));
    EXPECT_EQ(channels->channel_of(a), "support");
    EXPECT_TRUE(hears(three, one));
    EXPECT_TRUE(hears(one, three));
    EXPECT_EQ(channels->move("support", a, "nowhere").error().code, ErrorCode::NotFound);
    EXPECT_EQ(mixers, 2);
}

TEST_F(ChannelSounds, ANewLegOfAMemberReplacesTheOld) {
    Hearer anna;
    const auto a = joins(anna, "anna");
    FakeLeg first = leg();
    FakeLeg second = leg();
    ASSERT_TRUE(channels->seat_leg(a, first.seated()));
    ASSERT_TRUE(channels->seat_leg(a, second.seated()));
    turn();
    EXPECT_THAT(ended, ElementsAre(first.call.text + " replaced"));
    channels->unseat_leg(first.call);
    EXPECT_EQ(info(a).state, MemberState::Connected) << "the end of the old one is nothing to it";
    EXPECT_EQ(info(a).call, second.call);
}

class ChannelAis : public ChannelsRig {
protected:
    void SetUp() override {
        ChannelsRig::SetUp();
        ASSERT_TRUE(channels->create({.name = "desk", .ai = "desk"}));
    }
    [[nodiscard]] std::vector<model::MemberInfo> members() const {
        return channels->find("desk")->members;
    }
};

TEST_F(ChannelAis, ComesWithTheFirstThatHasSoundAndGoesWithTheLast) {
    comes = AiComes::Soon;
    Hearer hearer;
    const auto a = joins(hearer, "anna", MemberRole::Speaker, "desk");
    EXPECT_TRUE(ais.empty());
    FakeLeg line = leg();
    ASSERT_TRUE(channels->seat_leg(a, line.seated()));
    ASSERT_EQ(ais.size(), 1U);
    EXPECT_EQ(ais[0].ai, "desk");
    EXPECT_EQ(ais[0].port->sample_rate_hz, 16000U);
    ASSERT_EQ(members().size(), 2U);
    EXPECT_EQ(members()[1].kind, MemberKind::Ai);
    EXPECT_EQ(members()[1].state, MemberState::Joining);
    channels->on_ai_state(ais[0].session, true, false);
    EXPECT_EQ(members()[1].state, MemberState::Connected);
    channels->on_ai_state(ais[0].session, false, true);
    EXPECT_EQ(members()[1].state, MemberState::Away);

    // The AI hears her through its port.
    std::size_t position = 0;
    EXPECT_TRUE(wait_until([&] {
        line.seat->from_leg.write(tone(700, position));
        return ais[0].port->tap.written_samples() > 0;
    }));
    channels->leave(a);
    EXPECT_THAT(dismissed, ElementsAre(ais[0].session.text));
    EXPECT_TRUE(members().empty());
    EXPECT_EQ(mixers, 0);
    turn();
    EXPECT_THAT(ended, ElementsAre(line.call.text + " left")) << "an AI has no leg";
}

TEST_F(ChannelAis, ThatHungUpComesBackOnceTheChannelWasEmpty) {
    Hearer hearer;
    const auto a = joins(hearer, "anna", MemberRole::Speaker, "desk");
    FakeLeg first = leg();
    ASSERT_TRUE(channels->seat_leg(a, first.seated()));
    channels->on_ai_gone(ais[0].session);
    EXPECT_EQ(members().size(), 1U);
    const auto b = joins(hearer, "bert", MemberRole::Speaker, "desk");
    FakeLeg second = leg();
    ASSERT_TRUE(channels->seat_leg(b, second.seated()));
    EXPECT_EQ(ais.size(), 1U);
    channels->leave(a);
    channels->leave(b);
    const auto c = joins(hearer, "carl", MemberRole::Speaker, "desk");
    FakeLeg third = leg();
    ASSERT_TRUE(channels->seat_leg(c, third.seated()));
    EXPECT_EQ(ais.size(), 2U);
}

TEST_F(ChannelAis, CannotMoveAndKeepsItsRole) {
    Hearer hearer;
    const auto a = joins(hearer, "anna", MemberRole::Speaker, "desk");
    FakeLeg line = leg();
    ASSERT_TRUE(channels->seat_leg(a, line.seated()));
    const auto ai = members()[1].id;
    EXPECT_EQ(channels->move("desk", ai, "sales").error().code, ErrorCode::Conflict);
    EXPECT_EQ(channels->set_role("desk", ai, MemberRole::Listen).error().code, ErrorCode::Conflict);
    EXPECT_TRUE(channels->mute("desk", ai, true));
    ASSERT_TRUE(channels->remove("desk", ai));
    EXPECT_EQ(members().size(), 1U);
    EXPECT_EQ(dismissed.size(), 1U);
}

}  // namespace
}  // namespace offhook::channel::testing
