#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, Update) {
    start();
    EXPECT_TRUE(plays("update/caller"));
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "caller-hangup");
}

}  // namespace
}  // namespace offhook::harness
