// The rings that a media worker writes while others look.
#include "model/leg_trace.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

namespace offhook::model {
namespace {

WireAddress address(std::uint8_t last, std::uint16_t port = 4000) {
    WireAddress made;
    made.ip = {192, 0, 2, last};
    made.port = port;
    return made;
}

TEST(PacketTrace, KeepsWhatAHeaderSays) {
    PacketTrace trace(4);
    const RtpHeaderRecord sent{.at_ns = 123'456'789'012,
                               .ssrc = 0xdeadbeef,
                               .timestamp_rtp = 0xfffffff0,
                               .sequence = 65535,
                               .payload_type = 101,
                               .marker = true,
                               .payload_bytes = 1400};
    trace.sent(sent, address(1));
    const auto all = trace.outbound();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].at_ns, sent.at_ns);
    EXPECT_EQ(all[0].ssrc, sent.ssrc);
    EXPECT_EQ(all[0].timestamp_rtp, sent.timestamp_rtp);
    EXPECT_EQ(all[0].sequence, sent.sequence);
    EXPECT_EQ(all[0].payload_type, sent.payload_type);
    EXPECT_TRUE(all[0].marker);
    EXPECT_EQ(all[0].payload_bytes, sent.payload_bytes);
    EXPECT_TRUE(trace.inbound().empty());
}

TEST(PacketTrace, KeepsTheLast) {
    PacketTrace trace(4);
    for (std::uint16_t i = 0; i < 10; ++i) trace.received({.sequence = i}, address(1));
    const auto all = trace.inbound();
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all.front().sequence, 6);
    EXPECT_EQ(all.back().sequence, 9);
}

TEST(PacketTrace, KnowsWhoMoved) {
    PacketTrace trace(32);
    trace.received({}, address(1));
    trace.sent({}, address(1));
    trace.received({}, address(2));
    for (std::uint8_t i = 3; i < 20; ++i) trace.received({}, address(i));
    EXPECT_EQ(trace.remotes().size(), PacketTrace::kMaxRemotes);
    EXPECT_EQ(trace.remotes()[1], address(2));
    EXPECT_EQ(trace.inbound()[1].remote, 1);
    EXPECT_EQ(trace.inbound().back().remote, PacketTrace::kMaxRemotes - 1);
}

TEST(PacketTrace, RtcpIsReadOnceByWhoAsksForMore) {
    PacketTrace trace(2);
    std::vector<std::uint8_t> packet(PacketTrace::kMaxRtcpBytes + 44);
    std::iota(packet.begin(), packet.end(), std::uint8_t{0});
    trace.rtcp(true, std::span(packet).first(28), address(1), 5);
    std::vector<RtcpRecord> all;
    std::uint64_t next = trace.rtcp_since(0, all);
    trace.rtcp(false, packet, address(1), 6);
    next = trace.rtcp_since(next, all);
    EXPECT_EQ(trace.rtcp_since(next, all), next);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_TRUE(all[0].is_inbound);
    EXPECT_EQ(all[0].packet, std::vector(packet.begin(), packet.begin() + 28));
    EXPECT_EQ(all[1].wire_bytes, packet.size());
    EXPECT_EQ(all[1].packet.size(), PacketTrace::kMaxRtcpBytes);
    EXPECT_EQ(all[1].packet.back(), 255);
}

TEST(CallerTape, KeepsTheLastSecondsWithTheirTimes) {
    CallerTape tape(1);
    std::array<std::uint8_t, CallerTape::kChunkSamples> chunk{};
    for (std::uint8_t i = 0; i < 70; ++i) {
        chunk.fill(i);
        tape.write(chunk, i);
    }
    const auto all = tape.chunks();
    ASSERT_EQ(all.size(), 64U);  // 50, rounded up
    EXPECT_EQ(all.front().at_ns, 6);
    EXPECT_EQ(all.back().mu_law[159], 69);
}

TEST(AiFrameTrace, KeepsDirectionKindAndSize) {
    AiFrameTrace trace(2);
    trace.write({.at_ns = 1,
                 .is_to_bot = true,
                 .kind = AiFrameRecord::Kind::Binary,
                 .bytes = 4'000'000'000});
    trace.write({.at_ns = 2, .bytes = 7});
    const auto all = trace.frames();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_TRUE(all[0].is_to_bot);
    EXPECT_EQ(all[0].kind, AiFrameRecord::Kind::Binary);
    EXPECT_EQ(all[0].bytes, 4'000'000'000U);
    EXPECT_FALSE(all[1].is_to_bot);
    EXPECT_EQ(all[1].kind, AiFrameRecord::Kind::Text);
}

// What a reader gets is never half of one record and half of another.
TEST(TraceRing, IsReadWhileItIsWritten) {
    TraceRing<4> ring(64);
    constexpr std::uint64_t kRecords = 300'000;
    std::thread writer([&] {
        for (std::uint64_t i = 1; i <= kRecords; ++i) ring.write({i, i * 3, i * 5, i * 7});
    });
    std::uint64_t next = 0;
    std::uint64_t last = 0;
    std::uint64_t seen = 0;
    while (next < kRecords) {
        std::vector<TraceRing<4>::Record> records;
        next = ring.read(next, records);
        for (const auto& record : records) {
            ASSERT_GT(record[0], last);
            ASSERT_EQ(record[1], record[0] * 3);
            ASSERT_EQ(record[2], record[0] * 5);
            ASSERT_EQ(record[3], record[0] * 7);
            last = record[0];
            ++seen;
        }
    }
    writer.join();
    EXPECT_EQ(last, kRecords);
    EXPECT_GT(seen, 0U);
}

}  // namespace
}  // namespace offhook::model
