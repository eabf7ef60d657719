#include "base/timestamp.h"

#include <gtest/gtest.h>

namespace offhook::base {
namespace {

TEST(Timestamp, IsRfc3339UtcWithMilliseconds) {
    EXPECT_EQ(rfc3339_utc_ms(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339_utc_ms(1'795'176'000'007'999'999), "2026-11-20T12:00:00.007Z");
}

}  // namespace
}  // namespace offhook::base
