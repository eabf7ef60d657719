// From a bot's samples to the packets on the wire and back to the bot: what left, when, and bit by
// bit.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ai/playout.h"
#include "linekeeper/gstlinekeeper.h"
#include "model/audio_port.h"
#include "rtp/codec.h"
#include "rtp/packet.h"
#include "rtpcallsink/gstrtpcallsink.h"
#include "session/rtp_session.h"
#include "worker/media_worker.h"

namespace offhook::element_test {
namespace {

using Samples = std::vector<std::int16_t>;
using Range = std::pair<std::uint64_t, std::uint64_t>;

constexpr std::size_t kFade = 40;  // 5 ms

struct Wire final : session::WebPort::Out {
    bool send(std::span<const std::uint8_t> packet) noexcept override {
        if (is_full) return false;
        const auto view = rtp::parse_packet(packet);
        payload.insert(payload.end(), view->payload.begin(), view->payload.end());
        return true;
    }
    bool is_full = false;
    std::vector<std::uint8_t> payload;
};

Samples decoded(std::span<const std::uint8_t> codes) {
    const auto decoder = rtp::make_decoder(model::Codec::Pcmu);
    Samples pcm(codes.size());
    for (std::size_t at = 0; at < codes.size(); at += 160) {
        const std::size_t n = std::min<std::size_t>(160, codes.size() - at);
        EXPECT_EQ(decoder->decode(codes.subspan(at, n), std::span(pcm).subspan(at, n)), n);
    }
    return pcm;
}

/// Random values that mu-law has, none of them 0: what is heard can be told from filler.
Samples speech(std::size_t samples) {
    std::mt19937 random(11);
    std::vector<std::uint8_t> codes(samples);
    for (auto& code : codes)
        code = static_cast<std::uint8_t>(random() % 127 + (random() % 2) * 128);
    return decoded(codes);
}

struct Recorder final : ai::Playout::Events {
    void on_mark(const std::string& name, bool is_played, std::uint64_t) override {
        (is_played ? played : cleared).push_back(name);
    }
    void on_dropped(std::uint64_t from, std::uint64_t to) override {
        dropped.emplace_back(from, to);
    }
    void on_started(std::uint64_t position, std::int64_t) override { started.push_back(position); }
    void on_drained(std::uint64_t) override { ++drained; }

    std::vector<std::string> played, cleared;
    std::vector<Range> dropped;
    std::vector<std::uint64_t> started;
    int drained = 0;
};

/// Holds buffers back before they reach the sink, as an element between may.
class Delay {
public:
    Delay(GstPad* pad, std::size_t frames) : pad_(pad), frames_(frames) {
        gst_pad_add_probe(pad_, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
    }
    ~Delay() {
        for (GstBuffer* buffer : held_) gst_buffer_unref(buffer);
        gst_object_unref(pad_);
    }
    Delay(const Delay&) = delete;
    Delay& operator=(const Delay&) = delete;

private:
    static GstPadProbeReturn on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
        auto& self = *static_cast<Delay*>(data);
        if (self.is_passing_) return GST_PAD_PROBE_OK;
        self.held_.push_back(gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info)));
        if (self.held_.size() > self.frames_) {
            self.is_passing_ = true;
            gst_pad_chain(pad, self.held_.front());
            self.is_passing_ = false;
            self.held_.pop_front();
        }
        return GST_PAD_PROBE_DROP;
    }

    GstPad* pad_;
    std::size_t frames_;
    std::deque<GstBuffer*> held_;
    bool is_passing_ = false;
};

