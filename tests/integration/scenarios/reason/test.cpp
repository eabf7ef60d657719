#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, Reason) {
    start();
    EXPECT_TRUE(plays("reason/caller"));
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "caller-hangup");
    EXPECT_NE(daemon_->process().output().find("Q.850;cause=41"), std::string::npos);
}

}  // namespace
}  // namespace offhook::harness
