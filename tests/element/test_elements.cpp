// The other elements at their pads: copy, caps, renumbering, what they refuse.
#include <gst/check/gstharness.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "aitap/gstaitap.h"
#include "model/audio_port.h"
#include "rtp/packet.h"
#include "rtpcallsink/gstrtpcallsink.h"
#include "rtpcallsrc/gstrtpcallsrc.h"
#include "session/rtp_session.h"
#include "worker/media_worker.h"

namespace offhook::element_test {
namespace {

constexpr const char* kCaps = "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved";

GstBuffer* frame(std::int16_t value, guint64 offset, std::size_t samples = 160) {
    const std::vector<std::int16_t> pcm(samples, value);
    GstBuffer* buffer = gst_buffer_new_memdup(pcm.data(), pcm.size() * 2);
    GST_BUFFER_OFFSET(buffer) = offset;
    return buffer;
}

/// Gets one RTP packet at a socket of ours.
std::vector<std::uint8_t> receive(const session::SocketPair& at) {
    std::vector<std::uint8_t> bytes(2048);
    pollfd wait{.fd = at.rtp_fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&wait, 1, 5000), 1);
    bytes.resize(static_cast<std::size_t>(
        std::max<ssize_t>(0, recv(at.rtp_fd(), bytes.data(), bytes.size(), 0))));
    return bytes;
}

TEST(AiTapElement, PassesBuffersUntouchedAndCopiesThem) {
    GstElement* tap = gst_element_factory_make("aitap", nullptr);
    gst_object_ref_sink(tap);
    auto port = std::make_shared<model::AudioPort>(8000);
    aitap::set_port(tap, port, std::make_shared<model::LegCounters>());
    GstHarness* h = gst_harness_new_with_element(tap, "sink", "src");
    gst_harness_set_src_caps_str(h, kCaps);
    for (int i = 0; i < 10; ++i) {
        GstBuffer* in = frame(static_cast<std::int16_t>(i), static_cast<guint64>(i) * 160);
        GstBuffer* same = in;
        ASSERT_EQ(gst_harness_push(h, in), GST_FLOW_OK);
        GstBuffer* out = gst_harness_pull(h);
        EXPECT_EQ(out, same) << "no copy is made of what passes";
        gst_buffer_unref(out);
    }
    std::vector<std::int16_t> heard(2000);
    heard.resize(port->tap.read(heard));
    ASSERT_EQ(heard.size(), 1600u);
    EXPECT_EQ(heard[0], 0);
    EXPECT_EQ(heard[1599], 9);
    gst_harness_teardown(h);
    gst_object_unref(tap);
}

TEST(AiTapElement, MayEndAChain) {
    GstElement* tap = gst_element_factory_make("aitap", nullptr);
    gst_object_ref_sink(tap);
    GstHarness* h = gst_harness_new_with_element(tap, "sink", nullptr);
    gst_harness_set_src_caps_str(h, kCaps);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(gst_harness_push(h, frame(1, 0)), GST_FLOW_OK);
    guint64 samples = 0;
    g_object_get(tap, "samples", &samples, nullptr);
    EXPECT_EQ(samples, 800u);
    gst_harness_teardown(h);
    gst_object_unref(tap);
}

TEST(RtpCallSinkElement, SendsOnePacketAFrameOnOneStream) {
    auto peer = std::move(*session::SocketPair::open("127.0.0.1", 0));
    GstElement* sink = gst_element_factory_make("rtpcallsink", nullptr);
    gst_object_ref_sink(sink);
    g_object_set(sink, "remote-port", static_cast<guint>(peer.port()), nullptr);
    GstHarness* h = gst_harness_new_with_element(sink, "sink", nullptr);
    gst_harness_set_src_caps_str(h, kCaps);
    std::set<std::uint32_t> ssrcs;
    std::optional<std::uint16_t> last;
    for (guint64 i = 0; i < 20; ++i) {
        ASSERT_EQ(gst_harness_push(h, frame(100, i * 160)), GST_FLOW_OK);
        const auto bytes = receive(peer);
        const auto packet = rtp::parse_packet(bytes);
        ASSERT_TRUE(packet);
        if (last) {
            EXPECT_EQ(packet->sequence, static_cast<std::uint16_t>(*last + 1));
        }
        last = packet->sequence;
        ssrcs.insert(packet->ssrc);
        EXPECT_EQ(packet->payload_type, 0);
    }
    EXPECT_EQ(ssrcs.size(), 1u);
    gst_harness_teardown(h);
    gst_object_unref(sink);
}

TEST(RtpCallSinkElement, CarriesAStockPayloader) {
    auto peer = std::move(*session::SocketPair::open("127.0.0.1", 0));
    const std::string launch =
        "mulawenc ! rtppcmupay min-ptime=20000000 max-ptime=20000000 ! rtpcallsink remote-port=" +
        std::to_string(peer.port());
    GstElement* chain = gst_parse_bin_from_description(launch.c_str(), TRUE, nullptr);
    gst_object_ref_sink(chain);
    GstHarness* h = gst_harness_new_with_element(chain, "sink", nullptr);
    gst_harness_set_src_caps_str(h, kCaps);
    std::optional<rtp::PacketView> first;
    for (guint64 i = 0; i < 10; ++i) {
        GstBuffer* buffer = frame(1000, i * 160);
        GST_BUFFER_PTS(buffer) = i * 20 * GST_MSECOND;
        GST_BUFFER_DURATION(buffer) = 20 * GST_MSECOND;
        ASSERT_EQ(gst_harness_push(h, buffer), GST_FLOW_OK);
        const auto bytes = receive(peer);
        auto packet = rtp::parse_packet(bytes);
        ASSERT_TRUE(packet);
        EXPECT_EQ(packet->payload.size(), 160u);
        packet->payload = {};
        if (!first) first = packet;
        EXPECT_EQ(packet->sequence, static_cast<std::uint16_t>(first->sequence + i));
        EXPECT_EQ(packet->timestamp_rtp,
                  first->timestamp_rtp + 160u * static_cast<std::uint32_t>(i));
    }
    gst_harness_teardown(h);
    gst_object_unref(chain);
}

TEST(RtpCallSinkElement, RefusesARateThatIsNotItsCodecs) {
    GstElement* sink = gst_element_factory_make("rtpcallsink", nullptr);
    gst_object_ref_sink(sink);
    GstHarness* h = gst_harness_new_with_element(sink, "sink", nullptr);
    gst_harness_set_src_caps_str(
        h, "audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved");
    EXPECT_NE(gst_harness_push(h, frame(0, 0, 320)), GST_FLOW_OK);
    gst_harness_teardown(h);
    gst_object_unref(sink);
}

TEST(RtpCallSrcElement, DecodesWhatComesToItsPort) {
    std::int64_t now = 1'000'000'000;
    auto worker = *worker::MediaWorker::create_stepped("src-element", [&] { return now; });
    GstElement* src = gst_element_factory_make("rtpcallsrc", nullptr);
    gst_object_ref_sink(src);
    auto peer = std::move(*session::SocketPair::open("127.0.0.1", 0));
    g_object_set(
        src, "context", "src-element", "remote-port", static_cast<guint>(peer.port()), nullptr);
    GstHarness* h = gst_harness_new_with_element(src, nullptr, "src");
    gst_harness_play(h);
    worker->step();
    guint port = 0;
    g_object_get(src, "port", &port, nullptr);
    ASSERT_NE(port, 0u);
    const auto to = *session::Endpoint::make("127.0.0.1", static_cast<std::uint16_t>(port));
    int out = 0;
    for (std::uint16_t i = 0; i < 25; ++i) {
        std::array<std::uint8_t, 172> packet{};
        rtp::write_header(
            {0, i == 0, i, i * 160u, 7},
            std::span<std::uint8_t, rtp::kHeaderBytes>(packet.data(), rtp::kHeaderBytes));
        ASSERT_EQ(sendto(peer.rtp_fd(), packet.data(), packet.size(), 0, to.data(), to.size()),
                  172);
        now += 20'000'000;
        worker->step();
        while (GstBuffer* buffer = gst_harness_try_pull(h)) {
            EXPECT_EQ(GST_BUFFER_OFFSET(buffer), static_cast<guint64>(out++) * 160);
            gst_buffer_unref(buffer);
        }
    }
    EXPECT_EQ(out, 25);
    gst_harness_teardown(h);
    gst_object_unref(src);
}

TEST(RtpCallSrcElement, AndItsSinkShareOneSocketByName) {
    GstElement* src = gst_element_factory_make("rtpcallsrc", nullptr);
    GstElement* sink = gst_element_factory_make("rtpcallsink", nullptr);
    gst_object_ref_sink(src);
    gst_object_ref_sink(sink);
    g_object_set(src, "session", "pair", nullptr);
    g_object_set(sink, "session", "pair", nullptr);
    gst_element_set_state(src, GST_STATE_READY);
    gst_element_set_state(sink, GST_STATE_READY);
    guint src_port = 0;
    guint sink_port = 1;
    g_object_get(src, "port", &src_port, nullptr);
    g_object_get(sink, "port", &sink_port, nullptr);
    EXPECT_EQ(src_port, sink_port);
    gst_element_set_state(src, GST_STATE_NULL);
    gst_element_set_state(sink, GST_STATE_NULL);
    gst_object_unref(src);
    gst_object_unref(sink);
}

TEST(CallStatsElement, CountsWhatPasses) {
    GstHarness* h = gst_harness_new("callstats");
    GstElement* stats_element = gst_harness_find_element(h, "callstats");
    gst_harness_set_src_caps_str(h, kCaps);
    for (guint64 i = 0; i < 60; ++i) {
        ASSERT_EQ(gst_harness_push(h, frame(3276, i * 160)), GST_FLOW_OK);
        gst_buffer_unref(gst_harness_pull(h));
    }
    GstStructure* stats = nullptr;
    g_object_get(stats_element, "stats", &stats, nullptr);
    guint64 samples = 0;
    gdouble level = 0;
    gst_structure_get_uint64(stats, "samples", &samples);
    gst_structure_get_double(stats, "level-dbov", &level);
    EXPECT_EQ(samples, 9600u);
    EXPECT_NEAR(level, -20, 0.1);
    gst_structure_free(stats);
    gst_object_unref(stats_element);
    gst_harness_teardown(h);
}

}  // namespace
}  // namespace offhook::element_test
