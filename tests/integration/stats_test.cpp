// What the daemon reports of a call's RTP is what a capture shows: packets, bytes, loss, jitter, gaps.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "harness/call_test.h"
#include "harness/g711.h"
#include "harness/own_caller.h"
#include "harness/stats_list.h"

namespace offhook::harness {
namespace {

constexpr int kPackets = 300;
constexpr int kLateMs = 8;  ///< every other packet
constexpr milliseconds kStop{150};

/// Six seconds of a tone, every other packet late, some in no packet at all.
std::vector<MadePacket> bad_line(const std::vector<int>& lost) {
    std::vector<std::uint8_t> bytes;
    for (const std::int16_t sample : tone(8000, 440, 0.02 * kPackets).samples)
        bytes.push_back(mulaw_of(sample));
    const auto all = packets_of(bytes, 20, 0, 100);
    std::vector<MadePacket> sent;
    for (int i = 0; i < static_cast<int>(all.size()); ++i) {
        if (std::find(lost.begin(), lost.end(), i) != lost.end()) continue;
        sent.push_back(all[static_cast<std::size_t>(i)]);
        if (i % 2 != 0) sent.back().at_ms += kLateMs;
    }
    return sent;
}

/// RFC 3550 A.8 over the capture's times, in ms.
double jitter_ms(const std::vector<RtpPacket>& packets) {
    double jitter = 0;
    for (std::size_t i = 1; i < packets.size(); ++i) {
        const double ticks =
            static_cast<std::int32_t>(packets[i].timestamp - packets[i - 1].timestamp);
        const double transit_ms = (packets[i].at_s - packets[i - 1].at_s) * 1000 - ticks / 8;
        jitter += (std::abs(transit_ms) - jitter) / 16;
    }
    return jitter;
}

std::vector<RtpPacket> until(const RtpStream& stream, double at_s) {
    std::vector<RtpPacket> packets = stream.packets();
    std::erase_if(packets, [&](const RtpPacket& packet) { return packet.at_s > at_s; });
    return packets;
}

std::size_t payload_bytes(const std::vector<RtpPacket>& packets) {
    std::size_t bytes = 0;
    for (const RtpPacket& packet : packets) bytes += packet.payload.size();
    return bytes;
}

class StatsTest : public CallTest {
protected:
    StatsList report(const std::string& id) {
        return StatsList(daemon_->json("/api/v1/calls/" + id + "/webrtc-stats"));
    }
    /// What tshark itself says was lost of the stream sent from `port`.
    int lost_by_tshark(std::uint16_t port) {
        const std::string table = run({"tshark",
                                       "-n",
                                       "-r",
                                       (folder_ / "capture.pcapng").string(),
                                       "-d",
                                       "udp.port==" + std::to_string(port) + ",rtp",
                                       "-q",
                                       "-z",
                                       "rtp,streams"},
                                      seconds(60));
        std::istringstream lines(table);
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::string start, end, from, to, ssrc, payload;
            unsigned from_port = 0, to_port = 0, packets = 0;
            int lost = -1;
            if (words >> start >> end >> from >> from_port >> to >> to_port >> ssrc >> payload >>
                    packets >> lost &&
                from_port == port) {
                return lost;
            }
        }
        ADD_FAILURE() << "tshark shows no such stream:\n" << table;
        return -1;
    }
};

TEST_F(StatsTest, TheReportIsWhatTheCaptureShows) {
    start();
    start_capture();
    RtpEnd end("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    OwnCaller::Offer offer;
    offer.port = end.port();
    ASSERT_EQ(caller.invite(offer), 200);
    end.set_peer(caller.answer_port());
    const std::string id = daemon_->only_call();

    // A gap of ours that the longest one can be told from.
    ASSERT_TRUE(end.wait_rtp(20, seconds(5)));
    daemon_->process().signal(SIGSTOP);
    EXPECT_FALSE(end.wait_rtp(1000, kStop));
    daemon_->process().signal(SIGCONT);
    const std::vector<int> lost{50, 100, 101, 102, 150, 200, 201};
    end.exchange(bad_line(lost), milliseconds(20 * kPackets + 400));

    const StatsList report = this->report(id);
    const Json call = daemon_->json("/api/v1/calls/" + id);
    const Json history = daemon_->json("/api/v1/calls/" + id + "/history?resolution=1s");
    EXPECT_EQ(caller.bye(), 200);
    const double now_s = report.json().number("timestamp") / 1000;

    const auto theirs = inbound().packets();
    const auto ours = until(outbound(), now_s);
    ASSERT_EQ(theirs.size(), kPackets - lost.size());
    ASSERT_FALSE(ours.empty());

    // inbound
    EXPECT_EQ(report.number_of("inbound-rtp", "ssrc"), theirs.front().ssrc);
    EXPECT_EQ(report.number_of("inbound-rtp", "packetsReceived"), theirs.size());
    EXPECT_EQ(report.number_of("inbound-rtp", "bytesReceived"), payload_bytes(theirs));
    EXPECT_EQ(report.number_of("inbound-rtp", "headerBytesReceived"), theirs.size() * 12);
    EXPECT_EQ(report.number_of("inbound-rtp", "packetsLost"), lost.size());
    EXPECT_EQ(lost_by_tshark(end.port()), static_cast<int>(lost.size()));
    EXPECT_EQ(report.number_of("inbound-rtp", "concealmentEvents"), 4);
    EXPECT_EQ(report.number_of("inbound-rtp", "concealedSamples"), lost.size() * 160);
    const double seen_jitter_ms = jitter_ms(theirs);
    EXPECT_GT(seen_jitter_ms, kLateMs / 2.0);  // the test made some
    EXPECT_NEAR(report.number_of("inbound-rtp", "jitter") * 1000, seen_jitter_ms, 1.5);
    EXPECT_NEAR(report.number_of("inbound-rtp", "lastPacketReceivedTimestamp") / 1000,
                theirs.back().at_s,
                0.01);

    // outbound; a packet may leave while the report is made
    EXPECT_EQ(report.number_of("outbound-rtp", "ssrc"), ours.front().ssrc);
    EXPECT_NEAR(
        report.number_of("outbound-rtp", "packetsSent"), static_cast<double>(ours.size()), 1);
    EXPECT_NEAR(report.number_of("outbound-rtp", "bytesSent"),
                static_cast<double>(payload_bytes(ours)),
                160);
    EXPECT_NEAR(report.number_of("outbound-rtp", "headerBytesSent"),
                static_cast<double>(ours.size() * 12),
                12);
    const double seen_gap_ms = RtpStream(ours).judge().longest_gap_ms;
    EXPECT_GT(seen_gap_ms, static_cast<double>(kStop.count()) - 20);
    EXPECT_NEAR(call.number("quality.max_gap_ms"), seen_gap_ms, 10);

    // the way
    EXPECT_EQ(report.text_of("remote-candidate", "address"), "127.0.0.1");
    EXPECT_EQ(report.number_of("remote-candidate", "port"), end.port());
    EXPECT_EQ(report.number_of("local-candidate", "port"), caller.answer_port());
    EXPECT_EQ(report.text_of("candidate-pair", "state"), "succeeded");

    // quality and history
    EXPECT_NEAR(call.number("quality.loss_share"), 7.0 / kPackets, 1e-9);
    EXPECT_GT(call.number("quality.mos"), 3.9);
    EXPECT_LT(call.number("quality.mos"), 4.35);
    double sent = 0, history_lost = 0, gap_ms = 0;
    const std::size_t rows = history.size("columns.t");
    EXPECT_GE(rows, 5U);
    for (std::size_t i = 0; i < rows; ++i) {
        const std::string row = "." + std::to_string(i);
        sent += history.number("columns.sent" + row);
        history_lost += history.number("columns.lost" + row);
        gap_ms = std::max(gap_ms, history.number("columns.max_gap_ms" + row));
    }
    EXPECT_NEAR(sent, static_cast<double>(ours.size()), 60);
    EXPECT_EQ(history_lost, lost.size());
    EXPECT_NEAR(gap_ms, seen_gap_ms, 10);
}

TEST_F(StatsTest, AnEndedCallKeepsItsQualityAndNoLeg) {
    start();
    RtpEnd end("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    OwnCaller::Offer offer;
    offer.port = end.port();
    ASSERT_EQ(caller.invite(offer), 200);
    end.set_peer(caller.answer_port());
    const std::string id = daemon_->only_call();
    end.exchange(bad_line({10}), milliseconds(2500));
    EXPECT_EQ(daemon_->get("/api/v1/calls/" + id + "/history?resolution=2s").status, 400);
    EXPECT_EQ(caller.bye(), 200);
    ASSERT_TRUE(daemon_->wait_live_calls(0));
    EXPECT_EQ(daemon_->get("/api/v1/calls/" + id + "/webrtc-stats").status, 404);
    EXPECT_EQ(daemon_->get("/api/v1/calls/" + id + "/history").status, 404);
    const Json call = daemon_->json("/api/v1/calls/" + id);
    EXPECT_GT(call.number("quality.mos"), 3.5);
    EXPECT_GT(call.number("quality.jitter_ms"), 1);
    EXPECT_GT(call.number("quality.inbound_level_dbov"), -30);
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_NEAR(ended->number("mos"), call.number("quality.mos"), 0.01);
    const std::string metrics = daemon_->get("/metrics").body;
    for (const char* name :
         {"offhook_rtp_jitter_seconds", "offhook_call_mos", "offhook_rtp_send_gap_seconds"})
        EXPECT_NE(metrics.find(std::string(name) + "_count 1"), std::string::npos) << name;
}

}  // namespace
}  // namespace offhook::harness
