#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, Replaces) {
    start();
    Sipp replaced = play("replaces/replaced");
    ASSERT_FALSE(answered_call().empty());
    Sipp caller = play("replaces/caller", {"-key", "replaces", dialog_of(replaced)});
    EXPECT_TRUE(caller.succeeds()) << caller.problem();
    EXPECT_TRUE(replaced.succeeds()) << replaced.problem();
    EXPECT_TRUE(plays("replaces/nobody"));
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "replaced");
}

}  // namespace
}  // namespace offhook::harness
