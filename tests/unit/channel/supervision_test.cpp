// A call that is supervised leaves its direct path and comes back to it, and its AI's port has one
// reader at any time.
#include <gmock/gmock.h>

#include "channels_rig.h"

namespace offhook::channel::testing {
namespace {

using base::ErrorCode;
using model::MemberRole;
using model::MemberState;
using ::testing::ElementsAre;

class Supervision : public ChannelsRig {
protected:
    void SetUp() override {
        ChannelsRig::SetUp();
        line = leg();
        line.log = &log;
        name = "call-" + line.call.text;
    }
    base::Result<std::string> supervise() {
        return channels->supervise({.name = "Anna",
                                    .kind = model::MemberKind::Phone,
                                    .leg = line.seated(),
                                    .port = port,
                                    .ai = "desk",
                                    .is_ai_live = true});
    }
    [[nodiscard]] bool is_mixed() const {
        const auto channel = channels->find(name);
        return channel && channel->members.size() >= 2 &&
               channel->members[1].state == MemberState::Connected;
    }
    /// The AI says so much.
    void says(int samples) {
        std::vector<std::int16_t> pcm(static_cast<std::size_t>(samples), 4000);
        port->voice.write(pcm);
    }

    FakeLeg line;
    std::shared_ptr<model::AudioPort> port = std::make_shared<model::AudioPort>(16000);
    std::vector<std::string> log;
    std::string name;
    Hearer hearer;
};

TEST_F(Supervision, TheCallBecomesAChannelAndGoesBackAfterTheLastSupervisor) {
    ASSERT_EQ(*supervise(), name);
    EXPECT_THAT(log, ElementsAre("leg sits"));
    EXPECT_FALSE(is_mixed()) << "not before the leg has its seat";
    ASSERT_TRUE(wait_until([&] { return is_mixed(); }));
    auto channel = channels->find(name);
    EXPECT_EQ(channel->policy, model::ChannelPolicy::Supervised);
    EXPECT_EQ(channel->members[0].role, MemberRole::Caller);
    EXPECT_EQ(channel->members[0].name, "Anna");
    EXPECT_EQ(channel->members[1].name, "desk");
    EXPECT_THAT(places, ElementsAre(line.call.text + " in " + name));

    const auto boss = joins(hearer, "boss", MemberRole::Listen, name);
    ASSERT_EQ(*supervise(), name) << "one channel, whoever asks";
    FakeLeg ear = leg();
    ASSERT_TRUE(channels->seat_leg(boss, ear.seated()));
    EXPECT_TRUE(hears(ear, line));
    EXPECT_GT(port->tap.written_samples(), 0U) << "the AI hears the caller";

    channels->leave(boss);
    ASSERT_TRUE(channels->close(name)) << "nobody else is waited for";
    ASSERT_TRUE(wait_until([&] { return !channels->find(name); }));
    EXPECT_THAT(log, ElementsAre("leg sits", "leg stands"));
    EXPECT_EQ(line.seat, nullptr);
    EXPECT_EQ(mixers, 0);
    turn();
    EXPECT_EQ(places.back(), line.call.text + " in ");
    EXPECT_THAT(ended, ElementsAre(ear.call.text + " left")) << "the caller's leg goes on";
}

TEST_F(Supervision, TheAiSpeaksThroughTheMix) {
    ASSERT_TRUE(supervise());
    ASSERT_TRUE(wait_until([&] { return is_mixed(); }));
    says(16000);
    std::array<std::int16_t, 320> frame{};
    EXPECT_TRUE(wait_until([&] {
        return line.seat->to_leg.read(frame) == model::SoundLane::Read::Frame && frame[319] > 3500;
    }));
}

TEST_F(Supervision, SupervisorsAreToldThatTheCallEnded) {
    ASSERT_TRUE(supervise());
    ASSERT_TRUE(wait_until([&] { return is_mixed(); }));
    const auto boss = joins(hearer, "boss", MemberRole::Barge, name);
    FakeLeg ear = leg();
    ASSERT_TRUE(channels->seat_leg(boss, ear.seated()));
    channels->unseat_leg(line.call);
    EXPECT_FALSE(channels->find(name));
    EXPECT_EQ(mixers, 0);
    turn();
    EXPECT_EQ(hearer.told.back(), "removed call-ended");
    EXPECT_THAT(ended, ElementsAre(ear.call.text + " call-ended"));
    EXPECT_TRUE(dismissed.empty()) << "the AI is the call's, not the channel's";
}

TEST_F(Supervision, TheCallMayEndWhileItChangesItsPath) {
    ASSERT_TRUE(supervise());
    channels->unseat_leg(line.call);
    EXPECT_FALSE(channels->find(name));
    turn();
    ASSERT_TRUE(supervise());
    ASSERT_TRUE(wait_until([&] { return is_mixed(); }));
    ASSERT_TRUE(channels->close(name));
    channels->unseat_leg(line.call);
    worker->run_and_wait([] {});
    turn();
    EXPECT_FALSE(channels->find(name));
}

TEST_F(Supervision, WhoComesWhileItGoesBackKeepsIt) {
    ASSERT_TRUE(supervise());
    ASSERT_TRUE(wait_until([&] { return is_mixed(); }));
    ASSERT_TRUE(channels->close(name));
    EXPECT_FALSE(channels->join(
        {.channel = name, .user = "x", .name = {}, .role = MemberRole::Barge}, hearer));
    ASSERT_TRUE(supervise()) << "on its way back";
    joins(hearer, "boss", MemberRole::Listen, name);
    ASSERT_TRUE(wait_until([&] { return is_mixed(); }));
    EXPECT_THAT(log, ElementsAre("leg sits", "leg stands", "leg sits"));
}

TEST_F(Supervision, OnlySupervisorsComeAndTheCallsOwnSideStays) {
    ASSERT_TRUE(supervise());
    ASSERT_TRUE(wait_until([&] { return is_mixed(); }));
    const auto refused = channels->join({.channel = name, .user = "x", .name = {}}, hearer);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Denied);
    const auto caller = channels->find(name)->members[0].id;
    const auto ai = channels->find(name)->members[1].id;
    EXPECT_EQ(channels->remove(name, caller).error().code, ErrorCode::Conflict);
    EXPECT_EQ(channels->remove(name, ai).error().code, ErrorCode::Conflict);
    EXPECT_EQ(channels->move(name, caller, "sales").error().code, ErrorCode::Conflict);
    const auto boss = joins(hearer, "boss", MemberRole::Listen, name);
    EXPECT_EQ(channels->set_role(name, boss, MemberRole::Speaker).error().code,
              ErrorCode::Conflict);
    EXPECT_TRUE(channels->set_role(name, boss, MemberRole::TakeOver));
    channels->leave(caller);
    EXPECT_EQ(channels->find(name)->members.size(), 3U);
}

TEST_F(Supervision, AnotherAiHasTheSamePort) {
    ASSERT_TRUE(supervise());
    ASSERT_TRUE(wait_until([&] { return is_mixed(); }));
    channels->set_call_ai(line.call, "fallback", false);
    EXPECT_EQ(channels->find(name)->members[1].name, "fallback");
    EXPECT_EQ(channels->find(name)->members[1].state, MemberState::Joining);
    channels->on_ai_state(line.call, true, false);
    EXPECT_EQ(channels->find(name)->members[1].state, MemberState::Connected);
}

TEST_F(Supervision, AMembersLegIsNotSupervised) {
    const auto a = joins(hearer, "anna");
    ASSERT_TRUE(channels->seat_leg(a, line.seated()));
    const auto refused = supervise();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
}

}  // namespace
}  // namespace offhook::channel::testing
