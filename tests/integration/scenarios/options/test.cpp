#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, Options) {
    start();
    EXPECT_TRUE(plays("options/outside"));
    EXPECT_TRUE(plays("options/inside"));
}

}  // namespace
}  // namespace offhook::harness
