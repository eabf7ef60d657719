#include "rtp/dtmf.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace offhook::rtp {
namespace {

struct Sent {
    std::array<std::uint8_t, 4> payload{};
    std::uint32_t timestamp_rtp = 0;
    bool marker = false;
    int frame = 0;
};

std::vector<Sent> send(std::string_view digits, std::uint32_t clock_hz, std::uint32_t first_rtp) {
    DtmfSender sender(clock_hz);
    EXPECT_TRUE(sender.queue(digits));
    std::vector<Sent> sent;
    for (int frame = 0; frame < 1000 && !sender.is_idle(); ++frame) {
        const auto rtp = first_rtp + static_cast<std::uint32_t>(frame) * (clock_hz / 50);
        if (const auto event = sender.take(rtp)) {
            sent.push_back({event->payload, event->timestamp_rtp, event->marker, frame});
        }
    }
    EXPECT_TRUE(sender.is_idle());
    return sent;
}

struct Heard {
    std::string downs;
    std::string ups;
    std::vector<std::uint32_t> durations;
};

Heard hear(const std::vector<Sent>& packets) {
    DtmfReceiver receiver;
    Heard heard;
    for (const Sent& sent : packets) {
        PacketView packet;
        packet.timestamp_rtp = sent.timestamp_rtp;
        packet.marker = sent.marker;
        packet.payload = sent.payload;
        const auto reports = receiver.feed(packet);
        for (std::size_t i = 0; i < reports.count; ++i) {
            const auto& event = reports.events[i];
            (event.is_end ? heard.ups : heard.downs) += event.digit;
            if (event.is_end) heard.durations.push_back(event.duration_rtp);
        }
    }
    return heard;
}

TEST(DtmfSender, OneEventPacketByPacket) {
    const auto sent = send("5", 8000, 1000);
    ASSERT_EQ(sent.size(), 10U);  // 160 ms: seven growing, the end three times
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const int duration = static_cast<int>(std::min<std::size_t>(i + 1, 8)) * 160;
        EXPECT_EQ(sent[i].payload[0], 5);
        EXPECT_EQ(sent[i].payload[1], (i >= 7 ? 0x80 : 0) | 10);
        EXPECT_EQ(sent[i].payload[2] << 8 | sent[i].payload[3], duration);
        EXPECT_EQ(sent[i].timestamp_rtp, 1000U);
        EXPECT_EQ(sent[i].marker, i == 0);
        EXPECT_EQ(sent[i].frame, static_cast<int>(i));
    }
}

TEST(DtmfSender, AudioBetweenDigits) {
    const auto sent = send("12", 48000, 0xFFFFF000);
    ASSERT_EQ(sent.size(), 20U);
    EXPECT_EQ(sent[10].frame - sent[9].frame, DtmfSender::kGapFrames + 1);
    EXPECT_EQ(sent[10].timestamp_rtp - sent[0].timestamp_rtp, 14U * 960);
    EXPECT_TRUE(sent[10].marker);
}

// Opus' stream, and a phone that lists telephone-event/8000 alone.
TEST(DtmfSender, TimestampsAreTheStreamsAndDurationsTheEvents) {
    DtmfSender sender(DtmfClocks{48000, 8000});
    ASSERT_TRUE(sender.queue(std::string_view("9")));
    std::vector<Sent> sent;
    for (std::uint32_t frame = 0; frame < 20; ++frame) {
        if (const auto event = sender.take(5000 + frame * 960))
            sent.push_back({event->payload, event->timestamp_rtp, event->marker, int(frame)});
    }
    ASSERT_EQ(sent.size(), 10U) << "160 ms, whatever the clocks";
    for (std::size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(sent[i].timestamp_rtp, 5000U);
        EXPECT_EQ(sent[i].payload[2] << 8 | sent[i].payload[3],
                  static_cast<int>(std::min<std::size_t>(i + 1, 8)) * 160);
    }
}

