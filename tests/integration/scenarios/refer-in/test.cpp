#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, ReferIn) {
    start();
    EXPECT_TRUE(plays("refer-in/caller"));
}

}  // namespace
}  // namespace offhook::harness
