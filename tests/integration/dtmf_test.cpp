// RFC 4733 both ways.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

class DtmfTest : public CallTest {};

TEST_F(DtmfTest, ApiDigitsReachTheCaller) {
    start();
    start_capture();
    Scenario scenario = answered();
    scenario.pause(seconds(5)).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    const std::string id = daemon_->only_call();
    ASSERT_FALSE(id.empty());
    ASSERT_TRUE(daemon_->wait_event("call.answered"));
    const HttpAnswer answer =
        daemon_->post("/api/v1/calls/" + id + "/dtmf", R"({"digits":"15*#D"})");
    EXPECT_EQ(answer.status / 100, 2) << answer.body;
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();

    std::string digits;
    std::set<std::uint32_t> events;
    std::uint16_t last_duration = 0;
    std::size_t ends = 0;
    for (const DtmfPacket& packet :
         capture_->dtmf(daemon_->first_rtp_port(), daemon_->last_rtp_port(), 101)) {
        if (events.insert(packet.timestamp).second) {
            digits += packet.digit;
            last_duration = 0;
        }
        EXPECT_GE(packet.duration_rtp, last_duration);
        last_duration = packet.duration_rtp;
        ends += packet.is_end ? 1U : 0U;
    }
    EXPECT_EQ(digits, "15*#D");
    // The end is sent three times, lest one is lost (RFC 4733 §2.5.1.4).
    EXPECT_EQ(ends, 15U);
    // The stream around and between the digits is whole: one SSRC, no number left out, no pause.
    const RtpVerdict verdict = outbound().judge();
    EXPECT_EQ(verdict.ssrcs, 1U) << verdict.text();
    EXPECT_EQ(verdict.sequence_breaks, 0U) << verdict.text();
    EXPECT_LE(verdict.longest_gap_ms, max_gap_ms()) << verdict.text();
}

TEST_F(DtmfTest, BadDigitsAreRefused) {
    start();
    Scenario scenario = answered();
    scenario.pause(seconds(2)).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    const std::string id = daemon_->only_call();
    ASSERT_FALSE(id.empty());
    EXPECT_EQ(daemon_->post("/api/v1/calls/" + id + "/dtmf", R"({"digits":"12E"})").status / 100,
              4);
    EXPECT_EQ(daemon_->post("/api/v1/calls/" + id + "/dtmf", R"({"digits":""})").status / 100, 4);
    EXPECT_EQ(daemon_->post("/api/v1/calls/nobody/dtmf", R"({"digits":"1"})").status, 404);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
}

// SIPp's recorded digit, after eight seconds of its recorded speech.
TEST_F(DtmfTest, CallersDigitIsCountedOnce) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "SIPp replays captures from a raw socket, which needs root";
    }
    start();
    std::filesystem::create_directory(folder_ / "sipp-uac_pcap");
    std::filesystem::create_directory_symlink("/usr/share/sip-tester",
                                              folder_ / "sipp-uac_pcap/pcap");
    Sipp sipp(folder_, daemon_->sip_port(), "uac_pcap", {});
    const std::string id = daemon_->only_call();
    ASSERT_FALSE(id.empty());
    EXPECT_TRUE(eventually(seconds(20), &sipp.process(), [&] {
        return daemon_->json("/api/v1/calls/" + id + "/stats")
                   .number("stats.received_dtmf_events") == 1;
    })) << daemon_->get("/api/v1/calls/" + id + "/stats").body;
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
}

}  // namespace
}  // namespace offhook::harness
