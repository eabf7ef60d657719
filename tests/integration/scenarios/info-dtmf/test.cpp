#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, InfoDtmf) {
    start();
    EXPECT_TRUE(plays("info-dtmf/caller"));
}

}  // namespace
}  // namespace offhook::harness
