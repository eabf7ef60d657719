#include "config/endpoint.h"

#include <gtest/gtest.h>

namespace offhook::config {
namespace {

TEST(HostPort, Good) {
    const auto v4 = parse_host_port("127.0.0.1:0");
    ASSERT_TRUE(v4);
    EXPECT_EQ(v4->host, "127.0.0.1");
    EXPECT_EQ(v4->port, 0);
    EXPECT_TRUE(v4->is_loopback());
    const auto v6 = parse_host_port("[::1]:5000");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->host, "::1");
    EXPECT_EQ(v6->text(), "[::1]:5000");
    EXPECT_TRUE(v6->is_loopback());
    const auto name = parse_host_port("localhost:1");
    ASSERT_TRUE(name);
    EXPECT_EQ(name->text(), "127.0.0.1:1");
    EXPECT_FALSE(parse_host_port("10.0.0.1:1")->is_loopback());
    EXPECT_TRUE(parse_host_port("0.0.0.0:1")->is_wildcard());
}

TEST(HostPort, Bad) {
    for (const char* bad : {"",
                            ":",
                            ":5000",
                            "5000",
                            "127.0.0.1",
                            "127.0.0.1:",
                            "127.0.0.1:65536",
                            "127.0.0.1:-1",
                            "127.0.0.1:5x",
                            "::1:5000",
                            "[::1]",
                            "[::1:5000",
                            "example.org:80",
                            "[127.0.0.1:1",
                            "256.0.0.1:1"}) {
        EXPECT_FALSE(parse_host_port(bad)) << bad;
    }
}

TEST(Server, NamesAddressesAndPorts) {
    const auto of = [](const char* text) { return parse_server(text, 3478); };
    EXPECT_EQ(of("stun.example.com")->host, "stun.example.com");
    EXPECT_EQ(of("stun.example.com")->port, 3478);
    EXPECT_EQ(of("192.0.2.1:5000")->port, 5000);
    EXPECT_EQ(of("[2001:db8::1]")->host, "2001:db8::1");
    EXPECT_EQ(of("[2001:db8::1]:5000")->port, 5000);
    for (const char* bad : {"",
                            ":3478",
                            "host:",
                            "host:0",
                            "host:65536",
                            "host:1x",
                            "2001:db8::1",
                            "[2001:db8::1",
                            "[host]:1",
                            "[::1]1",
                            "stun:host",
                            "ho st"}) {
        EXPECT_FALSE(of(bad)) << bad;
    }
}

TEST(SipListen, Both) {
    const auto udp = parse_sip_listen("udp:127.0.0.1:5060");
    ASSERT_TRUE(udp);
    EXPECT_EQ(udp->transport, Transport::Udp);
    EXPECT_EQ(udp->address.port, 5060);
    const auto tcp = parse_sip_listen("tcp:[::1]:0");
    ASSERT_TRUE(tcp);
    EXPECT_EQ(tcp->transport, Transport::Tcp);
    EXPECT_EQ(tcp->address.host, "::1");
    for (const char* bad : {"",
                            "udp",
                            "udp:",
                            "127.0.0.1:5060",
                            "tls:127.0.0.1:5061",
                            "udp:host:5060",
                            "UDP:127.0.0.1:5060"}) {
        EXPECT_FALSE(parse_sip_listen(bad)) << bad;
    }
}

}  // namespace
}  // namespace offhook::config
