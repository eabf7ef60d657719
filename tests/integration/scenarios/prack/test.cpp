#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, Prack) {
    Daemon::Options options;
    options.sip = "answer_delay_ms = 1000\n";
    start(options);
    EXPECT_TRUE(plays("prack/caller"));
}

}  // namespace
}  // namespace offhook::harness
