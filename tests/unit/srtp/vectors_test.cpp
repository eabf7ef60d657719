// The published vectors: RFC 3711 appendix B, RFC 7714 §16 and §17.
#include <gtest/gtest.h>

#include <algorithm>

#include "bytes.h"
#include "srtp/srtp_inbound.h"
#include "srtp/srtp_outbound.h"
#include "srtp/transform.h"

namespace offhook::srtp {
namespace {

using model::SrtpKey;
using model::SrtpSuite;

TEST(SrtpVectors, KeysAreDerivedAsInRfc3711B3) {
    const SrtpKey master(hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6"));
    const auto keys = derive_session_keys(SrtpSuite::AesCm128HmacSha1_80, master, Kind::Rtp);
    ASSERT_TRUE(keys);
    EXPECT_EQ(Bytes(keys->cipher.begin(), keys->cipher.begin() + 16),
              hex("C61E7A93744F39EE10734AFE3FF7A087"));
    EXPECT_EQ(Bytes(keys->salt.begin(), keys->salt.end()), hex("30CBBC08863D8C85D49DB34A9AE1"));
    EXPECT_EQ(Bytes(keys->auth.begin(), keys->auth.end()),
              hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

// B.2 gives the key stream of an SSRC and index of 0: what a packet of zeros becomes.
TEST(SrtpVectors, KeyStreamIsThatOfRfc3711B2) {
    SessionKeys keys;
    const Bytes cipher = hex("2B7E151628AED2A6ABF7158809CF4F3C");
    const Bytes salt = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
    std::copy(cipher.begin(), cipher.end(), keys.cipher.begin());
    std::copy(salt.begin(), salt.end(), keys.salt.begin());
    auto transform = Transform::create(SrtpSuite::AesCm128HmacSha1_80, Kind::Rtp, keys, Way::Seal);
    ASSERT_TRUE(transform);
    Bytes packet(48 + 10, 0);
    ASSERT_TRUE(
        transform->seal({.header_bytes = 0, .body_bytes = 48}, packet.data(), packet.data()));
    packet.resize(48);
    EXPECT_EQ(packet,
              hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB "
                  "41E95B3BB0A2E8DD477901E4FCA894C0"));
}

// The packets with which libsrtp checks itself, under the master key of B.3.
TEST(SrtpVectors, WholePacketsOfAesCmAndHmac) {
    const SrtpKey master(hex("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6"));
    auto outbound = SrtpOutbound::create(SrtpSuite::AesCm128HmacSha1_80, master);
    ASSERT_TRUE(outbound);
    Bytes out(200);
    const auto sealed = outbound->protect_rtp(
        hex("800f1234decafbadcafebabe abababababababababababababababab"), out);
    out.resize(sealed);
    const Bytes expected =
        hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    EXPECT_EQ(out, expected);

    auto inbound = SrtpInbound::create(SrtpSuite::AesCm128HmacSha1_80, master);
    ASSERT_TRUE(inbound);
    const auto opened = inbound->open_rtp(out);
    EXPECT_EQ(opened.verdict, SrtpInbound::Verdict::Ok);
    out.resize(opened.bytes);
    EXPECT_EQ(out, hex("800f1234decafbadcafebabe abababababababababababababababab"));

    Bytes report =
        hex("81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 "
            "993e08cd54d6c1230798");
    const auto opened_report = inbound->open_rtcp(report);
    EXPECT_EQ(opened_report.verdict, SrtpInbound::Verdict::Ok);
    report.resize(opened_report.bytes);
    EXPECT_EQ(report, hex("81c8000bcafebabe abababababababababababababababab"));
}

struct GcmVector {
    SrtpSuite suite;
    const char* key;
    const char* rtp;   ///< protected
    const char* rtcp;  ///< protected, with the E flag and the index
};

class SrtpGcmVectors : public testing::TestWithParam<GcmVector> {
protected:
    static SessionKeys keys() {
        SessionKeys keys;
        const Bytes cipher = hex(GetParam().key);
        const Bytes salt = hex("517569642070726f2071756f");
        std::copy(cipher.begin(), cipher.end(), keys.cipher.begin());
        std::copy(salt.begin(), salt.end(), keys.salt.begin());
        return keys;
    }
    static void expect_both_ways(Kind kind,
                                 const Transform::Packet& packet,
                                 const Bytes& plain,
                                 const Bytes& expected) {
        auto seal = Transform::create(GetParam().suite, kind, keys(), Way::Seal);
        auto open = Transform::create(GetParam().suite, kind, keys(), Way::Open);
        ASSERT_TRUE(seal && open);
        Bytes out(plain.size() + seal->overhead_bytes());
        ASSERT_TRUE(seal->seal(packet, plain.data(), out.data()));
        EXPECT_EQ(out, expected);
        ASSERT_TRUE(open->open(packet, out.data()));
        out.resize(plain.size());
        EXPECT_EQ(out, plain);
    }
};

TEST_P(SrtpGcmVectors, RtpOfRfc7714) {
    const Bytes plain =
        hex("8040f17b8041f8d35501a0b2 "
            "47616c6c696120657374206f6d6e69732064697669736120696e20706172746573"
            "2074726573");
    expect_both_ways(
        Kind::Rtp,
        {.ssrc = 0x5501a0b2, .index = 0xf17b, .header_bytes = 12, .body_bytes = plain.size() - 12},
        plain,
        hex(GetParam().rtp));
}

TEST_P(SrtpGcmVectors, RtcpOfRfc7714) {
    const Bytes plain =
        hex("81c8000d4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 "
            "deadbeef deadbeef deadbeef deadbeef deadbeef");
    expect_both_ways(
        Kind::Rtcp,
        {.ssrc = 0x4d617273, .index = 0x5d4, .header_bytes = 8, .body_bytes = plain.size() - 8},
        plain,
        hex(GetParam().rtcp));
}

INSTANTIATE_TEST_SUITE_P(
    Suites,
    SrtpGcmVectors,
    testing::Values(
        GcmVector{
            SrtpSuite::AeadAes128Gcm,
            "000102030405060708090a0b0c0d0e0f",
            "8040f17b8041f8d35501a0b2 f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a"
            "51c7d19b36de3adf8833 899d7f27beb16a9152cf765ee4390cce",
            "81c8000d4d617273 63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda"
            "4ce09b4686303ded0bb9275b c84aa45896cf4d2fc5abf87245d9eade 800005d4"},
        GcmVector{
            SrtpSuite::AeadAes256Gcm,
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "8040f17b8041f8d35501a0b2 32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a02"
            "76ffae0f1ba63799b87b 7aa3db36dfffd6b0f9bb7878d7a76c13",
            "81c8000d4d617273 d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be"
            "8415f658c61de0476f1b6fad 1d1eb30c4446839f57ff6f6cb26ac3be 800005d4"}),
    [](const auto& one) { return std::string(model::facts_of(one.param.suite).name); });

TEST(SrtpVectors, AKeyOfAnotherLengthIsRefused) {
    for (const auto& facts : model::kSrtpSuites) {
        const SrtpKey key(Bytes(facts.keying_bytes() - 1, 7));
        EXPECT_FALSE(SrtpOutbound::create(facts.suite, key)) << facts.name;
        EXPECT_FALSE(SrtpInbound::create(facts.suite, key)) << facts.name;
    }
}

}  // namespace
}  // namespace offhook::srtp
