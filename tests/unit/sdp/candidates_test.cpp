#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "config/cidr.h"
#include "fixtures.h"
#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace {

std::string host(const std::string& address, const std::string& port = "5000") {
    return "candidate:1 1 UDP 2130706431 " + address + ' ' + port + " typ host";
}

TEST(Candidate, IsPutAnewFromWhatWasRead) {
    const CandidateRules rules;
    EXPECT_EQ(
        read_candidate("a=candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx "
                       "raddr 192.168.1.7 rport 46154 generation 0 ufrag abcd network-cost 50",
                       rules,
                       0),
        "candidate:842163049 1 UDP 1677729535 198.51.100.7 46154 typ srflx raddr 0.0.0.0 "
        "rport 0");
    EXPECT_EQ(read_candidate("candidate:7 1 UDP 41885439 2001:DB8:0:0::1 3478 typ relay", rules, 0),
              "candidate:7 1 UDP 41885439 2001:db8::1 3478 typ relay raddr :: rport 0");
    EXPECT_EQ(read_candidate(host("::ffff:192.0.2.1"), rules, 0), host("192.0.2.1"));
}

TEST(Candidate, OfAPlaceWhereNoPeerCanBeIsLeftOut) {
    const CandidateRules rules;
    for (const char* address : {"0.0.0.0",
                                "0.1.2.3",
                                "255.255.255.255",
                                "224.0.0.251",
                                "239.1.1.1",
                                "240.0.0.1",
                                "169.254.169.254",
                                "169.254.1.1",
                                "::",
                                "ff02::fb",
                                "fe80::1",
                                "fe80::1%eth0",
                                "fd00:ec2::254",
                                "::ffff:169.254.169.254",
                                "::ffff:224.0.0.1",
                                "::192.0.2.1",
                                "router",
                                "www.example.com",
                                "192.0.2.300",
                                "1",
                                "0x7f.1"}) {
        EXPECT_EQ(read_candidate(host(address), rules, 0), std::nullopt) << address;
    }
    EXPECT_NE(read_candidate(host("192.0.2.1"), rules, 0), std::nullopt);
    EXPECT_NE(read_candidate(host("2001:db8::1"), rules, 0), std::nullopt);
}

TEST(Candidate, ThatIsBrokenOrOfNoUseIsLeftOut) {
    const CandidateRules rules;
    for (const char* value : {"",
                              "a=candidate:",
                              "candidate:1 2 UDP 2130706430 192.0.2.1 5001 typ host",
                              "candidate:1 1 TCP 1015021823 192.0.2.1 9 typ host tcptype active",
                              "candidate:1 1 UDP 0 192.0.2.1 5000 typ host",
                              "candidate:1 1 UDP 4294967296 192.0.2.1 5000 typ host",
                              "candidate:1 1 UDP -1 192.0.2.1 5000 typ host",
                              "candidate:1 1 UDP 1 192.0.2.1 70000 typ host",
                              "candidate:1 1 UDP 1 192.0.2.1 5000 typ",
                              "candidate:1 1 UDP 1 192.0.2.1 5000 typ tunnel",
                              "candidate:1 1 UDP 1 192.0.2.1 5000",
                              "candidate:123456789012345678901234567890123 1 UDP 1 192.0.2.1 5000 "
                              "typ host"}) {
        EXPECT_EQ(read_candidate(value, rules, 0), std::nullopt) << value;
    }
}

TEST(Candidate, IsBoundByTheRules) {
    CandidateRules rules;
    EXPECT_EQ(read_candidate(host("192.0.2.1", "1023"), rules, 0), std::nullopt);
    EXPECT_NE(read_candidate(host("192.0.2.1", "1024"), rules, 0), std::nullopt);
    EXPECT_NE(read_candidate(host("192.0.2.1"), rules, 31), std::nullopt);
    EXPECT_EQ(read_candidate(host("192.0.2.1"), rules, 32), std::nullopt);
    EXPECT_NE(read_candidate(host("127.0.0.1"), rules, 0), std::nullopt);
    rules.allow_loopback = false;
    for (const char* address : {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"})
        EXPECT_EQ(read_candidate(host(address), rules, 0), std::nullopt) << address;
    rules.deny.push_back(*config::Cidr::parse("10.0.0.0/8"));
    rules.deny.push_back(*config::Cidr::parse("2001:db8::/32"));
    EXPECT_EQ(read_candidate(host("10.1.2.3"), rules, 0), std::nullopt);
    EXPECT_EQ(read_candidate(host("::ffff:10.1.2.3"), rules, 0), std::nullopt);
    EXPECT_EQ(read_candidate(host("2001:db8::5"), rules, 0), std::nullopt);
    EXPECT_NE(read_candidate(host("192.0.2.1"), rules, 0), std::nullopt);
}

TEST(Candidate, NamesAreFewAndOnlyOfMdns) {
    CandidateRules rules;
    const std::string name = "cd6ac1fa-efd9-4de8-950d-9f8902c0265f.local";
    EXPECT_EQ(read_candidate(host(name), rules, 0), host(name));
    EXPECT_NE(read_candidate(host(name), rules, 1), std::nullopt);
    EXPECT_EQ(read_candidate(host(name), rules, 2), std::nullopt);
    EXPECT_EQ(read_candidate(host(".local"), rules, 0), std::nullopt);
    EXPECT_EQ(read_candidate(host("a_b.local"), rules, 0), std::nullopt);
    EXPECT_EQ(read_candidate(host(std::string(200, 'a') + ".local"), rules, 0), std::nullopt);
    rules.max_mdns = 0;
    EXPECT_EQ(read_candidate(host(name), rules, 0), std::nullopt);
}

TEST(Candidates, OfADescriptionAreCountedAcrossIt) {
    std::string text = test::offer("ice-lite");
    for (int at = 0; at < 60; ++at)
        text += "a=" + host("192.0.2." + std::to_string(at + 1)) + "\r\n";
    for (int at = 0; at < 4; ++at) text += "a=" + host(std::to_string(at) + ".local") + "\r\n";
    const auto many = read_web(text, {});
    ASSERT_TRUE(many);
    EXPECT_EQ(many->candidates.size(), 32U);
    EXPECT_EQ(many->left_out, 65U - 32U);

    CandidateRules rules;
    rules.max_candidates = 100;
    const auto names = read_web(text, rules);
    ASSERT_TRUE(names);
    EXPECT_EQ(names->candidates.size(), 61U + 2U);
    EXPECT_EQ(names->left_out, 2U);
}

}  // namespace
}  // namespace offhook::sdp
