// One end of a web leg against a peer that shares nothing with it but GStreamer.

#include <gtest/gtest.h>

#include <string>

#include "harness/own_caller.h"
#include "harness/web_peer.h"
#include "own_end.h"

namespace offhook::tests {
namespace {

using harness::milliseconds;
using harness::WebPeer;
using model::EndReason;
using std::chrono::seconds;

constexpr milliseconds kConnect = seconds(10);

WebPeer::Options speaks(WebPeer::Codec codec) {
    WebPeer::Options options;
    options.codec = codec;
    options.sound = harness::tone(8000, 600, 1);
    return options;
}

WebPeer::Codec peers(model::Codec codec) {
    return codec == model::Codec::Opus   ? WebPeer::Codec::Opus
           : codec == model::Codec::Pcma ? WebPeer::Codec::Pcma
                                         : WebPeer::Codec::Pcmu;
}

OwnEnd::Options ours(model::Codec codec = model::Codec::Pcmu) {
    return {.codec = codec, .settings = OwnEnd::loopback()};
}

/// The description with another certificate's fingerprint: what a man in the middle cannot avoid.
std::string with_swapped_fingerprint(std::string text) {
    const std::size_t at = text.find("a=fingerprint:sha-256 ");
    EXPECT_NE(at, std::string::npos);
    char& digit = text.at(at + std::string("a=fingerprint:sha-256 ").size());
    digit = digit == '0' ? '1' : '0';
    return text;
}

class WebTransportTest : public testing::Test {
protected:
    static void SetUpTestSuite() { WebPeer::warm_up(); }
};

class WebTransportCodecTest : public WebTransportTest,
                              public testing::WithParamInterface<model::Codec> {};

void expect_both_ways(OwnEnd& own, WebPeer& peer) {
    ASSERT_TRUE(own.wait_verified(kConnect)) << (own.end() ? own.end()->detail : "");
    ASSERT_TRUE(own.wait_packets(50, seconds(10)));
    ASSERT_TRUE(peer.wait_packets(50, seconds(10)));
    EXPECT_TRUE(peer.is_peer_verified());
    EXPECT_FALSE(own.end());
}

TEST_P(WebTransportCodecTest, AnswersAndCarriesBothWays) {
    WebPeer peer(speaks(peers(GetParam())));
    OwnEnd own(ours(GetParam()));
    peer.take_answer(own.answer(peer.offer()));
    expect_both_ways(own, peer);
    RecordProperty("verified_us", std::to_string((own.verified_ns() - own.described_ns()) / 1000));
    RecordProperty("first_rtp_us",
                   std::to_string((own.first_rtp_ns() - own.described_ns()) / 1000));
}

TEST_P(WebTransportCodecTest, OffersAndCarriesBothWays) {
    WebPeer peer(speaks(peers(GetParam())));
    OwnEnd own(ours(GetParam()));
    own.take_answer(peer.answer(own.offer()));
    expect_both_ways(own, peer);
}

INSTANTIATE_TEST_SUITE_P(
    Codecs,
    WebTransportCodecTest,
    testing::Values(model::Codec::Pcmu, model::Codec::Pcma, model::Codec::Opus),
    [](const auto& codec) { return std::string(model::facts_of(codec.param).name); });

TEST_F(WebTransportTest, SwappedFingerprintInTheOfferEndsTheLeg) {
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    OwnEnd own(ours());
    peer.take_answer(own.answer(with_swapped_fingerprint(peer.offer())));
    ASSERT_TRUE(own.wait_failed(kConnect));
    EXPECT_EQ(own.end()->reason, EndReason::FingerprintMismatch) << own.end()->detail;
    EXPECT_FALSE(own.is_verified());
    // The peer believes that all is well and sends; nothing of it gets through, nothing goes back.
    ASSERT_TRUE(peer.wait_connected(kConnect));
    const std::size_t sent = peer.sent();
    ASSERT_TRUE(own.run_until([&] { return peer.sent() >= sent + 25; }, seconds(5)));
    EXPECT_EQ(own.rtp_packets(), 0U);
    EXPECT_EQ(own.rtcp_packets(), 0U);
    EXPECT_EQ(peer.arrived(), 0U);
}

TEST_F(WebTransportTest, SwappedFingerprintInTheAnswerEndsTheLeg) {
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    OwnEnd own(ours());
    own.take_answer(with_swapped_fingerprint(peer.answer(own.offer())));
    ASSERT_TRUE(own.wait_failed(kConnect));
    EXPECT_EQ(own.end()->reason, EndReason::FingerprintMismatch) << own.end()->detail;
    ASSERT_TRUE(peer.wait_connected(kConnect));
    const std::size_t sent = peer.sent();
    ASSERT_TRUE(own.run_until([&] { return peer.sent() >= sent + 25; }, seconds(5)));
    EXPECT_EQ(own.rtp_packets(), 0U);
    EXPECT_EQ(own.rtcp_packets(), 0U);
    EXPECT_EQ(peer.arrived(), 0U);
}

TEST_F(WebTransportTest, VanishedPeerIsLostWithinFiveSecondsAndThenGone) {
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    OwnEnd::Options options = ours();
    options.settings.vanish_end = seconds(2);
    OwnEnd own(options);
    peer.take_answer(own.answer(peer.offer()));
    expect_both_ways(own, peer);
    peer.vanish();
    ASSERT_TRUE(own.run_until([&] { return !own.losses().empty(); }, seconds(5)));
    ASSERT_TRUE(own.wait_failed(seconds(4)));
    EXPECT_EQ(own.end()->reason, EndReason::PeerVanished) << own.end()->detail;
    EXPECT_EQ(own.losses(), std::vector<bool>{true});
}

TEST_F(WebTransportTest, PeerOnHoldIsNotLost) {
    WebPeer::Options silent = speaks(WebPeer::Codec::Pcmu);
    silent.is_mute = true;
    WebPeer peer(silent);
    OwnEnd::Options options = ours();
    options.settings.vanish_after = milliseconds(2'500);
    OwnEnd own(options);
    own.set_mute(true);
    peer.take_answer(own.answer(peer.offer()));
    ASSERT_TRUE(own.wait_verified(kConnect));
    // Longer than a peer's reports are apart at most (RFC 3550 §6.3.1: 7.5 s).
    EXPECT_FALSE(own.run_until([&] { return own.end() || !own.losses().empty(); }, seconds(10)));
    EXPECT_EQ(own.rtp_packets(), 0U);
}

TEST_F(WebTransportTest, GatheringEndsAtItsLimit) {
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    OwnEnd::Options options = ours();
    // Discard: nobody answers there.
    options.settings.ice_servers = {{.url = "stun:127.0.0.1:9", .username = {}, .credential = {}}};
    options.settings.gather_limit = milliseconds(300);
    OwnEnd own(options);
    const std::string offer = peer.offer();
    const auto begun = std::chrono::steady_clock::now();
    const std::string answer = own.answer(offer);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(600));
    EXPECT_FALSE(own.local()->candidates.empty());
    peer.take_answer(answer);
    expect_both_ways(own, peer);
}

TEST_F(WebTransportTest, PeerThatHidesItsAddressIsFoundByItsChecks) {
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    OwnEnd own(ours());
    std::string offer = peer.offer();
    // As a browser writes it; nobody knows the name (RFC 6762 keeps .local apart).
    for (std::size_t at = 0; (at = offer.find("a=candidate:", at)) != std::string::npos; ++at) {
        const std::size_t address = offer.find(" 127.0.0.1 ", at);
        if (address != std::string::npos && address < offer.find('\n', at))
            offer.replace(address, 11, " 1f4712db-ea17-4bcf-a596-105139dfd8bf.local ");
    }
    ASSERT_NE(offer.find(".local"), std::string::npos);
    peer.take_answer(own.answer(offer));
    expect_both_ways(own, peer);
    EXPECT_LT(own.retire(), milliseconds(500));
}

TEST_F(WebTransportTest, ThePeersReportsArrive) {
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    OwnEnd own(ours());
    peer.take_answer(own.answer(peer.offer()));
    ASSERT_TRUE(own.wait_verified(kConnect));
    // RFC 3550 §6.2: the first after 2.5 s, halved.
    EXPECT_TRUE(own.run_until([&] { return own.rtcp_packets() > 0; }, seconds(10)));
}

TEST_F(WebTransportTest, PeerThatDoesNotConnectEndsTheLegInTime) {
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    OwnEnd::Options options = ours();
    options.settings.connect_limit = milliseconds(500);
    OwnEnd own(options);
    own.answer(peer.offer());
    ASSERT_TRUE(own.wait_failed(seconds(2)));
    EXPECT_EQ(own.end()->reason, EndReason::WebTimeout) << own.end()->detail;
}

TEST_F(WebTransportTest, OfferMayWaitForItsAnswerAndThatForItsConnection) {
    OwnEnd::Options options = ours();
    options.settings.gather_limit = milliseconds(200);
    options.settings.connect_limit = milliseconds(400);
    OwnEnd own(options);
    const std::string offer = own.offer();
    // A telephone rings longer than a connection takes.
    EXPECT_FALSE(own.wait_failed(milliseconds(1'500)));
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    const std::string answer = peer.answer(offer);
    peer.vanish();
    own.take_answer(answer);
    ASSERT_TRUE(own.wait_failed(seconds(2)));
    EXPECT_EQ(own.end()->reason, EndReason::WebTimeout) << own.end()->detail;
}

TEST_F(WebTransportTest, AnswerMayChooseAnotherCodecThanWebrtcbinWasTold) {
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    OwnEnd::Options options = ours(model::Codec::Pcmu);
    options.preferred = model::Codec::Opus;
    OwnEnd own(options);
    own.take_answer(peer.answer(own.offer()));
    expect_both_ways(own, peer);
}

TEST_F(WebTransportTest, PortsAreThoseOfTheRange) {
    WebPeer peer(speaks(WebPeer::Codec::Pcmu));
    OwnEnd::Options options = ours();
    // One port, nobody's a moment ago.
    const std::uint16_t port = harness::RtpEnd("127.0.0.1").port();
    options.settings.first_port = options.settings.last_port = port;
    OwnEnd own(options);
    const std::string answer = own.answer(peer.offer());
    ASSERT_EQ(own.local()->candidates.size(), 1U);
    EXPECT_NE(own.local()->candidates[0].find(" " + std::to_string(port) + " typ host"),
              std::string::npos)
        << own.local()->candidates[0];
    // It is taken: a second leg has nowhere to go, and says so.
    OwnEnd second(options);
    EXPECT_THROW(second.answer(peer.offer_again("sendrecv")), std::runtime_error);
    ASSERT_TRUE(second.end());
    EXPECT_EQ(second.end()->reason, EndReason::IceFailed) << second.end()->detail;
    peer.take_answer(answer);
    expect_both_ways(own, peer);
}

TEST_F(WebTransportTest, EndsInTheMiddleOfEverything) {
    // Before a description, while webrtcbin reads it, with ICE under way, with DTLS under way, and
    // with media: each is retired at another time after its description was set.
    for (const int after_ms : {0, 1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 50, 70, 100, 150}) {
        WebPeer peer(speaks(WebPeer::Codec::Pcmu));
        OwnEnd own(ours());
        peer.take_answer(own.answer(peer.offer()));
        own.run_until([] { return false; }, milliseconds(after_ms));
        EXPECT_LT(own.retire(), milliseconds(500)) << "after " << after_ms << " ms";
    }
    for (const int after_ms : {0, 1, 2, 4, 8}) {
        WebPeer peer(speaks(WebPeer::Codec::Pcmu));
        const std::string offer = peer.offer();
        OwnEnd own(ours());
        own.begin_answer(offer);
        own.run_until([] { return false; }, milliseconds(after_ms));
        EXPECT_LT(own.retire(), milliseconds(500)) << "after " << after_ms << " ms";
    }
    OwnEnd unused(ours());
}

}  // namespace
}  // namespace offhook::tests
