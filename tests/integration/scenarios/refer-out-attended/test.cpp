#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, ReferOutAttended) {
    start();
    Sipp consulted = play("refer-out-attended/consulted");
    const std::string other = answered_call();
    Sipp caller = play("refer-out-attended/caller");
    const std::string id = answered_call();
    ASSERT_FALSE(id.empty());
    EXPECT_EQ(post(id, "transfer", R"({"call":")" + other + R"("})").status, 202);
    EXPECT_TRUE(caller.succeeds()) << caller.problem();
    EXPECT_TRUE(consulted.succeeds()) << consulted.problem();
}

}  // namespace
}  // namespace offhook::harness
