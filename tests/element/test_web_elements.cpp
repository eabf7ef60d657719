// The elements of a phone leg over a WebPort: the same chain, another way for its packets.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "aitap/gstaitap.h"
#include "linekeeper/gstlinekeeper.h"
#include "model/audio_port.h"
#include "rtp/codec.h"
#include "rtp/packet.h"
#include "rtpcallsink/gstrtpcallsink.h"
#include "rtpcallsrc/gstrtpcallsrc.h"
#include "session/rtp_session.h"
#include "worker/media_worker.h"

namespace offhook::element_test {
namespace {

using model::LegCounters;

struct Wire final : session::WebPort::Out {
    bool send(std::span<const std::uint8_t> packet) noexcept override {
        sent.emplace_back(packet.begin(), packet.end());
        return true;
    }
    std::deque<std::vector<std::uint8_t>> sent;
};

/// Both chains of a leg on a stepped worker: nothing happens but by `advance`.
class WebChains : public ::testing::Test {
protected:
    void build(model::Codec codec) {
        session::RtpSession::Settings settings;
        settings.codec = codec;
        settings.payload_type = model::facts_of(codec).default_payload_type;
        settings.telephone_event_type = 101;
        settings.ssrc = 0x1234;
        session = std::make_shared<session::RtpSession>(port, settings);
        worker = *worker::MediaWorker::create_stepped("web-chains", [this] { return now_ns; });
        audio = std::make_shared<model::AudioPort>(model::facts_of(codec).sample_rate_hz);
        pipeline = gst_pipeline_new(nullptr);
        gst_object_ref_sink(pipeline);
        const auto make = [&](const char* factory) {
            GstElement* element = gst_element_factory_make(factory, nullptr);
            gst_bin_add(GST_BIN(pipeline), element);
            return element;
        };
        GstElement* in = make("rtpcallsrc");
        GstElement* tap = make("aitap");
        GstElement* voice = make("linekeeper");
        out = make("rtpcallsink");
        rtpcallsrc::set_session(in, session, "web-chains");
        aitap::set_port(tap, audio, session->counters());
        linekeeper::set_voice(voice, audio, session->counters(), "web-chains");
        rtpcallsink::set_session(out, session, "web-chains");
        ASSERT_TRUE(gst_element_link(in, tap));
        ASSERT_TRUE(gst_element_link(voice, out));
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        worker->step();
    }
    void TearDown() override {
        gst_element_set_state(pipeline, GST_STATE_NULL);
        gst_object_unref(pipeline);
    }
    void advance_ms(std::int64_t ms) {
        for (; ms > 0; --ms) {
            now_ns += worker::kTickNs;
            worker->step();
        }
    }
    /// Waits in vain for nothing: what the worker sends is there when `advance_ms` is back.
    std::size_t sent() const { return wire->sent.size(); }

    std::int64_t now_ns = 1'000'000'000;
    std::shared_ptr<session::WebPort> port = std::make_shared<session::WebPort>();
    std::shared_ptr<Wire> wire = std::make_shared<Wire>();
    std::shared_ptr<session::RtpSession> session;
    std::shared_ptr<worker::MediaWorker> worker;
    std::shared_ptr<model::AudioPort> audio;
    GstElement* pipeline = nullptr;
    GstElement* out = nullptr;
};

TEST_F(WebChains, APacketEvery20MsFromWhenATransportIsThere) {
    build(model::Codec::Pcmu);
    advance_ms(200);
    EXPECT_EQ(sent(), 0u);
    EXPECT_EQ(LegCounters::get(session->counters()->held_frames), 10u);
    port->set_out(wire);
    advance_ms(1000);
    ASSERT_EQ(sent(), 50u);
    std::uint16_t sequence = rtp::parse_packet(wire->sent[0])->sequence;
    std::uint32_t timestamp = rtp::parse_packet(wire->sent[0])->timestamp_rtp;
    for (const auto& bytes : wire->sent) {
        const auto packet = *rtp::parse_packet(bytes);
        EXPECT_EQ(packet.ssrc, 0x1234u);
        EXPECT_EQ(packet.sequence, sequence++);
        EXPECT_EQ(packet.timestamp_rtp, timestamp);
        timestamp += 160;
    }
}

TEST_F(WebChains, TheAiHearsThePeerInTheTickThePacketCame) {
    build(model::Codec::Opus);
    const auto encoder = rtp::make_encoder(model::Codec::Opus);
    const std::vector<std::int16_t> pcm(320, 1000);
    for (std::uint16_t i = 0; i < 50; ++i) {
        std::vector<std::uint8_t> packet(rtp::kMaxPacketBytes);
        const std::size_t n = encoder->encode(pcm, std::span(packet).subspan(rtp::kHeaderBytes));
        rtp::write_header(
            {session->settings().payload_type, i == 0, i, i * 960u, 77},
            std::span<std::uint8_t, rtp::kHeaderBytes>(packet.data(), rtp::kHeaderBytes));
        port->deliver(std::span(packet).first(rtp::kHeaderBytes + n));
        advance_ms(1);
        EXPECT_EQ(audio->tap.written_samples(), (i + 1u) * 320u) << "16 kHz, and at once";
        advance_ms(19);
    }
    EXPECT_EQ(LegCounters::get(session->counters()->lost_packets), 0u);
}

TEST_F(WebChains, DigitsRideOnTheSameStream) {
    build(model::Codec::Opus);
    port->set_out(wire);
    advance_ms(40);
    ASSERT_TRUE(rtpcallsink::send_digits(out, "5"));
    advance_ms(300);
    int events = 0;
    std::uint16_t sequence = rtp::parse_packet(wire->sent[0])->sequence;
    for (const auto& bytes : wire->sent) {
        const auto packet = *rtp::parse_packet(bytes);
        EXPECT_EQ(packet.ssrc, 0x1234u);
        EXPECT_EQ(packet.sequence, sequence++);
        if (packet.payload_type == 101) ++events;
    }
    EXPECT_EQ(events, 10);
}

TEST_F(WebChains, NothingIsWatchedAfterTheChainsStopped) {
    build(model::Codec::Pcmu);
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    std::vector<std::uint8_t> packet(172, 0xFF);
    rtp::write_header({0, false, 1, 160, 77},
                      std::span<std::uint8_t, rtp::kHeaderBytes>(packet.data(), rtp::kHeaderBytes));
    port->deliver(packet);
    advance_ms(40);
    EXPECT_EQ(LegCounters::get(session->counters()->received_packets), 0u);
}

}  // namespace
}  // namespace offhook::element_test
