// Web legs end to end: webrtcbin peers call the daemon by SIP and by WHIP; what arrives is judged by
// its headers before decryption and by its sound after.

#include "web_call_test.h"

#include <cmath>

#include "harness/web_peer_callee.h"
#include "harness/web_peer_sdp.h"

namespace offhook::harness {
namespace {

std::string name_of(Via via) {
    return via == Via::Sip ? "Sip" : "Whip";
}

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// One stream on two paths after each other: a packet may be lost where it changes, but numbers and
/// clock go on as if nothing had happened.
void expect_one_stream(const RtpStream& stream) {
    const auto& packets = stream.packets();
    std::size_t missing = 0;
    for (std::size_t index = 1; index < packets.size(); ++index) {
        const RtpPacket& one = packets[index - 1];
        const RtpPacket& next = packets[index];
        const auto steps = static_cast<std::uint16_t>(next.sequence - one.sequence);
        EXPECT_EQ(next.ssrc, one.ssrc);
        EXPECT_EQ(next.timestamp - one.timestamp, steps * 160U);
        EXPECT_GE(steps, 1);
        missing += steps - 1U;
    }
    EXPECT_LE(missing, 2U);
    EXPECT_LE(stream.judge().longest_gap_ms, max_gap_ms());
}

class WebCallViaTest : public WebCallTest, public testing::WithParamInterface<Via> {};

INSTANTIATE_TEST_SUITE_P(Signalling,
                         WebCallViaTest,
                         testing::Values(Via::Sip, Via::Whip),
                         [](const auto& via) { return name_of(via.param); });

TEST_P(WebCallViaTest, WordsComeBackFromTheEcho) {
    start_web();
    const Sound sentence = spoken(folder_, 8000);
    WebPeer peer(says(sentence));
    ASSERT_TRUE(call_connected(peer, GetParam(), "echo"));
    const auto enough = static_cast<std::size_t>((sentence.seconds() + 2) * 50);
    ASSERT_TRUE(peer.wait_packets(enough, seconds(30)));
    EXPECT_TRUE(peer.is_peer_verified());
    EXPECT_TRUE(keeps_promise(peer, WebPeer::Codec::Pcmu));
    // By words, not by waves: what the peer says passes webrtcbin's ordinary threads on its way in,
    // so that on a busy machine the delay of the echo wanders.
    const Sound heard = peer.heard();
    const double delay_s = align(sentence, heard, 0.2, 1.5).front().delay_s;
    const Sound once = heard.part(delay_s, delay_s + sentence.seconds() + 0.25);
    EXPECT_EQ(heard_words(folder_, once), kWords);
    hang_up();
    expect_ended("caller-hangup");
}

TEST_P(WebCallViaTest, WrongFingerprintInTheOfferPassesNothing) {
    start_web();
    WebPeer::Options options = says(tone(8000, 600, 1));
    options.has_wrong_fingerprint = true;
    WebPeer peer(options);
    ASSERT_TRUE(call(peer, GetParam(), "echo"));
    EXPECT_TRUE(daemon_->wait_event("web.fingerprint_mismatch"));
    expect_ended("fingerprint-mismatch");
    // Nothing is on its way either.
    EXPECT_FALSE(peer.wait_packets(1, seconds(1)));
    EXPECT_EQ(peer.arrived(), 0U);
}

TEST_P(WebCallViaTest, VanishedPeerIsNoticedAndEnded) {
    start_web("vanish_end_s = 2\n");
    WebPeer peer(says(tone(8000, 600, 1)));
    ASSERT_TRUE(call_connected(peer, GetParam(), "mute"));
    ASSERT_TRUE(peer.wait_packets(50, kConnect));
    peer.vanish();
    const auto vanished = Clock::now();
    ASSERT_TRUE(daemon_->wait_event("web.lost", seconds(10)));
    EXPECT_LT(seconds_since(vanished), 5);
    expect_ended("peer-vanished");
    EXPECT_LT(seconds_since(vanished), 8);
}

class WebCallCodecTest : public WebCallTest, public testing::WithParamInterface<WebPeer::Codec> {};

INSTANTIATE_TEST_SUITE_P(Codecs,
                         WebCallCodecTest,
                         testing::Values(WebPeer::Codec::Pcmu,
                                         WebPeer::Codec::Pcma,
                                         WebPeer::Codec::Opus),
                         [](const auto& codec) {
                             return codec.param == WebPeer::Codec::Opus   ? "Opus"
                                    : codec.param == WebPeer::Codec::Pcma ? "Pcma"
                                                                          : "Pcmu";
                         });

// An AI that says nothing, and a peer that says nothing: there is a packet every 20 ms all the same,
// from connected on.
TEST_P(WebCallCodecTest, MuteAiAndMutePeerKeepTheLine) {
    start_web();
    WebPeer::Options options = says({}, GetParam());
    options.is_mute = true;
    WebPeer peer(options);
    ASSERT_TRUE(call_connected(peer, Via::Sip, "mute"));
    ASSERT_TRUE(peer.wait_packets(200, seconds(10)));
    EXPECT_TRUE(keeps_promise(peer, GetParam()));
    EXPECT_LT(double(peer.first_arrival_ns() - peer.connected_ns()) / 1e6, 50);
    // Comfort noise: a line that lives, not a loud one.
    const double level = level_dbov(peer.heard().samples);
    EXPECT_LT(level, -50);
    EXPECT_GT(level, -80);
}

TEST_P(WebCallCodecTest, ToneOfTheAiIsHeardAsItIs) {
    start_web();
    WebPeer peer(says({}, GetParam()));
    ASSERT_TRUE(call_connected(peer, Via::Sip, "tone"));
    ASSERT_TRUE(peer.wait_packets(150, seconds(10)));
    EXPECT_TRUE(keeps_promise(peer, GetParam()));
    const Sound heard = peer.heard().part(1, 2.5);
    const double level = level_dbov(heard.samples);
    EXPECT_GT(level, -30);
    EXPECT_NEAR(tone_level_dbov(heard.samples, heard.rate_hz, 440), level, 0.5);
}

// Ten rising tones of 200 ms written at once, every 4 s: paced, whole, in order.
TEST_F(WebCallTest, BurstOfTheAiIsPaced) {
    constexpr std::size_t kTones = 10;
    start_web();
    WebPeer peer(says({}));
    ASSERT_TRUE(call_connected(peer, Via::Sip, "burst"));
    ASSERT_TRUE(peer.wait_packets(230, seconds(15)));
    EXPECT_TRUE(keeps_promise(peer, WebPeer::Codec::Pcmu));
    std::vector<double> pitches_hz;
    for (std::size_t index = 0; index < kTones; ++index) {
        pitches_hz.push_back(440 + 100.0 * double(index));
    }
    const std::vector<HeardTone> tones = heard_tones(peer.heard(), pitches_hz);
    ASSERT_GE(tones.size(), kTones);
    for (std::size_t index = 0; index < kTones; ++index) {
        EXPECT_EQ(tones[index].frequency_hz, pitches_hz[index]);
        EXPECT_NEAR(tones[index].length_s, 0.2, 0.03);
    }
}

TEST_F(WebCallTest, DigitsGoBothWaysOnTheSameStream) {
    start_web();
    WebPeer peer(says(tone(8000, 600, 1)));
    ASSERT_TRUE(call_connected(peer, Via::Sip, "mute"));
    ASSERT_TRUE(peer.wait_packets(25, kConnect));
    const std::string id = daemon_->only_call();
    peer.send_digits("42#");
    EXPECT_EQ(daemon_->post("/api/v1/calls/" + id + "/dtmf", R"({"digits":"15*"})").status / 100,
              2);
    EXPECT_TRUE(eventually(seconds(10),
                           &daemon_->process(),
                           [&] {
                               return peer.digits() == "15*" &&
                                      daemon_->json("/api/v1/calls/" + id + "/stats")
                                              .number("stats.received_dtmf_events") == 3;
                           }))
        << peer.digits() << daemon_->get("/api/v1/calls/" + id + "/stats").body;
    ASSERT_TRUE(peer.wait_more(25, seconds(5)));
    const RtpVerdict verdict = peer.wire().judge();
    EXPECT_EQ(verdict.ssrcs, 1U) << verdict.text();
    EXPECT_EQ(verdict.sequence_breaks, 0U) << verdict.text();
    EXPECT_LE(verdict.longest_gap_ms, max_gap_ms()) << verdict.text();
}

TEST_F(WebCallTest, HeldPeerGetsNothingAndResumesContiguously) {
    start_web();
    WebPeer peer(says(tone(8000, 600, 1)));
    ASSERT_TRUE(call_connected(peer, Via::Sip, "mute"));
    ASSERT_TRUE(peer.wait_packets(50, kConnect));
    EXPECT_NE(offer_again(peer.offer_again("sendonly")).find("a=recvonly"), std::string::npos);
    // What was on its way.
    peer.wait_more(3, milliseconds(100));
    const RtpPacket last = peer.wire().packets().back();
    EXPECT_FALSE(peer.wait_more(1, seconds(1)));
    EXPECT_NE(offer_again(peer.offer_again("sendrecv")).find("a=sendrecv"), std::string::npos);
    const std::size_t before = peer.arrived();
    ASSERT_TRUE(peer.wait_packets(before + 50, seconds(5)));
    const RtpStream wire = peer.wire();
    const auto& packets = wire.packets();
    const auto next = std::find_if(packets.begin(), packets.end(), [&](const RtpPacket& packet) {
        return packet.at_s > last.at_s;
    });
    ASSERT_NE(next, packets.end());
    EXPECT_EQ(next->ssrc, last.ssrc);
    EXPECT_EQ(next->sequence, static_cast<std::uint16_t>(last.sequence + 1));
    // The clock ran on.
    EXPECT_NEAR(double(next->timestamp - last.timestamp) / 8000, next->at_s - last.at_s, 0.045);
    EXPECT_EQ(wire.judge().sequence_breaks, 0U);
}

TEST_F(WebCallTest, RestartOfIceKeepsTheStream) {
    start_web();
    WebPeer peer(says(tone(8000, 600, 1)));
    ASSERT_TRUE(call_connected(peer, Via::Sip, "echo"));
    ASSERT_TRUE(peer.wait_packets(50, kConnect));
    const std::string before = sip_->answer();
    peer.take_answer(offer_again(peer.restart_offer()));
    EXPECT_NE(attribute(before, "ice-ufrag"), attribute(sip_->answer(), "ice-ufrag"));
    EXPECT_NE(attribute(before, "fingerprint"), attribute(sip_->answer(), "fingerprint"));
    ASSERT_TRUE(peer.wait_connected(kConnect));
    EXPECT_TRUE(peer.is_peer_verified());
    EXPECT_TRUE(daemon_->wait_event("web.restarted"));
    ASSERT_TRUE(peer.wait_more(75, seconds(5)));
    expect_one_stream(peer.wire());
    // The echo of the tone is there again.
    const Sound heard = peer.heard();
    const Sound end = heard.part(heard.seconds() - 0.5, heard.seconds());
    EXPECT_GT(tone_level_dbov(end.samples, end.rate_hz, 600), -20);
}

TEST_F(WebCallTest, RestartOfIceByPatchKeepsTheStream) {
    start_web();
    WebPeer peer(says(tone(8000, 600, 1)));
    ASSERT_TRUE(call_connected(peer, Via::Whip, "echo"));
    ASSERT_TRUE(peer.wait_packets(50, kConnect));
    const std::string fragment = whip_->patch(peer.restart_offer(), true);
    ASSERT_EQ(whip_->status(), 200) << fragment;
    peer.take_fragment(fragment);
    ASSERT_TRUE(peer.wait_connected(kConnect));
    EXPECT_TRUE(daemon_->wait_event("web.restarted"));
    ASSERT_TRUE(peer.wait_more(75, seconds(5)));
    expect_one_stream(peer.wire());
}

// The daemon offers, on an account with web legs.
class WebPlacedTest : public WebCallTest {
protected:
    void place(const WebPeer::Options& options) {
        peer_ = std::make_unique<WebPeer>(options);
        callee_ = std::make_unique<WebCallee>(
            [this](const std::string& offer) { return peer_->answer(offer); });
        start_web(
            {},
            "[state]\ndirectory = \"" + (folder_ / "state").string() + "\"\n" + callee_->account());
        ASSERT_TRUE(daemon_->wait_event("account.registered"));
        const HttpAnswer answer =
            daemon_->post("/api/v1/calls", R"({"account":"office","to":"101","ai":"echo"})");
        ASSERT_EQ(answer.status, 202) << answer.body;
    }
    std::unique_ptr<WebPeer> peer_;
    std::unique_ptr<WebCallee> callee_;
};

TEST_F(WebPlacedTest, OurOfferIsAnsweredAndSoundGoesBothWays) {
    place(says(tone(8000, 600, 1)));
    EXPECT_TRUE(
        eventually(seconds(15), &daemon_->process(), [&] { return peer_->arrived() >= 150; }));
    EXPECT_TRUE(peer_->is_peer_verified());
    EXPECT_TRUE(keeps_promise(*peer_, WebPeer::Codec::Pcmu));
    const Sound heard = peer_->heard().part(1, 2.5);
    EXPECT_NEAR(tone_level_dbov(heard.samples, heard.rate_hz, 600), -15, 1.5);
}

TEST_F(WebPlacedTest, WrongFingerprintInTheAnswerPassesNothing) {
    WebPeer::Options options = says(tone(8000, 600, 1));
    options.has_wrong_fingerprint = true;
    place(options);
    EXPECT_TRUE(daemon_->wait_event("web.fingerprint_mismatch"));
    expect_ended("fingerprint-mismatch");
    EXPECT_FALSE(peer_->wait_packets(1, seconds(1)));
    EXPECT_TRUE(
        eventually(seconds(5), &daemon_->process(), [&] { return callee_->was_hung_up(); }));
}

}  // namespace
}  // namespace offhook::harness

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    offhook::harness::WebPeer::warm_up();
    return RUN_ALL_TESTS();
}
