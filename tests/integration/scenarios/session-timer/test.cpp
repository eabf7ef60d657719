#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

// The two that have to wait run beside each other.
TEST_F(ScenarioTest, SessionTimer) {
    start();
    Sipp refresher = play("session-timer/refresher");
    Sipp lapse = play("session-timer/lapse");
    EXPECT_TRUE(plays("session-timer/refreshed"));
    EXPECT_TRUE(plays("session-timer/too-small"));
    EXPECT_TRUE(refresher.succeeds(seconds(100))) << refresher.problem();
    EXPECT_TRUE(lapse.succeeds(seconds(100))) << lapse.problem();
    std::set<std::string> reasons;
    for (int i = 0; i < 3; ++i) {
        const auto ended = daemon_->wait_event("call.ended");
        ASSERT_TRUE(ended);
        reasons.insert(ended->text("reason"));
    }
    EXPECT_EQ(reasons, (std::set<std::string>{"caller-hangup", "session-timer"}));
}

}  // namespace
}  // namespace offhook::harness
