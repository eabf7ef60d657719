#include "config/cidr.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <vector>

namespace offhook::config {
namespace {

using ::testing::HasSubstr;

bool contains(const char* block, std::string_view address) {
    const auto cidr = Cidr::parse(block);
    EXPECT_TRUE(cidr) << block;
    return cidr && cidr->contains(address);
}

TEST(Cidr, Ipv4) {
    EXPECT_TRUE(contains("127.0.0.0/8", "127.255.0.1"));
    EXPECT_FALSE(contains("127.0.0.0/8", "128.0.0.1"));
    EXPECT_TRUE(contains("10.1.2.3", "10.1.2.3"));
    EXPECT_FALSE(contains("10.1.2.3", "10.1.2.4"));
    EXPECT_TRUE(contains("0.0.0.0/0", "255.255.255.255"));
    EXPECT_TRUE(contains("10.0.0.128/25", "10.0.0.129"));
    EXPECT_FALSE(contains("10.0.0.128/25", "10.0.0.127"));
}

TEST(Cidr, Ipv6) {
    EXPECT_TRUE(contains("fd00::/8", "fdff::1"));
    EXPECT_FALSE(contains("fd00::/8", "fe80::1"));
    EXPECT_TRUE(contains("::1/128", "[::1]"));
    EXPECT_FALSE(contains("::1/128", "::2"));
}

TEST(Cidr, MappedIpv6IsIpv4OnEitherSide) {
    EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    EXPECT_TRUE(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
    EXPECT_FALSE(contains("::ffff:10.0.0.0/104", "11.1.2.3"));
    EXPECT_FALSE(contains("::/0", "10.1.2.3"));
    EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
}

TEST(Cidr, Sockaddr) {
    const auto block = Cidr::parse("10.0.0.0/8");
    ASSERT_TRUE(block);
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    inet_pton(AF_INET, "10.9.8.7", &v4.sin_addr);
    EXPECT_TRUE(block->contains(reinterpret_cast<const sockaddr*>(&v4)));
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    inet_pton(AF_INET6, "::ffff:10.9.8.7", &v6.sin6_addr);
    EXPECT_TRUE(block->contains(reinterpret_cast<const sockaddr*>(&v6)));
    inet_pton(AF_INET6, "fd00::1", &v6.sin6_addr);
    EXPECT_FALSE(block->contains(reinterpret_cast<const sockaddr*>(&v6)));
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    EXPECT_FALSE(block->contains(reinterpret_cast<const sockaddr*>(&local)));
    EXPECT_FALSE(block->contains(static_cast<const sockaddr*>(nullptr)));
    const std::vector<Cidr> both{*Cidr::parse("192.168.0.0/16"), *block};
    EXPECT_TRUE(contains_any(both, reinterpret_cast<const sockaddr*>(&v4)));
    EXPECT_FALSE(contains_any(both, "172.16.0.1"));
}

TEST(Cidr, RefusesWhatIsNotABlock) {
    for (const char* bad : {"",
                            "/",
                            "10.0.0.0/",
                            "10.0.0.0/33",
                            "10.0.0.0/-1",
                            "10.0.0.0/8x",
                            "10.0.0/8",
                            "host/8",
                            "::/129",
                            "::ffff:10.0.0.0/95",
                            "10.0.0.0/99999999999999999999",
                            "10.0.0.0/8/8",
                            " 10.0.0.0/8"}) {
        EXPECT_FALSE(Cidr::parse(bad)) << bad;
    }
    EXPECT_FALSE(Cidr::parse(std::string(100'000, '1')));
    const auto loose = Cidr::parse("10.1.2.3/8");
    ASSERT_FALSE(loose);
    EXPECT_THAT(loose.error().message, HasSubstr("write 10.0.0.0/8"));
}

TEST(Cidr, AddressesThatAreNoneMatchNothing) {
    for (const char* bad : {"", "localhost", "10.1.2.3:5060", "10.1.2", "[", "[]"}) {
        EXPECT_FALSE(contains("0.0.0.0/0", bad)) << bad;
    }
}

}  // namespace
}  // namespace offhook::config
