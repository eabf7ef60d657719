#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

TEST_F(ScenarioTest, Facts) {
    start();
    Sipp peer = play("facts/caller");
    const std::string id = answered_call();
    ASSERT_FALSE(id.empty());
    const std::string text = daemon_->get("/api/v1/calls/" + id).body;
    EXPECT_NE(text.find("+1555@pbx.test"), std::string::npos) << text;
    EXPECT_NE(text.find("reason=no-answer"), std::string::npos) << text;
    EXPECT_NE(text.find("index=1"), std::string::npos) << text;
    EXPECT_NE(text.find("sales"), std::string::npos) << text;
    EXPECT_TRUE(peer.succeeds()) << peer.problem();
}

}  // namespace
}  // namespace offhook::harness
