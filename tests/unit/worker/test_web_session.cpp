// RTP over a WebPort: one stream whatever carries it, who may speak, and webrtcbin's reports read.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "base/monotonic.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"
#include "rtpcallsink/rtp_sender.h"
#include "rtpcallsrc/rtp_receiver.h"
#include "session/rtp_session.h"

namespace offhook::session {
namespace {

using model::LegCounters;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::uint32_t kSsrc = 0xC0FFEE;

/// What a transport is to the leg.
struct Wire final : WebPort::Out {
    bool send(std::span<const std::uint8_t> packet) noexcept override {
        if (!is_up) return false;
        sent.emplace_back(packet.begin(), packet.end());
        return true;
    }
    rtp::PacketView take() {
        last = sent.front();
        sent.pop_front();
        return *rtp::parse_packet(last);
    }
    bool is_up = true;
    std::deque<std::vector<std::uint8_t>> sent;
    std::vector<std::uint8_t> last;
};

struct Heard final : rtpcallsrc::ReceiverSink {
    void on_pcm(std::span<const std::int16_t> pcm) noexcept override { samples += pcm.size(); }
    void on_packet(const rtp::PacketView&) noexcept override {}
    void on_digit(const rtp::DtmfReceiver::Event& event) noexcept override {
        if (event.is_end) digits += event.digit;
    }
    std::size_t samples = 0;
    std::string digits;
};

std::vector<std::uint8_t> packet(std::uint8_t type,
                                 std::uint16_t sequence,
                                 std::uint32_t ssrc,
                                 std::size_t bytes = 160) {
    std::vector<std::uint8_t> d(rtp::kHeaderBytes + bytes, 0xFF);
    rtp::write_header({type, false, sequence, sequence * 160u, ssrc},
                      std::span<std::uint8_t, rtp::kHeaderBytes>(d.data(), rtp::kHeaderBytes));
    return d;
}

class WebSession : public ::testing::Test {
protected:
    WebSession() {
        RtpSession::Settings settings;
        settings.telephone_event_type = 101;
        settings.ssrc = kSsrc;
        session = std::make_shared<RtpSession>(port, settings);
        sender = std::make_unique<rtpcallsink::RtpSender>(session);
        receiver =
            std::make_unique<rtpcallsrc::RtpReceiver>(session, rtpcallsrc::Output::Pcm, heard);
    }
    void send_frame(std::uint64_t number) {
        const std::vector<std::int16_t> pcm(160, 500);
        sender->send_pcm(pcm, number * 160);
    }
    const LegCounters& counters() const { return *session->counters(); }

