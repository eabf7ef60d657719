// What takes its time: the full 30 s of the original failure, and a PBX that restarts, loses
// connections or refuses to register while a call is up.

#include "pbx/phones.h"
#include "pbx/proof.h"

namespace offhook::harness {
namespace {

using Location = Pbx::Location;

class SlowProofTest : public ProofTest {};

// The numbers of the original: 30 s, a phone that answers and stays silent, and Offhook beside it.
TEST_F(SlowProofTest, ThirtySeconds) {
    Pbx::Options options;
    options.users = {{"mute"}, {"offhook"}};
    options.no_media_limit = seconds(30);
    start_pbx(options, {});
    start_daemon({});
    pbx_->add_contact("offhook", daemon_->uri("offhook"));
    SippPhone mute(folder_, *pbx_, "mute", "white-rabbit");
    mute.answer(Sound{});
    const auto lost = call("mute", seconds(33));
    const auto kept = call("offhook", seconds(40));
    expect_ended_by_caller(*lost);
    expect_ended_by_caller(*kept);
    const auto diversions = pbx_->diversions();
    ASSERT_EQ(diversions.size(), 1U);
    EXPECT_NEAR(diversions.front().after_answer_s, 30, 1);
    EXPECT_TRUE(mute.is_hung_up(seconds(5))) << mute.problem();
    EXPECT_NE(mute.bye().find("Reason: SIP;cause=480"), std::string::npos) << mute.bye();
    expect_steady(1, 39.9);
}

// Over UDP nobody tells the phone of a restart; what the registrar kept is enough.
TEST_F(SlowProofTest, PbxRestartsMidCallOverUdp) {
    Pbx::Options options;
    options.users = {{"udp"}};
    start_pbx(options, {});
    start_daemon({});
    pbx_->add_contact("udp", daemon_->uri("udp"));
    const auto caller = call("udp", seconds(12));
    expect_live_calls(1);
    pbx_->stop_proxy();
    ASSERT_TRUE(stays_alive(daemon_->process(), seconds(5)));
    pbx_->start_proxy(Location::Kept);
    expect_next_call("udp");
    expect_ended_by_caller(*caller);
    expect_steady(1, 11.9);
    expect_callers_undisturbed(1, 11.9);
}

}  // namespace
}  // namespace offhook::harness