/// The outbound chain of a leg on a stepped worker, and a bot's playout that looks every 10 ms.
class PlayoutChain : public ::testing::Test {
protected:
    explicit PlayoutChain(model::Codec codec = model::Codec::Pcmu) : codec_(codec) {}
    /// @param between  elements, each with its "! "
    void build(const std::string& between = "") {
        session::RtpSession::Settings settings;
        settings.codec = codec_;
        settings.payload_type = model::facts_of(codec_).default_payload_type;
        settings.telephone_event_type = 101;
        session = std::make_shared<session::RtpSession>(port, settings);
        port->set_out(wire);
        worker = *worker::MediaWorker::create_stepped("playout-chain", [this] { return now_ns; });
        const std::string launch =
            "linekeeper name=voice fill=silence ! " + between + "rtpcallsink name=out";
        chain = gst_parse_launch(launch.c_str(), nullptr);
        gst_object_ref_sink(chain);
        GstElement* voice = gst_bin_get_by_name(GST_BIN(chain), "voice");
        sink = gst_bin_get_by_name(GST_BIN(chain), "out");
        linekeeper::set_voice(voice, audio, session->counters(), "playout-chain");
        rtpcallsink::set_session(sink, session, "playout-chain");
        rtpcallsink::set_port(sink, audio);
        gst_object_unref(voice);
        gst_element_set_state(chain, GST_STATE_PLAYING);
        worker->step();
    }
    void TearDown() override {
        gst_element_set_state(chain, GST_STATE_NULL);
        gst_object_unref(sink);
        gst_object_unref(chain);
    }
    void advance_ms(int ms) {
        for (; ms > 0; --ms) {
            now_ns += worker::kTickNs;
            worker->step();
            if (now_ns / worker::kTickNs % 10 == 0) playout.look(now_ns);
        }
    }
    void expect_accounted() {
        const ai::Playout::Totals totals = playout.totals();
        EXPECT_EQ(totals.written, totals.left + totals.cleared + totals.overflowed + totals.queued);
    }
    /// Where `pcm`, without the fades at its ends, is in what was sent; npos: nowhere.
    std::size_t found(std::span<const std::int16_t> pcm) {
        const Samples heard = decoded(wire->payload);
        const auto at = std::search(heard.begin(),
                                    heard.end(),
                                    pcm.begin() + kFade,
                                    pcm.end() - static_cast<std::ptrdiff_t>(kFade));
        return at == heard.end() ? std::string::npos
                                 : static_cast<std::size_t>(at - heard.begin()) - kFade;
    }

