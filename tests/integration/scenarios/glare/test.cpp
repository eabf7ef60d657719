#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, Glare) {
    start();
    Sipp peer = play("glare/caller");
    const std::string id = answered_call();
    ASSERT_FALSE(id.empty());
    EXPECT_EQ(post(id, "hold").status, 202);
    ASSERT_TRUE(becomes(id, "is_held_by_us", "true"));
    EXPECT_EQ(post(id, "hangup").status, 202);
    EXPECT_TRUE(peer.succeeds()) << peer.problem();
}

}  // namespace
}  // namespace offhook::harness
