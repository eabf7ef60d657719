#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, HoldByThem) {
    start();
    EXPECT_TRUE(plays("hold-by-them/caller"));
}

}  // namespace
}  // namespace offhook::harness
