#include "session/inbound_loss.h"

#include <gtest/gtest.h>

namespace offhook {
namespace {

using session::InboundLoss;

double dropped_share() {
    constexpr int kMany = 20'000;
    int dropped = 0;
    for (int i = 0; i < kMany; ++i) dropped += InboundLoss::drops() ? 1 : 0;
    return static_cast<double>(dropped) / kMany;
}

TEST(InboundLoss, DropsTheShareThatIsAskedFor) {
    EXPECT_EQ(dropped_share(), 0);
    InboundLoss::set(0.1);
    EXPECT_NEAR(dropped_share(), 0.1, 0.01);
    InboundLoss::set(1);
    EXPECT_GT(dropped_share(), 0.999);
    InboundLoss::set(0);
    EXPECT_EQ(dropped_share(), 0);
}

}  // namespace
}  // namespace offhook
