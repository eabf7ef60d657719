#include "rtp/packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace offhook::rtp {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes packet_with(std::uint8_t first, std::uint8_t second, const Bytes& rest) {
    constexpr std::array<std::uint8_t, kHeaderBytes> kHead{
        0, 0, 0x12, 0x34, 0xDE, 0xAD, 0xBE, 0xEF, 0x01, 0x02, 0x03, 0x04};
    Bytes bytes(kHeaderBytes + rest.size());
    std::copy(kHead.begin(), kHead.end(), bytes.begin());
    std::copy(rest.begin(), rest.end(), bytes.begin() + kHeaderBytes);
    bytes[0] = first;
    bytes[1] = second;
    return bytes;
}

TEST(Packet, WrittenHeaderReadsBack) {
    std::array<std::uint8_t, kHeaderBytes + 3> datagram{};
    write_header({.payload_type = 101,
                  .marker = true,
                  .sequence = 0xFFFE,
                  .timestamp_rtp = 0x80000001,
                  .ssrc = 7},
                 std::span(datagram).first<kHeaderBytes>());
    EXPECT_EQ(datagram[0], 0x80);
    EXPECT_EQ(datagram[1], 0x80 | 101);
    const auto packet = parse_packet(datagram);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->payload_type, 101);
    EXPECT_TRUE(packet->marker);
    EXPECT_EQ(packet->sequence, 0xFFFE);
    EXPECT_EQ(packet->timestamp_rtp, 0x80000001U);
    EXPECT_EQ(packet->ssrc, 7U);
    EXPECT_EQ(packet->payload.size(), 3U);
}

TEST(Packet, PayloadExcludesCsrcExtensionAndPadding) {
    // One CSRC, an extension of one word, payload AA BB, two bytes of padding.
    const Bytes datagram =
        packet_with(0xB1, 0, {9, 9, 9, 9, 0xBE, 0xDE, 0, 1, 8, 8, 8, 8, 0xAA, 0xBB, 0, 2});
    const auto packet = parse_packet(datagram);
    ASSERT_TRUE(packet);
    EXPECT_EQ(Bytes(packet->payload.begin(), packet->payload.end()), (Bytes{0xAA, 0xBB}));
    EXPECT_EQ(packet->sequence, 0x1234);
    EXPECT_EQ(packet->timestamp_rtp, 0xDEADBEEFU);
    EXPECT_EQ(packet->ssrc, 0x01020304U);
    EXPECT_FALSE(packet->marker);
}

TEST(Packet, LiesAreRefused) {
    EXPECT_FALSE(parse_packet({}));
    EXPECT_FALSE(parse_packet(Bytes(11, 0x80)));
    EXPECT_FALSE(parse_packet(packet_with(0x40, 0, {1})));           // version 1
    EXPECT_FALSE(parse_packet(packet_with(0x82, 0, {1, 2, 3, 4})));  // two CSRCs, one there
    EXPECT_FALSE(parse_packet(packet_with(0x90, 0, {0, 0, 0})));     // extension header cut
    EXPECT_FALSE(
        parse_packet(packet_with(0x90, 0, {0, 0, 0, 1})));     // extension longer than the datagram
    EXPECT_FALSE(parse_packet(packet_with(0xA0, 0, {1, 0})));  // padding of nothing
    EXPECT_FALSE(parse_packet(packet_with(0xA0, 0, {1, 3})));  // padding beyond the payload
    EXPECT_FALSE(parse_packet(packet_with(0xA0, 0, {})));      // padding would be the header's
    EXPECT_FALSE(parse_packet(packet_with(0x80, 200, Bytes(16))));  // RTCP SR
    EXPECT_TRUE(parse_packet(packet_with(0xA0, 0, {1, 1})));
    EXPECT_TRUE(parse_packet(packet_with(0x80, 0, {})));  // empty payload is legal RTP
}

TEST(Packet, RtcpIsToldFromRtp) {
    EXPECT_TRUE(looks_like_rtcp(packet_with(0x80, 200, {})));
    EXPECT_TRUE(looks_like_rtcp(packet_with(0x81, 201, {})));
    EXPECT_FALSE(looks_like_rtcp(packet_with(0x80, 0, {})));
    EXPECT_FALSE(looks_like_rtcp(packet_with(0x80, 0x80 | 101, {})));
    EXPECT_FALSE(looks_like_rtcp(packet_with(0x00, 200, {})));
    EXPECT_FALSE(looks_like_rtcp(Bytes{0x80, 200, 0}));
}

TEST(Packet, MutationsStayInsideTheDatagram) {
    std::mt19937 random(4711);
    const Bytes good =
        packet_with(0xB1, 0, {9, 9, 9, 9, 0xBE, 0xDE, 0, 1, 8, 8, 8, 8, 0xAA, 0xBB, 0, 2});
    int accepted = 0;
    for (int round = 0; round < 50'000; ++round) {
        Bytes datagram = good;
        datagram.resize(random() % (good.size() + 8));
        for (auto flips = random() % 6; flips > 0 && !datagram.empty(); --flips) {
            datagram[random() % std::min<std::size_t>(datagram.size(), 20)] =
                static_cast<std::uint8_t>(random());
        }
        // A copy of exact size on the heap, so that the address sanitizer sees a read of one byte
        // too many.
        const Bytes exact(datagram);
        if (const auto packet = parse_packet(exact)) {
            ++accepted;
            ASSERT_GE(packet->payload.data(), exact.data() + kHeaderBytes);
            ASSERT_LE(packet->payload.data() + packet->payload.size(), exact.data() + exact.size());
        }
    }
    EXPECT_GT(accepted, 500);
    EXPECT_LT(accepted, 49'000);
}

}  // namespace
}  // namespace offhook::rtp
