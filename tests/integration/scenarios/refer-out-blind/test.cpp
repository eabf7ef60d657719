#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, ReferOutBlind) {
    start();
    Sipp peer = play("refer-out-blind/caller");
    const std::string id = answered_call();
    ASSERT_FALSE(id.empty());
    EXPECT_EQ(post(id, "transfer", R"({"target":"sip:300@example.test"})").status, 202);
    EXPECT_TRUE(peer.succeeds()) << peer.problem();
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "transferred");
}

}  // namespace
}  // namespace offhook::harness
