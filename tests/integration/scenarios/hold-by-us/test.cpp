#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, HoldByUs) {
    start();
    Sipp peer = play("hold-by-us/caller");
    const std::string id = answered_call();
    ASSERT_FALSE(id.empty());
    EXPECT_EQ(post(id, "hold").status, 202);
    ASSERT_TRUE(becomes(id, "is_held_by_us", "true"));
    EXPECT_EQ(post(id, "resume").status, 202);
    ASSERT_TRUE(becomes(id, "is_held_by_us", "false"));
    EXPECT_EQ(post(id, "hangup").status, 202);
    EXPECT_TRUE(peer.succeeds()) << peer.problem();
}

}  // namespace
}  // namespace offhook::harness