    std::shared_ptr<WebPort> port = std::make_shared<WebPort>();
    std::shared_ptr<RtpSession> session;
    std::unique_ptr<rtpcallsink::RtpSender> sender;
    Heard heard;
    std::unique_ptr<rtpcallsrc::RtpReceiver> receiver;
};

TEST_F(WebSession, SendsUnderTheSsrcItWasGiven) {
    const auto wire = std::make_shared<Wire>();
    port->set_out(wire);
    for (std::uint64_t i = 0; i < 3; ++i) send_frame(i);
    ASSERT_EQ(wire->sent.size(), 3u);
    const auto first = wire->take();
    EXPECT_EQ(first.ssrc, kSsrc);
    EXPECT_TRUE(first.marker);
    const auto sequence = first.sequence;
    EXPECT_EQ(wire->take().sequence, static_cast<std::uint16_t>(sequence + 1));
    EXPECT_EQ(LegCounters::get(counters().sent_packets), 3u);
}

// An ICE restart: another transport, the same stream.
TEST_F(WebSession, TheStreamGoesOnOverAnotherTransport) {
    const auto old_wire = std::make_shared<Wire>();
    const auto new_wire = std::make_shared<Wire>();
    port->set_out(old_wire);
    send_frame(0);
    port->set_out(new_wire);
    send_frame(1);
    const auto before = old_wire->take();
    const auto sequence = before.sequence;
    const auto timestamp = before.timestamp_rtp;
    const auto after = new_wire->take();
    EXPECT_EQ(after.ssrc, kSsrc);
    EXPECT_EQ(after.sequence, static_cast<std::uint16_t>(sequence + 1));
    EXPECT_EQ(after.timestamp_rtp, timestamp + 160);
    EXPECT_FALSE(after.marker);
}

TEST_F(WebSession, WithoutATransportFramesAreHeldAndTheClockRunsOn) {
    for (std::uint64_t i = 0; i < 10; ++i) send_frame(i);
    EXPECT_EQ(LegCounters::get(counters().held_frames), 10u);
    EXPECT_EQ(LegCounters::get(counters().send_errors), 0u);
    const auto wire = std::make_shared<Wire>();
    port->set_out(wire);
    send_frame(10);
    const auto first = wire->take();
    const auto sequence = first.sequence;
    const auto timestamp = first.timestamp_rtp;
    port->set_out(nullptr);
    for (std::uint64_t i = 11; i < 21; ++i) send_frame(i);
    port->set_out(wire);
    send_frame(21);
    const auto second = wire->take();
    EXPECT_EQ(second.sequence, static_cast<std::uint16_t>(sequence + 1));
    EXPECT_EQ(second.timestamp_rtp, timestamp + 11u * 160u);
}

TEST_F(WebSession, WhatTheTransportDoesNotTakeIsNotCountedAsSent) {
    const auto wire = std::make_shared<Wire>();
    wire->is_up = false;
    port->set_out(wire);
    send_frame(0);
    EXPECT_EQ(LegCounters::get(counters().sent_packets), 0u);
    EXPECT_EQ(LegCounters::get(counters().send_errors), 1u);
}

TEST_F(WebSession, WritesNoReportsOfItsOwn) {
    const auto wire = std::make_shared<Wire>();
    port->set_out(wire);
    send_frame(0);
    for (std::int64_t s = 1; s < 60; ++s) session->send_due_report(s * 1'000 * kMs);
    session->send_bye(61'000 * kMs);
    EXPECT_EQ(wire->sent.size(), 1u);
    EXPECT_EQ(LegCounters::get(counters().rtcp_sent), 0u);
}

TEST_F(WebSession, HearsWhatThePortHolds) {
    std::int64_t now = 1'000 * kMs;
    for (std::uint16_t i = 0; i < 50; ++i, now += 20 * kMs) {
        if (i != 20) port->deliver(packet(0, i, 42));
        receiver->receive_web(now);
        receiver->play_due(now + 10 * kMs);
    }
    EXPECT_EQ(heard.samples, 50u * 160u) << "the lost one is concealed";
    EXPECT_EQ(LegCounters::get(counters().received_packets), 49u);
    EXPECT_EQ(LegCounters::get(counters().lost_packets), 1u);
    EXPECT_EQ(LegCounters::get(counters().refused_packets), 0u);
}

TEST_F(WebSession, TakesAFewPacketsARoundOnly) {
    for (std::uint16_t i = 0; i < 20; ++i) port->deliver(packet(0, i, 42));
    receiver->receive_web(kMs);
    EXPECT_EQ(LegCounters::get(counters().received_packets), 8u);
    receiver->receive_web(2 * kMs);
    receiver->receive_web(3 * kMs);
    EXPECT_EQ(LegCounters::get(counters().received_packets), 20u);
}

// A replaced track, a peer that started over: the first packet counts. What was still on the way
// of the old one does not pull the stream back.
TEST_F(WebSession, FollowsANewSsrcAtOnce) {
    std::int64_t now = kMs;
    const auto arrives = [&](std::uint16_t sequence, std::uint32_t ssrc) {
        const auto before = LegCounters::get(counters().received_packets);
        port->deliver(packet(0, sequence, ssrc));
        receiver->receive_web(now += 20 * kMs);
        return LegCounters::get(counters().received_packets) > before;
    };
    EXPECT_TRUE(arrives(10, 1));
    EXPECT_TRUE(arrives(11, 1));
    EXPECT_TRUE(arrives(9000, 2));
    EXPECT_FALSE(arrives(12, 1)) << "late";
    EXPECT_TRUE(arrives(9001, 2));
    EXPECT_EQ(heard.samples, 4u * 160u);
    now += 300 * kMs;
    EXPECT_TRUE(arrives(40, 1)) << "the other one fell silent";
    EXPECT_FALSE(arrives(9002, 2));
    EXPECT_TRUE(arrives(5, 3));
}

TEST_F(WebSession, NumbersMayChangeInTheCall) {
    model::ChosenAudio chosen;
    chosen.payload_type = 96;
    chosen.telephone_event_type = 110;
    chosen.rtcp_mux = false;  // webrtcbin knows nothing else
    session->renegotiate(chosen);
    const auto wire = std::make_shared<Wire>();
    port->set_out(wire);
    send_frame(0);
    EXPECT_EQ(wire->take().payload_type, 96);
    EXPECT_TRUE(session->settings().rtcp_mux);
    port->deliver(packet(0, 1, 42));
    port->deliver(packet(96, 2, 42));
    receiver->receive_web(kMs);
    EXPECT_EQ(LegCounters::get(counters().received_packets), 1u);
    EXPECT_EQ(LegCounters::get(counters().refused_packets), 1u);
}

// webrtcbin's rtpsession wrote a sender's report of our stream, and the peer answers it: the times
// in it are those of the real-time clock as NTP, like ours would be.
TEST_F(WebSession, ReadsWhatThePeerReportsOfOurStream) {
    const auto sr = static_cast<std::uint32_t>(rtp::ntp_of(base::realtime_ns() - 80 * kMs) >> 16);
    rtp::ReceptionStats::Block block;
    block.cumulative_lost = 7;
    block.jitter_rtp = 40;  // 5 ms at 8000 Hz
    std::array<std::uint8_t, 256> report{};
    // Heard 50 ms ago of 80: 30 ms of round trip.
    const std::size_t n = rtp::write_report(
        42, std::nullopt, kSsrc, block, {sr, 1'000 * kMs}, "peer", false, 1'050 * kMs, report);
    port->deliver(std::span(report).first(n));
    receiver->receive_web(5 * kMs);
    EXPECT_EQ(LegCounters::get(counters().rtcp_received), 1u);
    EXPECT_EQ(LegCounters::get(counters().remote_lost_packets), 7);
    EXPECT_EQ(LegCounters::get(counters().remote_jitter_ns), 5 * kMs);
    EXPECT_NEAR(static_cast<double>(LegCounters::get(counters().round_trip_ns)), 30e6, 15e6);
    port->deliver(std::span(report).first(20));
    receiver->receive_web(6 * kMs);
    EXPECT_EQ(LegCounters::get(counters().refused_packets), 1u) << "cut off";
}

}  // namespace
}  // namespace offhook::session
