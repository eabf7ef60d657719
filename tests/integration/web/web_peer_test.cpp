// The web peer of the tests against itself: what it says of a stream is true before it judges the
// daemon's.

#include "harness/web_peer.h"

#include <gtest/gtest.h>

#include "harness/call_test.h"
#include "harness/web_peer_sdp.h"

namespace offhook::harness {
namespace {

constexpr double kPitchOfOne = 600, kPitchOfOther = 1000;
constexpr milliseconds kConnect = seconds(10);

std::string codec_name(WebPeer::Codec codec) {
    return codec == WebPeer::Codec::Opus ? "Opus" : codec == WebPeer::Codec::Pcma ? "Pcma" : "Pcmu";
}

class WebPeerTest : public testing::Test {
protected:
    static WebPeer::Options says(double pitch_hz, WebPeer::Codec codec = WebPeer::Codec::Pcmu) {
        WebPeer::Options options;
        options.codec = codec;
        options.sound = tone(8000, pitch_hz, 1);
        return options;
    }

    static void connect(WebPeer& one, WebPeer& other) {
        one.take_answer(other.answer(one.offer()));
        ASSERT_TRUE(one.wait_connected(kConnect));
        ASSERT_TRUE(other.wait_connected(kConnect));
    }

    static void expect_tone(const WebPeer& peer, double pitch_hz, double other_hz) {
        const Sound heard = peer.heard().part(0.5, 1.4);
        const double level = tone_level_dbov(heard.samples, heard.rate_hz, pitch_hz);
        EXPECT_NEAR(level, -15, 1.5);
        EXPECT_LT(tone_level_dbov(heard.samples, heard.rate_hz, other_hz), level - 30);
    }
};

class WebPeerCodecTest : public WebPeerTest, public testing::WithParamInterface<WebPeer::Codec> {};

TEST_P(WebPeerCodecTest, SoundGoesBothWaysWithoutABreak) {
    WebPeer one(says(kPitchOfOne, GetParam()));
    WebPeer other(says(kPitchOfOther, GetParam()));
    connect(one, other);
    ASSERT_TRUE(one.wait_packets(100, seconds(10)));
    ASSERT_TRUE(other.wait_packets(100, seconds(10)));
    const std::uint32_t step = GetParam() == WebPeer::Codec::Opus ? 960 : 160;
    for (WebPeer* peer : {&one, &other}) {
        const RtpVerdict verdict = peer->wire().judge(step);
        EXPECT_TRUE(keeps_promise(verdict));
        RecordProperty("verdict", verdict.text());
        // What arrived is what was decrypted.
        EXPECT_EQ(peer->packets().judge(step).sequence_breaks, 0U);
        EXPECT_TRUE(peer->is_peer_verified());
    }
    expect_tone(one, kPitchOfOther, kPitchOfOne);
    expect_tone(other, kPitchOfOne, kPitchOfOther);
}

INSTANTIATE_TEST_SUITE_P(Codecs,
                         WebPeerCodecTest,
                         testing::Values(WebPeer::Codec::Pcmu,
                                         WebPeer::Codec::Pcma,
                                         WebPeer::Codec::Opus),
                         [](const auto& codec) { return codec_name(codec.param); });

TEST_F(WebPeerTest, WrongFingerprintIsToldFromTheCertificate) {
    WebPeer::Options wrong = says(kPitchOfOne);
    wrong.has_wrong_fingerprint = true;
    WebPeer one(wrong);
    WebPeer other(says(kPitchOfOther));
    // GStreamer 1.22 connects all the same: that is why it has to be asked for.
    connect(one, other);
    EXPECT_FALSE(other.is_peer_verified());
    EXPECT_TRUE(one.is_peer_verified());
}

TEST_F(WebPeerTest, DigitsShareTheSsrcAndTheClock) {
    WebPeer one(says(kPitchOfOne));
    WebPeer other(says(kPitchOfOther));
    connect(one, other);
    ASSERT_TRUE(other.wait_packets(20, seconds(5)));
    one.send_digits("15#");
    ASSERT_TRUE(other.wait_more(60, seconds(5)));
    EXPECT_EQ(other.digits(), "15#");
    EXPECT_TRUE(keeps_promise(other.wire().judge()));
}

TEST_F(WebPeerTest, VanishedPeerSendsNothingAndAnswersNothing) {
    WebPeer one(says(kPitchOfOne));
    WebPeer other(says(kPitchOfOther));
    connect(one, other);
    ASSERT_TRUE(other.wait_packets(20, seconds(5)));
    one.vanish();
    // What was on its way.
    other.wait_more(3, milliseconds(100));
    EXPECT_FALSE(other.wait_more(1, milliseconds(500)));
    const std::size_t before = one.arrived();
    EXPECT_FALSE(one.wait_more(5, milliseconds(300))) << one.arrived() - before;
}

TEST_F(WebPeerTest, RestartOfIceKeepsTheStream) {
    WebPeer one(says(kPitchOfOne));
    WebPeer other(says(kPitchOfOther));
    connect(one, other);
    ASSERT_TRUE(other.wait_packets(25, seconds(5)));
    const std::string restart = one.restart_offer();
    one.take_answer(other.answer(restart));
    ASSERT_TRUE(one.wait_connected(kConnect));
    ASSERT_TRUE(other.wait_more(50, seconds(5)));
    const RtpVerdict verdict = other.wire().judge();
    EXPECT_EQ(verdict.ssrcs, 1U);
    EXPECT_EQ(verdict.sequence_breaks, 0U) << verdict.text();
    EXPECT_EQ(verdict.timestamp_breaks, 0U) << verdict.text();
}

TEST_F(WebPeerTest, MutePeerConnectsAndSendsNoRtp) {
    WebPeer::Options mute = says(kPitchOfOne);
    mute.is_mute = true;
    WebPeer one(mute);
    WebPeer other(says(kPitchOfOther));
    connect(one, other);
    ASSERT_TRUE(one.wait_packets(25, seconds(5)));
    EXPECT_EQ(other.arrived(), 0U);
}

TEST_F(WebPeerTest, ManySharedByOnePacer) {
    const auto pacer = std::make_shared<WebPacer>();
    std::vector<std::unique_ptr<WebPeer>> peers;
    for (int index = 0; index < 8; ++index) {
        WebPeer::Options options = says(kPitchOfOne);
        options.pacer = pacer;
        options.keeps_sound = false;
        peers.push_back(std::make_unique<WebPeer>(options));
    }
    for (std::size_t index = 0; index < peers.size(); index += 2) {
        connect(*peers[index], *peers[index + 1]);
    }
    for (const auto& peer : peers) {
        ASSERT_TRUE(peer->wait_packets(50, seconds(10)));
        EXPECT_TRUE(keeps_promise(peer->wire().judge()));
    }
}

TEST_F(WebPeerTest, TextsAreWhatTheySay) {
    WebPeer peer(says(kPitchOfOne));
    const std::string offer = peer.offer();
    EXPECT_EQ(payload_type_of(offer, "pcmu", 8000), 0) << offer;
    EXPECT_EQ(payload_type_of(offer, "telephone-event", 8000), 101) << offer;
    EXPECT_NE(attribute(offer, "candidate").find(" 127.0.0.1 "), std::string::npos) << offer;
    const std::string held = peer.offer_again("sendonly");
    EXPECT_NE(held.find("a=sendonly"), std::string::npos) << held;
    EXPECT_EQ(with_wrong_fingerprint(with_wrong_fingerprint(offer)), offer);
    EXPECT_NE(with_wrong_fingerprint(offer), offer);
}

}  // namespace
}  // namespace offhook::harness

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    offhook::harness::WebPeer::warm_up();
    return RUN_ALL_TESTS();
}
