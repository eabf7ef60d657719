// Keys in descriptions, through offers, answers and re-INVITEs, under each policy.
#include "registry_test.h"

namespace offhook::call::testing {
namespace {

using model::CallId;
using model::EndReason;
using model::SrtpKey;
using model::SrtpPolicy;
using model::SrtpSuite;

constexpr auto kSuite = SrtpSuite::AesCm128HmacSha1_80;

class SrtpCalls : public RegistryTest {
protected:
    static model::SdpCrypto crypto(std::uint32_t tag = 1, SrtpSuite suite = kSuite) {
        return {tag, suite, *SrtpKey::random(suite)};
    }
    /// The peer's description with these keys under RTP/SAVP.
    model::RemoteSdp secured(std::vector<model::SdpCrypto> keys) {
        model::RemoteSdp sdp = peer_sdp();
        sdp.audio.is_savp = true;
        sdp.audio.crypto = std::move(keys);
        sdp.audio_lines = {sdp.audio};
        sdp.lines = {{"audio", "RTP/SAVP", "0 101", true}};
        return sdp;
    }
    CallId comes_in_with(std::optional<model::RemoteSdp> offer,
                         const std::string& peer = "udp:127.0.0.1:5070",
                         const std::string& account = {}) {
        model::IncomingCall incoming;
        incoming.id = CallId::make();
        incoming.account = account;
        incoming.to_user = "x";
        incoming.peer = peer;
        incoming.local_address = "127.0.0.1";
        incoming.offer = std::move(offer);
        const CallId id = incoming.id;
        calls->on_incoming(std::move(incoming));
        calls->on_answer_sent(id);
        return id;
    }
    [[nodiscard]] bool is_refused(const CallId& id) const {
        return sip.was_asked("reject " + id.text + " 488");
    }
};

TEST_F(SrtpCalls, AnOfferIsAnsweredWithItsTagItsProfileAndAKeyOfOurs) {
    const auto theirs = crypto(4);
    const CallId id = comes_in_with(secured({theirs}), "tls:192.0.2.1:5061");
    ASSERT_EQ(sip.descriptions.size(), 1U);
    const model::LocalSdp& answer = sip.descriptions[0];
    ASSERT_EQ(answer.crypto.size(), 1U);
    EXPECT_EQ(answer.crypto[0].tag, 4U);
    EXPECT_EQ(answer.crypto[0].suite, kSuite);
    EXPECT_NE(answer.crypto[0].key, theirs.key);
    EXPECT_EQ(answer.lines.at(0).protocol, "RTP/SAVP");
    EXPECT_EQ(info(id).srtp, "AES_CM_128_HMAC_SHA1_80");
    EXPECT_TRUE(info(id).srtp_key_exchange_protected);
    ends(id, model::ended(EndReason::CallerHangup));
    const CallId open = comes_in_with(secured({theirs}));
    EXPECT_FALSE(info(open).srtp_key_exchange_protected) << "over UDP everybody reads the key";
    ends(open, model::ended(EndReason::CallerHangup));
}

TEST_F(SrtpCalls, OurKeyStaysWhenTheirsChanges) {
    const CallId id = comes_in_with(secured({crypto(1)}));
    calls->on_reoffer(id, secured({crypto(1)}), 1);
    calls->on_reoffer(id, secured({crypto(7, SrtpSuite::AeadAes128Gcm), crypto(8)}), 1);
    calls->on_reoffer(id, std::nullopt, 1);
    ASSERT_EQ(sip.descriptions.size(), 4U);
    for (const model::LocalSdp& said : sip.descriptions) {
        ASSERT_EQ(said.crypto.size(), 1U);
        EXPECT_EQ(said.crypto[0].key, sip.descriptions[0].crypto[0].key);
    }
    EXPECT_EQ(sip.descriptions[2].crypto[0].tag, 8U);
    // The answer to our offer without SDP of theirs.
    calls->on_confirmed(id, secured({sip.descriptions[3].crypto[0]}));
    EXPECT_EQ(info(id).srtp, "AES_CM_128_HMAC_SHA1_80");
    ends(id, model::ended(EndReason::CallerHangup));
}

TEST_F(SrtpCalls, AnotherSuiteTakesAnotherKey) {
    const CallId id = comes_in_with(secured({crypto(1)}));
    calls->on_reoffer(id, secured({crypto(1, SrtpSuite::AesCm128HmacSha1_32)}), 1);
    ASSERT_EQ(sip.descriptions.size(), 2U);
    EXPECT_NE(sip.descriptions[1].crypto.at(0).key, sip.descriptions[0].crypto.at(0).key);
    EXPECT_EQ(info(id).srtp, "AES_CM_128_HMAC_SHA1_32");
    ends(id, model::ended(EndReason::CallerHangup));
}

TEST_F(SrtpCalls, AnInviteWithoutSdpGetsKeysToChooseFrom) {
    const CallId id = comes_in_with(std::nullopt);
    ASSERT_EQ(sip.descriptions.size(), 1U);
    ASSERT_EQ(sip.descriptions[0].crypto.size(), 3U);
    EXPECT_EQ(sip.descriptions[0].protocol, "RTP/AVP") << "RFC 8643: who knows no SRTP may answer";
    EXPECT_EQ(sip.descriptions[0].crypto[0].suite, SrtpSuite::AeadAes128Gcm);
    calls->on_confirmed(id, secured({crypto(2)}));
    EXPECT_EQ(info(id).srtp, "AES_CM_128_HMAC_SHA1_80");
    ends(id, model::ended(EndReason::CallerHangup));

    const CallId plain = comes_in_with(std::nullopt);
    calls->on_confirmed(plain, peer_sdp());
    EXPECT_EQ(info(plain).srtp, "");
    EXPECT_TRUE(wait_until([&] { return info(plain).stats.sent_packets > 0; }));
    ends(plain, model::ended(EndReason::CallerHangup));
}

TEST_F(SrtpCalls, WhatIsRequiredIsNotGivenUpInACall) {
    config.rtp.srtp = SrtpPolicy::Require;
    EXPECT_TRUE(is_refused(comes_in_with(peer_sdp())));
    EXPECT_NE(over.at(0).end->detail.find("SRTP"), std::string::npos);
    const CallId id = comes_in_with(secured({crypto(1)}));
    calls->on_reoffer(id, peer_sdp(), 1);
    EXPECT_TRUE(is_refused(id));
    EXPECT_EQ(info(id).srtp, "AES_CM_128_HMAC_SHA1_80") << "the session stays as it was";
    ends(id, model::ended(EndReason::CallerHangup));
}

TEST_F(SrtpCalls, OffTakesNoKeys) {
    config.rtp.srtp = SrtpPolicy::Off;
    EXPECT_TRUE(is_refused(comes_in_with(secured({crypto(1)}))));
    const CallId id = comes_in_with(peer_sdp());
    EXPECT_EQ(info(id).srtp, "");
    EXPECT_TRUE(sip.descriptions.at(0).crypto.empty());
    ends(id, model::ended(EndReason::CallerHangup));
}

TEST_F(SrtpCalls, AnAccountHasItsOwnPolicy) {
    accounts["office"].srtp = SrtpPolicy::Require;
    EXPECT_TRUE(is_refused(comes_in_with(peer_sdp(), "tls:192.0.2.1:5061", "office")));
    const CallId free = comes_in_with(peer_sdp());
    EXPECT_FALSE(is_refused(free)) << "calls of nobody's account";
    ends(free, model::ended(EndReason::CallerHangup));

    const auto placed = calls->place(order());
    ASSERT_TRUE(placed);
    const model::LocalSdp& offer = sip.placed.at(0).offer;
    EXPECT_EQ(offer.protocol, "RTP/SAVP");
    ASSERT_EQ(offer.crypto.size(), 3U);
    calls->on_accepted(placed->id, secured({crypto(3, SrtpSuite::AesCm128HmacSha1_32)}));
    EXPECT_EQ(info(placed->id).srtp, "AES_CM_128_HMAC_SHA1_32");
    ends(placed->id, model::ended(EndReason::CallerHangup));

    const auto refused = calls->place(order());
    ASSERT_TRUE(refused);
    calls->on_accepted(refused->id, peer_sdp());
    EXPECT_TRUE(sip.was_asked("hangup " + refused->id.text)) << "an answer without keys";
    ends(refused->id, model::ended(EndReason::CallerHangup));
}

}  // namespace
}  // namespace offhook::call::testing
