#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, Message) {
    start();
    Sipp peer = play("message/caller");
    const std::string id = answered_call();
    ASSERT_FALSE(id.empty());
    EXPECT_EQ(post(id, "message", R"({"body":"from us","headers":{"X-Order":"4711"}})").status,
              202);
    EXPECT_TRUE(peer.succeeds()) << peer.problem();
    EXPECT_TRUE(plays("message/outside"));
    const Json texts = daemon_->json("/api/v1/messages");
    EXPECT_EQ(texts.size("items"), 3U);
}

}  // namespace
}  // namespace offhook::harness