    const model::Codec codec_;
    const std::uint32_t rate_hz = model::facts_of(codec_).sample_rate_hz;
    std::int64_t now_ns = 1'000'000'000;
    std::shared_ptr<session::WebPort> port = std::make_shared<session::WebPort>();
    std::shared_ptr<Wire> wire = std::make_shared<Wire>();
    std::shared_ptr<session::RtpSession> session;
    std::shared_ptr<worker::MediaWorker> worker;
    std::shared_ptr<model::AudioPort> audio = std::make_shared<model::AudioPort>(rate_hz);
    Recorder events;
    ai::Playout playout{audio, rate_hz, 60'000, events};
    GstElement* chain = nullptr;
    GstElement* sink = nullptr;
};

TEST_F(PlayoutChain, AMinuteInOneBurstIsPacedAndBitExact) {
    build();
    const Samples minute = speech(480'000);
    playout.write(minute);
    playout.mark("end");
    advance_ms(30'000);
    EXPECT_NEAR(static_cast<double>(playout.totals().left), 240'000, 160);
    advance_ms(29'900);
    EXPECT_TRUE(events.played.empty());
    advance_ms(200);
    EXPECT_EQ(events.played, std::vector<std::string>{"end"});
    EXPECT_EQ(playout.totals().left, 480'000U);
    EXPECT_NE(found(minute), std::string::npos);
    EXPECT_EQ(events.started, std::vector<std::uint64_t>{0});
    EXPECT_EQ(events.drained, 1);
    EXPECT_TRUE(events.dropped.empty());
}

TEST_F(PlayoutChain, ABotThatDribblesInRealTimeIsChoppedAtItsStartOnly) {
    build();
    const Samples all = speech(80'000);
    std::size_t given = 0;
    for (int ms = 0; given < all.size(); ++ms) {
        if (ms % 7 == 0) {
            const std::size_t n = std::min<std::size_t>(56, all.size() - given);
            playout.write(std::span(all).subspan(given, n));
            given += n;
        }
        advance_ms(1);
    }
    advance_ms(200);
    EXPECT_EQ(playout.totals().left, all.size());
    EXPECT_TRUE(events.dropped.empty());
    // What came first is played at once; behind it, with the reserve that the line keeper then has,
    // everything is whole.
    EXPECT_LE(events.started.size(), 3U);
    EXPECT_NE(found(std::span(all).subspan(480)), std::string::npos);
}

TEST_F(PlayoutChain, AMarkWaitsForAnElementThatDelays) {
    build("identity ! ");
    Delay delay(gst_element_get_static_pad(sink, "sink"), 10);
    const Samples word = speech(800);
    playout.write(word);
    playout.mark("word");
    advance_ms(200);
    EXPECT_EQ(audio->voice.queued_samples(), 0U) << "the line has taken it all";
    EXPECT_TRUE(events.played.empty());
    EXPECT_EQ(playout.totals().queued, 800U);
    advance_ms(110);
    EXPECT_EQ(events.played, std::vector<std::string>{"word"});
    EXPECT_NE(found(word), std::string::npos);
    expect_accounted();
}

TEST_F(PlayoutChain, AMarkOnAStockPipelineIsTheSame) {
    build("mulawenc ! rtppcmupay min-ptime=20000000 max-ptime=20000000 ! ");
    Delay delay(gst_element_get_static_pad(sink, "sink"), 3);
    advance_ms(100);
    const Samples word = speech(800);
    playout.write(word);
    playout.mark("word");
    advance_ms(140);
    EXPECT_TRUE(events.played.empty());
    advance_ms(60);
    EXPECT_EQ(events.played, std::vector<std::string>{"word"});
    EXPECT_NE(found(word), std::string::npos);
    EXPECT_EQ(playout.totals().left, 800U);
    ASSERT_GT(audio->sent_levels.written(), 5U) << "the line keeper measures for it";
    expect_accounted();
}

class OpusPlayoutChain : public PlayoutChain {
protected:
    OpusPlayoutChain() : PlayoutChain(model::Codec::Opus) {}
};

TEST_F(OpusPlayoutChain, AStockEncoderWithALookAheadIsTheSame) {
    build(
        "opusenc frame-size=20 bitrate=24000 ! rtpopuspay pt=96 min-ptime=20000000 "
        "max-ptime=20000000 ! ");
    advance_ms(100);
    playout.write(Samples(4800, 1000));
    playout.mark("word");
    advance_ms(280);
    EXPECT_TRUE(events.played.empty());
    advance_ms(60);
    EXPECT_EQ(events.played, std::vector<std::string>{"word"});
    EXPECT_EQ(playout.totals().left, 4800U);
    EXPECT_EQ(events.started.size(), 1U);
    EXPECT_TRUE(events.dropped.empty());
}

TEST_F(PlayoutChain, BuffersThatAreCutAnewAreStillKnown) {
    // 7 ms pieces, with the time stamps that an element of the kind gives.
    build("audiobuffersplit output-buffer-duration=7/1000 ! ");
    const Samples word = speech(1600);
    playout.write(word);
    playout.mark("word");
    advance_ms(190);
    EXPECT_TRUE(events.played.empty());
    advance_ms(60);
    EXPECT_EQ(events.played, std::vector<std::string>{"word"});
    EXPECT_NE(found(word), std::string::npos);
    expect_accounted();
}

TEST_F(PlayoutChain, WhatIsHeldOrRefusedIsDropped) {
    build();
    playout.write(speech(8000));
    playout.mark("first second");
    advance_ms(200);
    session->set_sending(false);  // the peer asked for nothing
    advance_ms(200);
    session->set_sending(true);
    advance_ms(200);
    wire->is_full = true;
    advance_ms(100);
    wire->is_full = false;
    port->set_out(nullptr);  // a web leg without transport
    advance_ms(100);
    port->set_out(wire);
    advance_ms(400);
    EXPECT_EQ(events.dropped, std::vector<Range>({{1600, 3200}, {4800, 6400}}));
    EXPECT_EQ(playout.totals().left, 4800U);
    EXPECT_EQ(playout.totals().cleared, 3200U);
    EXPECT_EQ(playout.totals().queued, 0U);
    EXPECT_EQ(events.played, std::vector<std::string>{"first second"});
    EXPECT_EQ(wire->payload.size(), audio->sent_levels.written() * 160);
}

TEST_F(PlayoutChain, ADigitTakesThePlaceOfSound) {
    build();
    playout.write(speech(8000));
    advance_ms(100);
    ASSERT_TRUE(rtpcallsink::send_digits(sink, "5"));
    advance_ms(1000);
    const ai::Playout::Totals totals = playout.totals();
    EXPECT_EQ(totals.left + totals.cleared, 8000U);
    EXPECT_EQ(totals.cleared, 10U * 160) << "ten packets of a digit";
    EXPECT_EQ(events.dropped.size(), 1U);
}

TEST_F(PlayoutChain, ClearStopsWithinATickAndSaysWhere) {
    build();
    const Samples all = speech(8000);
    playout.write(all);
    playout.mark("end");
    advance_ms(205);
    playout.clear();
    advance_ms(30);
    const ai::Playout::Totals totals = playout.totals();
    EXPECT_EQ(totals.queued, 0U);
    ASSERT_EQ(events.dropped.size(), 1U);
    EXPECT_EQ(events.dropped[0], Range(totals.left, 8000));
    EXPECT_EQ(totals.left % 160, kFade) << "frames, and the 5 ms of the fade";
    EXPECT_LE(totals.left, 1600U + 160 + kFade);
    EXPECT_EQ(events.cleared, std::vector<std::string>{"end"});
    const Samples heard = decoded(wire->payload);
    const auto voice_end =
        std::find_if(heard.rbegin(), heard.rend(), [](std::int16_t s) { return s != 0; });
    // The fade's last values may round to nothing.
    EXPECT_NEAR(static_cast<double>(heard.rend() - voice_end),
                static_cast<double>(found(std::span(all).first(totals.left)) + totals.left),
                10);
}

TEST_F(PlayoutChain, APauseLosesNothingAndDoublesNothing) {
    build();
    const Samples all = speech(8000);
    playout.write(all);
    advance_ms(205);
    playout.pause();
    advance_ms(500);
    const std::uint64_t stopped = playout.totals().left;
    EXPECT_LE(stopped, 1600U + 160 + kFade);
    playout.resume();
    advance_ms(1100);
    EXPECT_EQ(playout.totals().left, 8000U);
    EXPECT_TRUE(events.dropped.empty());
    EXPECT_EQ(events.started, std::vector<std::uint64_t>({0, stopped}));
    const std::size_t first = found(std::span(all).first(stopped));
    const std::size_t second = found(std::span(all).subspan(stopped));
    ASSERT_NE(first, std::string::npos);
    ASSERT_NE(second, std::string::npos);
    const Samples heard = decoded(wire->payload);
    for (std::size_t at = first + stopped; at < second; ++at) ASSERT_EQ(heard[at], 0);
}

// What a bot sends as mu-law goes through S16 and leaves as the same codes. One has a twin: 0x7F is
// minus 0, which S16 has not, and leaves as 0xFF.
TEST_F(PlayoutChain, EveryMuLawCodeLeavesAsItCame) {
    build();
    std::vector<std::uint8_t> codes(160, 0xD5);  // for the fade
    for (int round = 0; round < 3; ++round)
        for (int code = 0; code < 256; ++code) codes.push_back(static_cast<std::uint8_t>(code));
    codes.insert(codes.end(), 160, 0xD5);
    playout.write(decoded(codes));
    advance_ms(300);
    std::replace(codes.begin(), codes.end(), std::uint8_t{0x7F}, std::uint8_t{0xFF});
    const auto at = std::search(
        wire->payload.begin(), wire->payload.end(), codes.begin() + kFade, codes.end() - kFade);
    EXPECT_NE(at, wire->payload.end());
}

TEST_F(PlayoutChain, LevelsAreOfWhatLeft) {
    build();
    advance_ms(100);
    ASSERT_EQ(audio->sent_levels.written(), 5U);
    EXPECT_EQ(audio->sent_levels.at(4).level_cdb, -12700);
    playout.write(Samples(1600, 3277));
    advance_ms(100);
    ASSERT_EQ(audio->sent_levels.written(), 10U);
    EXPECT_NEAR(audio->sent_levels.at(8).level_cdb, -2000, 5);
    EXPECT_GT(audio->sent_levels.at(9).left_ms, 0);
    session->set_sending(false);
    advance_ms(100);
    EXPECT_EQ(audio->sent_levels.written(), 10U);
}

}  // namespace
}  // namespace offhook::element_test