TEST(DtmfReceiver, SegmentsByEitherClockAreOnePress) {
    for (const std::uint32_t step : {0xFFFFU, 0xFFFFU * 6}) {
        DtmfReceiver receiver(DtmfClocks{48000, 8000});
        const std::array<std::uint8_t, 4> full{7, 10, 0xFF, 0xFF};
        const std::array<std::uint8_t, 4> end{7, 0x8A, 0x03, 0x20};
        PacketView packet;
        packet.timestamp_rtp = 1000;
        packet.payload = full;
        ASSERT_EQ(receiver.feed(packet).count, 1U);
        packet.timestamp_rtp += step;
        packet.payload = end;
        const auto reports = receiver.feed(packet);
        ASSERT_EQ(reports.count, 1U) << step;
        EXPECT_TRUE(reports.events[0].is_end);
        EXPECT_EQ(reports.events[0].duration_rtp, 0xFFFFU + 800);
    }
}

TEST(DtmfSender, QueueTakesAllOrNone) {
    DtmfSender sender(8000);
    EXPECT_FALSE(sender.queue(std::string_view("12x")));
    EXPECT_TRUE(sender.is_idle());
    EXPECT_TRUE(sender.queue(std::string(64, '1')));
    EXPECT_FALSE(sender.queue(std::string_view("2")));
}

TEST(DtmfRoundTrip, EveryDigit) {
    const std::string_view all = "0123456789*#ABCD";
    const Heard heard = hear(send(all, 8000, 0xFFFF0000));
    EXPECT_EQ(heard.downs, all);
    EXPECT_EQ(heard.ups, all);
    EXPECT_EQ(heard.durations, std::vector<std::uint32_t>(all.size(), 1280));
}

TEST(DtmfRoundTrip, AnySinglePacketLost) {
    const auto sent = send("11#9", 8000, 77);
    for (std::size_t lost = 0; lost < sent.size(); ++lost) {
        auto packets = sent;
        packets.erase(packets.begin() + static_cast<std::ptrdiff_t>(lost));
        const Heard heard = hear(packets);
        EXPECT_EQ(heard.downs, "11#9") << lost;
        EXPECT_EQ(heard.ups, "11#9") << lost;
    }
}

TEST(DtmfRoundTrip, OnlyTheEndOrNoEndArrives) {
    const auto sent = send("12", 8000, 77);
    const Heard only_ends = hear({sent[9], sent[19]});
    EXPECT_EQ(only_ends.downs, "12");
    EXPECT_EQ(only_ends.ups, "12");
    const Heard no_end = hear({sent[0], sent[1], sent[10], sent[17]});
    EXPECT_EQ(no_end.downs, "12");
    EXPECT_EQ(no_end.ups, "12");
    EXPECT_EQ(no_end.durations, (std::vector<std::uint32_t>{320, 1280}));
}

TEST(DtmfReceiver, StragglerOfAnEarlierPressIsNoPress) {
    auto sent = send("12", 8000, 77);
    sent.push_back(sent[3]);
    EXPECT_EQ(hear(sent).downs, "12");
}

TEST(DtmfReceiver, LongPressInSegmentsIsOnePress) {
    const Heard heard = hear({{{1, 10, 0x00, 0xA0}, 0, true, 0},
                              {{1, 10, 0xFF, 0xFF}, 0, false, 0},
                              {{1, 10, 0x00, 0xA0}, 0xFFFF, false, 0},
                              {{1, 0x8A, 0x01, 0x40}, 0xFFFF, false, 0}});
    EXPECT_EQ(heard.downs, "1");
    EXPECT_EQ(heard.ups, "1");
    EXPECT_EQ(heard.durations, (std::vector<std::uint32_t>{0xFFFF + 320}));
}

TEST(DtmfReceiver, OtherEventsAndShortPayloadsAreLeftOut) {
    EXPECT_EQ(hear({{{16, 0x8A, 1, 0}, 0, true, 0}}).downs, "");
    DtmfReceiver receiver;
    PacketView packet;
    const std::array<std::uint8_t, 3> cut{1, 0x8A, 0};
    packet.payload = cut;
    EXPECT_EQ(receiver.feed(packet).count, 0U);
}

}  // namespace
}  // namespace offhook::rtp
