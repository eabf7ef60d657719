#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, Cancel) {
    Daemon::Options options;
    options.sip = "answer_delay_ms = 20000\n";
    start(options);
    EXPECT_TRUE(plays("cancel/caller"));
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "answered-elsewhere");
}

}  // namespace
}  // namespace offhook::harness
