// Which address the sockets of a call get, and which our SDP names.
#include "media/media_address.h"

#include <gtest/gtest.h>

namespace offhook::media {
namespace {

MediaAddress chosen(const AddressFacts& facts) {
    const auto address = choose_media_address(facts);
    EXPECT_TRUE(address) << (address ? "" : address.error().text());
    return address.value_or(MediaAddress());
}

TEST(MediaAddressTest, FollowsTheSipFlow) {
    auto address = chosen({.flow_local = "192.0.2.10", .remote = "192.0.2.20"});
    EXPECT_EQ(address.bind, "192.0.2.10");
    EXPECT_EQ(address.advertise, "192.0.2.10");
    address = chosen({.flow_local = "2001:db8::10", .remote = "2001:db8::20"});
    EXPECT_EQ(address.bind, "2001:db8::10");
    // An offer of ours: nobody is named yet.
    EXPECT_EQ(chosen({.flow_local = "192.0.2.10"}).bind, "192.0.2.10");
}

TEST(MediaAddressTest, LoopbackStaysLoopback) {
    const auto address =
        chosen({.learned = "198.51.100.7", .flow_local = "127.0.0.1", .remote = "127.0.0.1"});
    EXPECT_EQ(address.bind, "127.0.0.1");
    EXPECT_EQ(address.advertise, "127.0.0.1") << "what STUN told is for the world outside";
    EXPECT_EQ(chosen({.flow_local = "::1", .remote = "::1"}).advertise, "::1");
}

TEST(MediaAddressTest, WhatIsConfiguredWins) {
    auto address = chosen({.configured = "192.0.2.9",
                           .advertise = "203.0.113.5",
                           .learned = "198.51.100.7",
                           .flow_local = "192.0.2.10",
                           .remote = "192.0.2.20"});
    EXPECT_EQ(address.bind, "192.0.2.9");
    EXPECT_EQ(address.advertise, "203.0.113.5");
    address = chosen({.configured = "0.0.0.0", .advertise = "203.0.113.5", .remote = "192.0.2.20"});
    EXPECT_EQ(address.bind, "0.0.0.0");
    EXPECT_EQ(address.advertise, "203.0.113.5");
    address = chosen({.configured = "0.0.0.0", .flow_local = "192.0.2.10", .remote = "192.0.2.20"});
    EXPECT_EQ(address.advertise, "192.0.2.10");
}

TEST(MediaAddressTest, WhatStunToldIsNamedBehindNat) {
    const auto address =
        chosen({.learned = "198.51.100.7", .flow_local = "10.0.0.2", .remote = "203.0.113.9"});
    EXPECT_EQ(address.bind, "10.0.0.2");
    EXPECT_EQ(address.advertise, "198.51.100.7");
    // Of the other family it is no use.
    EXPECT_EQ(
        chosen({.learned = "198.51.100.7", .flow_local = "2001:db8::10", .remote = "2001:db8::20"})
            .advertise,
        "2001:db8::10");
}

TEST(MediaAddressTest, TheOfferDecidesTheFamily) {
    // SIP over IPv4, sound over IPv6: the kernel knows from where it would send.
    const auto address = chosen({.flow_local = "127.0.0.1", .remote = "::1"});
    EXPECT_EQ(address.bind, "::1");
    EXPECT_EQ(address.advertise, "::1");
    EXPECT_TRUE(address.reaches("::1"));
    EXPECT_FALSE(address.reaches("127.0.0.1"));
    EXPECT_EQ(chosen({.configured = "0.0.0.0", .flow_local = "127.0.0.1", .remote = "::1"}).bind,
              "::");
    EXPECT_EQ(chosen({.advertise = "203.0.113.5", .remote = "::1"}).advertise, "::1");
    const auto refused = choose_media_address({.configured = "127.0.0.1", .remote = "::1"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::ErrorCode::Unsupported);
}

TEST(MediaAddressTest, OldStyleHoldNamesNobody) {
    EXPECT_EQ(chosen({.flow_local = "127.0.0.1", .remote = "0.0.0.0"}).bind, "127.0.0.1");
}

}  // namespace
}  // namespace offhook::media
