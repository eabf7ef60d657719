// The parts of a web transport that need no webrtcbin.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/monotonic.h"
#include "media/detail/web_ice.h"
#include "media/detail/web_life.h"
#include "media/detail/web_names.h"
#include "media/web_certificate.h"

namespace offhook::media {
namespace {

using detail::WebLife;
using std::chrono::milliseconds;
using Verdict = WebLife::Verdict;

sdp::Fingerprint announced_by(const WebCertificate& certificate) {
    const std::string& text = certificate.fingerprint();
    EXPECT_TRUE(text.starts_with("sha-256 "));
    sdp::Fingerprint fingerprint;
    for (std::size_t at = 8; at < text.size(); at += 3)
        fingerprint.bytes.push_back(
            static_cast<std::uint8_t>(std::stoi(text.substr(at, 2), nullptr, 16)));
    EXPECT_EQ(fingerprint.bytes.size(), 32U);
    return fingerprint;
}

TEST(WebCertificateTest, IsTheOneThatItAnnounces) {
    const auto ours = WebCertificate::create();
    ASSERT_TRUE(ours);
    const std::array announced{announced_by(*ours)};
    EXPECT_TRUE(is_announced(ours->pem(), announced));
    const auto other = WebCertificate::create();
    ASSERT_TRUE(other);
    EXPECT_NE(other->fingerprint(), ours->fingerprint());
    EXPECT_FALSE(is_announced(other->pem(), announced));
}

TEST(WebCertificateTest, OneOfTheStrongestHashHasToMatch) {
    const auto ours = WebCertificate::create();
    ASSERT_TRUE(ours);
    const sdp::Fingerprint right = announced_by(*ours);
    sdp::Fingerprint wrong = right;
    wrong.bytes.back() ^= 1;
    sdp::Fingerprint stronger{sdp::Fingerprint::Hash::Sha512, std::vector<std::uint8_t>(64)};
    sdp::Fingerprint weaker{sdp::Fingerprint::Hash::Sha1, std::vector<std::uint8_t>(20)};
    EXPECT_TRUE(is_announced(ours->pem(), std::array{wrong, right}));
    EXPECT_TRUE(is_announced(ours->pem(), std::array{weaker, right}));
    EXPECT_FALSE(is_announced(ours->pem(), std::array{right, stronger}));
    EXPECT_FALSE(is_announced(ours->pem(), std::array{wrong}));
}

TEST(WebCertificateTest, NothingMatchesWhatIsNotThere) {
    const auto ours = WebCertificate::create();
    ASSERT_TRUE(ours);
    const sdp::Fingerprint right = announced_by(*ours);
    EXPECT_FALSE(is_announced("", std::array{right}));
    EXPECT_FALSE(is_announced("-----BEGIN CERTIFICATE-----\nAAAA\n", std::array{right}));
    EXPECT_FALSE(is_announced(ours->pem(), {}));
    sdp::Fingerprint shortened = right;
    shortened.bytes.pop_back();
    EXPECT_FALSE(is_announced(ours->pem(), std::array{shortened}));
    shortened.bytes.clear();
    EXPECT_FALSE(is_announced(ours->pem(), std::array{shortened}));
}

std::int64_t at(int ms) {
    return (100'000 + ms) * base::kNsPerMs;
}

TEST(WebLifeTest, SilentPeerIsAskedThenLostThenGoneOnce) {
    WebLife life(milliseconds(4'000), milliseconds(10'000));
    EXPECT_EQ(life.tick(at(0), at(500)), Verdict::Well);
    EXPECT_EQ(life.tick(at(0), at(1'000)), Verdict::Ask);
    EXPECT_EQ(life.tick(at(0), at(3'999)), Verdict::Ask);
    EXPECT_EQ(life.tick(at(0), at(4'000)), Verdict::Lost);
    EXPECT_EQ(life.tick(at(0), at(4'500)), Verdict::Ask);
    EXPECT_EQ(life.tick(at(0), at(13'999)), Verdict::Ask);
    EXPECT_EQ(life.tick(at(0), at(14'000)), Verdict::Gone);
    EXPECT_EQ(life.tick(at(0), at(14'500)), Verdict::Well);
}

TEST(WebLifeTest, PeerThatAnswersIsBack) {
    WebLife life(milliseconds(4'000), milliseconds(10'000));
    EXPECT_EQ(life.tick(at(0), at(5'000)), Verdict::Lost);
    EXPECT_EQ(life.tick(at(5'400), at(5'500)), Verdict::Back);
    EXPECT_EQ(life.tick(at(5'400), at(6'000)), Verdict::Well);
    EXPECT_EQ(life.tick(at(5'400), at(9'400)), Verdict::Lost);
}

TEST(WebLifeTest, WithoutPatienceItIsGoneAtOnce) {
    WebLife life(milliseconds(4'000), milliseconds(0));
    EXPECT_EQ(life.tick(at(0), at(3'999)), Verdict::Ask);
    EXPECT_EQ(life.tick(at(0), at(4'000)), Verdict::Gone);
}

TEST(WebIceTest, ServersAreWrittenWithTheirSecretsEscaped) {
    EXPECT_EQ(detail::uri_of({"stun:stun.example.com:3478", {}, {}}).value(),
              "stun://stun.example.com:3478");
    EXPECT_EQ(
        detail::uri_of({"turn:192.0.2.1:3478?transport=udp", "1700:al/ice@x", "p:w?#%/ @"}).value(),
        "turn://1700%3Aal%2Fice%40x:p%3Aw%3F%23%25%2F%20%40@192.0.2.1:3478?transport=udp");
    for (const char* wrong : {"", "stun", "stun:", "http:a", "turn:user@host:3478"})
        EXPECT_FALSE(detail::uri_of({wrong, "a", "b"})) << wrong;
}

TEST(WebIceTest, LoopbackIsGatheredWhereThePeerIs) {
    const auto has = [](const std::vector<std::string>& found, const char* address) {
        return std::find(found.begin(), found.end(), address) != found.end();
    };
    const std::string here = "candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host";
    const std::string here6 = "candidate:1 1 udp 2130706431 ::1 5000 typ host";
    const std::string there = "candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host";
    EXPECT_EQ(detail::addresses_for({here}), std::vector<std::string>{"127.0.0.1"});
    EXPECT_EQ(detail::addresses_for({here6}), std::vector<std::string>{"::1"});
    EXPECT_TRUE(has(detail::addresses_for({here, there}), "127.0.0.1"));
    EXPECT_FALSE(detail::addresses_for({}).empty());
}

TEST(WebIceTest, NamesAreToldFromAddresses) {
    EXPECT_EQ(detail::address_of("candidate:1 1 udp 1 192.0.2.7 5000 typ host"), "192.0.2.7");
    EXPECT_EQ(detail::address_of("candidate:1 1 udp"), "");
    EXPECT_TRUE(detail::WebNames::is_hidden("candidate:1 1 udp 1 a-b.local 5000 typ host"));
    EXPECT_FALSE(detail::WebNames::is_hidden("candidate:1 1 udp 1 192.0.2.7 5000 typ host"));
    EXPECT_FALSE(detail::WebNames::is_hidden("candidate:1 1 udp 1 2001:db8::1 5000 typ host"));
    EXPECT_FALSE(detail::WebNames::is_hidden(""));
}

}  // namespace
}  // namespace offhook::media
