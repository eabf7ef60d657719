// a=crypto as peers write it, and who ends up with which keys.
#include "model/srtp_agreement.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace offhook::model {
namespace {

// 30 and 28 bytes.
const std::string kKey80 = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const std::string kKeyGcm = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHA==";

TEST(SdpCryptoTest, ReadsWhatPeersWrite) {
    for (const std::string& rest : {std::string(),
                                    std::string("|2^20"),
                                    std::string("|1048576"),
                                    std::string("|2^31 WSH=64"),
                                    std::string(" -unheard=of")}) {
        const auto crypto = parse_crypto("1 AES_CM_128_HMAC_SHA1_80 inline:" + kKey80 + rest);
        ASSERT_TRUE(crypto) << rest;
        EXPECT_EQ(crypto->tag, 1u);
        EXPECT_EQ(crypto->suite, SrtpSuite::AesCm128HmacSha1_80);
        ASSERT_EQ(crypto->key.bytes().size(), 30u);
        EXPECT_EQ(crypto->key.bytes()[0], 'w');
        EXPECT_EQ(crypto->key.bytes()[29], '#');
        EXPECT_EQ(write_crypto(*crypto), "1 AES_CM_128_HMAC_SHA1_80 inline:" + kKey80);
    }
    const auto gcm = parse_crypto("999999999 aead_aes_128_gcm INLINE:" + kKeyGcm);
    ASSERT_TRUE(gcm);
    EXPECT_EQ(gcm->tag, 999'999'999u);
    EXPECT_EQ(write_crypto(*gcm), "999999999 AEAD_AES_128_GCM inline:" + kKeyGcm);
    EXPECT_TRUE(parse_crypto("3 AEAD_AES_128_GCM inline:" + kKeyGcm.substr(0, 38)))
        << "without padding";
    EXPECT_TRUE(parse_crypto("2 AES_CM_128_HMAC_SHA1_32 inline:" + kKey80));
    EXPECT_TRUE(parse_crypto("2 AEAD_AES_256_GCM inline:" + std::string(59, 'x') + "="));
}

TEST(SdpCryptoTest, PassesOverWhatWeDoNotSpeak) {
    const std::string good = "1 AES_CM_128_HMAC_SHA1_80 inline:" + kKey80;
    for (const std::string& value : {
             std::string(),
             std::string("1"),
             std::string("1 AES_CM_128_HMAC_SHA1_80"),
             std::string("1 AES_CM_128_HMAC_SHA1_80 inline:"),
             good + "|2^20|1:4",
             good + "|1:4",
             good + ";inline:" + kKey80,
             good + " KDR=1",
             good + " UNENCRYPTED_SRTCP",
             good + " UNAUTHENTICATED_SRTP",
             good + "A",
             good.substr(0, good.size() - 1),
             good.substr(0, good.size() - 1) + "!",
             "0" + good.substr(1),
             "1000000000" + good.substr(1),
             "-1" + good.substr(1),
             "x" + good.substr(1),
             "1 F8_128_HMAC_SHA1_80 inline:" + kKey80,
             "1 AES_256_CM_HMAC_SHA1_80 inline:" + kKey80,
             "1 AEAD_AES_128_GCM inline:" + kKey80,
             "1 AES_CM_128_HMAC_SHA1_80 uri:" + kKey80,
         }) {
        EXPECT_FALSE(parse_crypto(value)) << value;
    }
}

TEST(SdpCryptoTest, RandomKeysComeBackThroughText) {
    for (const auto& facts : kSrtpSuites) {
        const auto key = SrtpKey::random(facts.suite);
        ASSERT_TRUE(key);
        EXPECT_EQ(key->bytes().size(), facts.keying_bytes());
        EXPECT_NE(*key, *SrtpKey::random(facts.suite));
        const SdpCrypto crypto{7, facts.suite, *key};
        EXPECT_EQ(parse_crypto(write_crypto(crypto)), crypto) << facts.name;
    }
}

SdpCrypto crypto_of(SrtpSuite suite, std::uint32_t tag) {
    return {tag, suite, *SrtpKey::random(suite)};
}

/// An offer of audio lines; each has the given suites, with tags from 1.
RemoteSdp offer_of(const std::vector<std::pair<bool, std::vector<SrtpSuite>>>& lines) {
    RemoteSdp offer;
    for (const auto& [is_savp, suites] : lines) {
        RemoteAudio audio;
        audio.is_savp = is_savp;
        audio.line = offer.lines.size();
        audio.rtp_port = static_cast<std::uint16_t>(4000 + 2 * audio.line);
        for (const SrtpSuite suite : suites)
            audio.crypto.push_back(
                crypto_of(suite, static_cast<std::uint32_t>(audio.crypto.size() + 1)));
        offer.lines.push_back({"audio", is_savp ? "RTP/SAVP" : "RTP/AVP", "0", audio.line == 0});
        offer.audio_lines.push_back(std::move(audio));
    }
    offer.audio = offer.audio_lines.front();
    return offer;
}

constexpr auto kGcm = SrtpSuite::AeadAes128Gcm;
constexpr auto k80 = SrtpSuite::AesCm128HmacSha1_80;
constexpr auto k32 = SrtpSuite::AesCm128HmacSha1_32;

TEST(SrtpAgreementTest, ThePolicyChoosesAmongLines) {
    struct Case {
        RemoteSdp offer;
        SrtpPolicy policy;
        int line;  ///< -1: refused
        bool is_srtp;
    };
    const auto both = offer_of({{false, {}}, {true, {k80}}});
    const auto plain = offer_of({{false, {}}});
    const auto secure = offer_of({{true, {k80}}});
    const auto opportunistic = offer_of({{false, {k80}}});
    const std::vector<Case> cases{
        {both, SrtpPolicy::Prefer, 1, true},
        {both, SrtpPolicy::Require, 1, true},
        {both, SrtpPolicy::Off, 0, false},
        {plain, SrtpPolicy::Prefer, 0, false},
        {plain, SrtpPolicy::Require, -1, false},
        {plain, SrtpPolicy::Off, 0, false},
        {secure, SrtpPolicy::Prefer, 0, true},
        {secure, SrtpPolicy::Require, 0, true},
        {secure, SrtpPolicy::Off, -1, false},
        {opportunistic, SrtpPolicy::Prefer, 0, true},
        {opportunistic, SrtpPolicy::Require, 0, true},
        {opportunistic, SrtpPolicy::Off, 0, false},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        RemoteSdp offer = cases[i].offer;
        const auto agreed = agree_on_offer(offer, cases[i].policy, std::nullopt);
        EXPECT_EQ(agreed.has_value(), cases[i].line >= 0) << i;
        if (!agreed) continue;
        EXPECT_EQ(agreed->has_value(), cases[i].is_srtp) << i;
        EXPECT_EQ(offer.audio.line, static_cast<std::size_t>(cases[i].line)) << i;
        for (std::size_t j = 0; j < offer.lines.size(); ++j)
            EXPECT_EQ(offer.lines[j].is_chosen, j == offer.audio.line) << i;
    }
}

TEST(SrtpAgreementTest, TheAnswerHasTheirTagAndAKeyOfOurs) {
    RemoteSdp offer = offer_of({{true, {k32, k80, kGcm}}});
    const auto agreed = agree_on_offer(offer, SrtpPolicy::Prefer, std::nullopt);
    ASSERT_TRUE(agreed && *agreed);
    EXPECT_EQ((*agreed)->suite, kGcm) << "where it is offered";
    EXPECT_EQ((*agreed)->tag, 3u);
    EXPECT_EQ((*agreed)->remote, offer.audio.crypto[2].key);
    EXPECT_EQ((*agreed)->local.bytes().size(), facts_of(kGcm).keying_bytes());
    EXPECT_NE((*agreed)->local, (*agreed)->remote);
}

TEST(SrtpAgreementTest, AReofferKeepsOurKeyAndTakesTheirs) {
    RemoteSdp offer = offer_of({{true, {k80}}});
    const auto first = agree_on_offer(offer, SrtpPolicy::Prefer, std::nullopt);
    ASSERT_TRUE(first && *first);
    RemoteSdp again = offer_of({{true, {kGcm, k80}}});
    const auto second = agree_on_offer(again, SrtpPolicy::Prefer, *first);
    ASSERT_TRUE(second && *second);
    EXPECT_EQ((*second)->suite, k80) << "our stream goes on";
    EXPECT_EQ((*second)->tag, 2u);
    EXPECT_EQ((*second)->local, (*first)->local);
    EXPECT_EQ((*second)->remote, again.audio.crypto[1].key);
    RemoteSdp other = offer_of({{true, {k32}}});
    const auto third = agree_on_offer(other, SrtpPolicy::Prefer, *second);
    ASSERT_TRUE(third && *third);
    EXPECT_EQ((*third)->suite, k32);
    EXPECT_NE((*third)->local, (*second)->local) << "another suite, another key";
}

TEST(SrtpAgreementTest, OffersFollowThePolicy) {
    EXPECT_TRUE(crypto_to_offer(SrtpPolicy::Off, std::nullopt)->empty());
    EXPECT_EQ(profile_to_offer(SrtpPolicy::Off), "RTP/AVP");
    EXPECT_EQ(profile_to_offer(SrtpPolicy::Prefer), "RTP/AVP");
    EXPECT_EQ(profile_to_offer(SrtpPolicy::Require), "RTP/SAVP");
    const auto offered = crypto_to_offer(SrtpPolicy::Require, std::nullopt);
    ASSERT_TRUE(offered);
    ASSERT_EQ(offered->size(), 3u);
    EXPECT_EQ(offered->at(0).suite, kGcm);
    EXPECT_NE(offered->at(1).key, offered->at(2).key);

    RemoteAudio answer;
    answer.is_savp = true;
    answer.crypto = {crypto_of(k80, 2)};
    const auto agreed = agree_on_answer(answer, *offered, SrtpPolicy::Require);
    ASSERT_TRUE(agreed && *agreed);
    EXPECT_EQ((*agreed)->local, offered->at(1).key);
    EXPECT_EQ((*agreed)->remote, answer.crypto[0].key);
    EXPECT_EQ(*crypto_to_offer(SrtpPolicy::Prefer, *agreed),
              std::vector<SdpCrypto>{(*agreed)->local_crypto()});

    answer.crypto = {crypto_of(k80, 1)};
    EXPECT_FALSE(agree_on_answer(answer, *offered, SrtpPolicy::Prefer)) << "not that tag's suite";
    answer.crypto.clear();
    EXPECT_FALSE(agree_on_answer(answer, *offered, SrtpPolicy::Prefer)) << "SAVP without a key";
    answer.is_savp = false;
    EXPECT_FALSE(agree_on_answer(answer, *offered, SrtpPolicy::Require));
    const auto plain = agree_on_answer(answer, *offered, SrtpPolicy::Prefer);
    ASSERT_TRUE(plain);
    EXPECT_FALSE(*plain);
}

}  // namespace
}  // namespace offhook::model
