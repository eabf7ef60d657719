// Whose packets are the caller's, and what leaves for the caller: one SSRC, no hole, the right
// clock.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

#include "rtp/packet.h"
#include "rtpcallsink/rtp_sender.h"
#include "rtpcallsrc/rtp_receiver.h"
#include "session/rtp_session.h"
#include "session/source_lock.h"

namespace offhook::session {
namespace {

using model::LegCounters;

constexpr std::int64_t kMs = 1'000'000;

Endpoint at(const char* address, std::uint16_t port) {
    return *Endpoint::make(address, port);
}

rtp::PacketView packet(std::uint32_t ssrc, std::uint16_t sequence) {
    rtp::PacketView view;
    view.ssrc = ssrc;
    view.sequence = sequence;
    return view;
}

using Verdict = SourceLock::Verdict;

TEST(SourceLockTest, TakesTheAnnouncedSourceAtOnceAndRefusesOthers) {
    SourceLock lock;
    lock.expect(at("127.0.0.1", 4000));
    EXPECT_EQ(lock.judge(packet(1, 10), at("127.0.0.1", 4000), 0), Verdict::AcceptedNewSource);
    EXPECT_EQ(lock.judge(packet(1, 11), at("127.0.0.1", 4000), 20 * kMs), Verdict::Accepted);
    for (std::uint16_t i = 0; i < 100; ++i) {
        EXPECT_EQ(lock.judge(packet(7, i), at("127.0.0.2", 5000), 30 * kMs), Verdict::Refused);
    }
}

TEST(SourceLockTest, ASourceBehindNatHasToShowThreePacketsInARow) {
    SourceLock lock;
    lock.expect(at("192.0.2.1", 4000));
    const auto nat = at("127.0.0.1", 40000);
    EXPECT_EQ(lock.judge(packet(1, 10), nat, 0), Verdict::Refused);
    EXPECT_EQ(lock.judge(packet(1, 11), nat, 0), Verdict::Refused);
    EXPECT_EQ(lock.judge(packet(1, 12), nat, 0), Verdict::AcceptedNewSource);
    EXPECT_EQ(lock.source().port(), 40000);
}

TEST(SourceLockTest, RandomGarbageNeverPassesProbation) {
    SourceLock lock;
    lock.expect(at("192.0.2.1", 4000));
    for (std::uint32_t i = 0; i < 1000; ++i) {
        EXPECT_EQ(
            lock.judge(packet(i, static_cast<std::uint16_t>(i * 7)), at("127.0.0.1", 4001), 0),
            Verdict::Refused);
    }
}

TEST(SourceLockTest, AnotherSourceMayTakeOverAfterSilenceOrUnlock) {
    SourceLock lock;
    const auto first = at("127.0.0.1", 4000);
    const auto second = at("127.0.0.1", 4002);
    lock.expect(first);
    ASSERT_EQ(lock.judge(packet(1, 1), first, 0), Verdict::AcceptedNewSource);
    for (std::uint16_t i = 1; i < 4; ++i) (void)lock.judge(packet(2, i), second, 2'000 * kMs);
    EXPECT_EQ(lock.source(), first);
    for (std::uint16_t i = 4; i < 7; ++i) (void)lock.judge(packet(2, i), second, 3'100 * kMs);
    EXPECT_EQ(lock.source(), second);
    lock.unlock();
    lock.expect(first);
    EXPECT_EQ(lock.judge(packet(3, 9), first, 3'200 * kMs), Verdict::AcceptedNewSource);
}

// Signalling names a new address while packets of the old one are still on the way.
TEST(SourceLockTest, WhatWasStillOnTheWayDoesNotPullTheCallBack) {
    SourceLock lock;
    const auto old_place = at("127.0.0.1", 4000);
    const auto new_place = at("127.0.0.1", 4002);
    lock.expect(old_place);
    ASSERT_EQ(lock.judge(packet(1, 1), old_place, 0), Verdict::AcceptedNewSource);
    lock.unlock();
    lock.expect(new_place);
    for (std::uint16_t i = 2; i < 12; ++i) {
        EXPECT_EQ(lock.judge(packet(1, i), old_place, i * kMs), Verdict::Refused);
    }
    EXPECT_EQ(lock.judge(packet(1, 12), new_place, 20 * kMs), Verdict::AcceptedNewSource);
    EXPECT_EQ(lock.source(), new_place);
}

// A phone behind NAT names a new private address and goes on sending from where it was.
TEST(SourceLockTest, WhoDidNotMoveAfterAllIsTakenAgain) {
    SourceLock lock;
    const auto nat = at("127.0.0.1", 40000);
    const auto announced = at("192.0.2.1", 4002);
    lock.expect(at("192.0.2.1", 4000));
    for (std::uint16_t i = 0; i < 3; ++i) (void)lock.judge(packet(1, i), nat, 0);
    ASSERT_TRUE(lock.is_locked());
    lock.unlock();
    lock.expect(announced);
    for (std::uint16_t i = 3; i < 3 + SourceLock::kComebackProbation; ++i) {
        (void)lock.judge(packet(1, i), nat, i * 20 * kMs);
    }
    EXPECT_TRUE(lock.is_locked());
    EXPECT_EQ(lock.source(), nat);
    // The announced one was late; it is still the one that signalling named.
    EXPECT_EQ(lock.judge(packet(7, 9), announced, 700 * kMs), Verdict::AcceptedNewSource);
    EXPECT_EQ(lock.judge(packet(1, 40), nat, 720 * kMs), Verdict::Refused);
}

// A re-INVITE with the same address: the peer may have a new place behind its NAT.
TEST(SourceLockTest, TheSameAddressAgainLetsASilentSourceMove) {
    SourceLock lock;
    const auto first = at("127.0.0.1", 4000);
    const auto second = at("127.0.0.1", 4002);
    lock.expect(first);
    ASSERT_EQ(lock.judge(packet(1, 1), first, 0), Verdict::AcceptedNewSource);
    lock.loosen();
    for (std::uint16_t i = 1; i < 4; ++i) (void)lock.judge(packet(2, i), second, 100 * kMs);
    EXPECT_EQ(lock.source(), first) << "heard 100 ms ago";
    for (std::uint16_t i = 4; i < 7; ++i) (void)lock.judge(packet(2, i), second, 300 * kMs);
    EXPECT_EQ(lock.source(), second);
    // Whoever goes on talking is not driven away.
    lock.loosen();
    std::int64_t now = 300 * kMs;
    for (std::uint16_t i = 7; i < 7 + SourceLock::kStillHere; ++i) {
        (void)lock.judge(packet(2, i), second, now += 20 * kMs);
        (void)lock.judge(packet(3, i), first, now);
    }
    EXPECT_EQ(lock.source(), second);
    for (std::uint16_t i = 100; i < 103; ++i) {
        (void)lock.judge(packet(3, i), first, now + 300 * kMs);
    }
    EXPECT_EQ(lock.source(), second) << "after that, a silence is 3 s again";
}

TEST(SourceLockTest, ANewSsrcFromTheSameSourceIsTakenAfterProbation) {
    SourceLock lock;
    const auto source = at("127.0.0.1", 4000);
    lock.expect(source);
    ASSERT_EQ(lock.judge(packet(1, 1), source, 0), Verdict::AcceptedNewSource);
    EXPECT_EQ(lock.judge(packet(9, 100), source, 0), Verdict::Refused);
    EXPECT_EQ(lock.judge(packet(9, 101), source, 0), Verdict::Refused);
    EXPECT_EQ(lock.judge(packet(9, 102), source, 0), Verdict::AcceptedNewSource);
    EXPECT_EQ(lock.ssrc(), 9u);
}

/// A peer with a real socket, and a session that knows it.
class Leg : public ::testing::Test {
protected:
    Leg() {
        peer = std::move(*SocketPair::open("127.0.0.1", 0));
        RtpSession::Settings settings;
        settings.telephone_event_type = 101;
        settings.cname = "test";
        session =
            std::make_shared<RtpSession>(std::move(*SocketPair::open("127.0.0.1", 0)), settings);
        session->set_remote(at("127.0.0.1", peer.port()),
                            at("127.0.0.1", static_cast<std::uint16_t>(peer.port() + 1)));
        sender = std::make_unique<rtpcallsink::RtpSender>(session);
    }

    struct Received {
        std::vector<std::uint8_t> bytes;
        rtp::PacketView view;
    };
    Received receive() {
        Received got;
        got.bytes.resize(2048);
        pollfd wait{.fd = peer.rtp_fd(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(poll(&wait, 1, 5000), 1);
        const ssize_t n = recv(peer.rtp_fd(), got.bytes.data(), got.bytes.size(), 0);
        EXPECT_GT(n, 0);
        got.bytes.resize(static_cast<std::size_t>(n));
        got.view = *rtp::parse_packet(got.bytes);
        return got;
    }
    void send_frame(std::uint64_t frame_number) {
        const std::vector<std::int16_t> pcm(160, 500);
        sender->send_pcm(pcm, frame_number * 160);
    }

    SocketPair peer;
    std::shared_ptr<RtpSession> session;
    std::unique_ptr<rtpcallsink::RtpSender> sender;
};

TEST_F(Leg, NumbersPacketsWithoutAHoleOnOneSsrc) {
    send_frame(0);
    const auto first = receive();
    EXPECT_TRUE(first.view.marker);
    for (std::uint16_t i = 1; i < 100; ++i) {
        send_frame(i);
        const auto got = receive();
        EXPECT_EQ(got.view.ssrc, first.view.ssrc);
        EXPECT_EQ(got.view.sequence, static_cast<std::uint16_t>(first.view.sequence + i));
        EXPECT_EQ(got.view.timestamp_rtp, first.view.timestamp_rtp + 160u * i);
        EXPECT_FALSE(got.view.marker);
        EXPECT_EQ(got.view.payload.size(), 160u);
    }
}

TEST_F(Leg, WhatCouldNotBeSentIsNotCountedAsSent) {
    session->set_remote(at("::1", 4000), at("::1", 4001));  // an IPv4 socket cannot go there
    send_frame(0);
    EXPECT_EQ(LegCounters::get(session->counters()->sent_packets), 0u);
    EXPECT_EQ(LegCounters::get(session->counters()->first_sent_ns), 0);
    EXPECT_EQ(LegCounters::get(session->counters()->send_errors), 1u);
}

TEST_F(Leg, LostTimeMovesTheTimestampOnly) {
    send_frame(0);
    const auto before = receive();
    send_frame(51);
    const auto after = receive();
    EXPECT_EQ(after.view.sequence, static_cast<std::uint16_t>(before.view.sequence + 1));
    EXPECT_EQ(after.view.timestamp_rtp, before.view.timestamp_rtp + 51u * 160u);
    EXPECT_TRUE(after.view.marker);
}

TEST_F(Leg, HoldSendsNothingAndResumesContiguously) {
    send_frame(0);
    const auto before = receive();
    session->set_sending(false);
    for (std::uint64_t i = 1; i <= 50; ++i) send_frame(i);
    session->set_sending(true);
    send_frame(51);
    const auto after = receive();
    EXPECT_EQ(after.view.sequence, static_cast<std::uint16_t>(before.view.sequence + 1));
    EXPECT_EQ(after.view.timestamp_rtp, before.view.timestamp_rtp + 51u * 160u);
    EXPECT_EQ(LegCounters::get(session->counters()->held_frames), 50u);
    EXPECT_EQ(LegCounters::get(session->counters()->max_gap_ns), 0)
        << "a pause that was asked for is not a gap";
}

TEST_F(Leg, PutsRecutFramesTogetherAgain) {
    const std::vector<std::int16_t> pcm(480, 100);
    sender->send_pcm(std::span(pcm).first(70), 0);
    sender->send_pcm(std::span(pcm).first(250), 70);
    const auto first = receive();
    const auto second = receive();
    EXPECT_EQ(first.view.payload.size(), 160u);
    EXPECT_EQ(second.view.timestamp_rtp, first.view.timestamp_rtp + 160u);
}

TEST_F(Leg, RenumbersTheStreamOfAStockPayloader) {
    const std::array<std::uint8_t, 160> payload{};
    rtp::PacketView stock;
    stock.payload = payload;
    stock.sequence = 40000;
    stock.timestamp_rtp = 123456;
    stock.ssrc = 77;
    sender->send_rtp(stock);
    const auto first = receive();
    EXPECT_EQ(first.view.ssrc, session->ssrc());
    stock.sequence = 5;  // whatever it does
    stock.timestamp_rtp += 160;
    sender->send_rtp(stock);
    const auto second = receive();
    EXPECT_EQ(second.view.sequence, static_cast<std::uint16_t>(first.view.sequence + 1));
    EXPECT_EQ(second.view.timestamp_rtp, first.view.timestamp_rtp + 160u);
}

TEST_F(Leg, DigitsTakeThePlaceOfFramesOnTheSameStream) {
    send_frame(0);
    const auto before = receive();
    const std::string digits = "5";
    ASSERT_TRUE(sender->send_digits(digits));
    int events = 0;
    std::uint16_t sequence = before.view.sequence;
    std::uint32_t event_timestamp = 0;
    for (std::uint64_t i = 1; i < 30; ++i) {
        send_frame(i);
        const auto got = receive();
        EXPECT_EQ(got.view.sequence, static_cast<std::uint16_t>(++sequence));
        EXPECT_EQ(got.view.ssrc, before.view.ssrc);
        if (got.view.payload_type == 101) {
            if (events++ == 0) event_timestamp = got.view.timestamp_rtp;
            EXPECT_EQ(got.view.timestamp_rtp, event_timestamp)
                << "RFC 4733 §2.2.1: an event keeps its start";
            EXPECT_EQ(got.view.payload[0], 5);
        } else {
            EXPECT_EQ(got.view.timestamp_rtp,
                      before.view.timestamp_rtp + 160u * static_cast<std::uint32_t>(i));
        }
    }
    EXPECT_GE(events, 8);
    EXPECT_FALSE(sender->send_digits(std::string("x")));
}

TEST_F(Leg, ReportsComeAsRtcp) {
    send_frame(0);
    receive();
    session->send_bye(1);
    std::array<std::uint8_t, 512> report{};
    pollfd wait{.fd = peer.rtcp_fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&wait, 1, 5000), 1);
    const ssize_t n = recv(peer.rtcp_fd(), report.data(), report.size(), 0);
    ASSERT_GT(n, 28);
    EXPECT_EQ(report[1], 200) << "a sender's report";
    const auto news = rtp::parse_rtcp(std::span(report).first(static_cast<std::size_t>(n)), 1);
    ASSERT_TRUE(news);
    EXPECT_TRUE(news->bye);
    EXPECT_EQ(news->sender_ssrc, session->ssrc());
}

struct Heard final : rtpcallsrc::ReceiverSink {
    void on_pcm(std::span<const std::int16_t> pcm) noexcept override { samples += pcm.size(); }
    void on_packet(const rtp::PacketView&) noexcept override { ++packets; }
    void on_digit(const rtp::DtmfReceiver::Event& event) noexcept override {
        if (event.is_end) digits += event.digit;
    }
    std::size_t samples = 0;
    int packets = 0;
    std::string digits;
};

std::vector<std::uint8_t> datagram(std::uint8_t type,
                                   std::uint16_t sequence,
                                   std::uint32_t timestamp,
                                   std::size_t bytes) {
    std::vector<std::uint8_t> d(rtp::kHeaderBytes + bytes, 0xFF);
    rtp::write_header({type, false, sequence, timestamp, 42},
                      std::span<std::uint8_t, rtp::kHeaderBytes>(d.data(), rtp::kHeaderBytes));
    return d;
}

TEST_F(Leg, ReceivesDecodesAndConceals) {
    Heard heard;
    rtpcallsrc::RtpReceiver receiver(session, rtpcallsrc::Output::Pcm, heard);
    const auto from = at("127.0.0.1", peer.port());
    std::int64_t now = 1'000 * kMs;
    for (std::uint16_t i = 0; i < 50; ++i, now += 20 * kMs) {
        if (i != 20) receiver.handle(datagram(0, i, i * 160u, 160), from, now);
        receiver.play_due(now + 10 * kMs);
    }
    EXPECT_EQ(heard.samples, 50u * 160u) << "the lost one is concealed";
    EXPECT_EQ(LegCounters::get(session->counters()->lost_packets), 1u);
    EXPECT_EQ(LegCounters::get(session->counters()->received_packets), 49u);
}

TEST_F(Leg, RefusesStrangersAndNonsense) {
    Heard heard;
    rtpcallsrc::RtpReceiver receiver(session, rtpcallsrc::Output::Pcm, heard);
    const auto from = at("127.0.0.1", peer.port());
    receiver.handle(datagram(0, 1, 160, 160), from, kMs);
    for (std::uint16_t i = 0; i < 10; ++i)
        receiver.handle(datagram(0, i, 0, 160), at("127.0.0.9", 999), 2 * kMs);
    receiver.handle(datagram(33, 2, 320, 160), from, 3 * kMs);
    receiver.handle(std::vector<std::uint8_t>(5, 0), from, 3 * kMs);
    EXPECT_EQ(heard.samples, 160u);
    EXPECT_EQ(LegCounters::get(session->counters()->refused_packets), 12u);
}

TEST_F(Leg, HearsDigitsOnce) {
    Heard heard;
    rtpcallsrc::RtpReceiver receiver(session, rtpcallsrc::Output::Pcm, heard);
    const auto from = at("127.0.0.1", peer.port());
    receiver.handle(datagram(0, 1, 160, 160), from, kMs);
    for (std::uint16_t i = 0; i < 8; ++i) {
        auto d = datagram(101, static_cast<std::uint16_t>(2 + i), 320, 4);
        d[12] = 7;
        d[13] = i >= 5 ? 0x8A : 0x0A;
        d[14] = 0;
        d[15] = static_cast<std::uint8_t>(i * 20);
        receiver.handle(d, from, (2 + i) * kMs);
    }
    receiver.play_due(100 * kMs);
    EXPECT_EQ(heard.digits, "7");
    EXPECT_EQ(LegCounters::get(session->counters()->received_dtmf_events), 1u);
}

TEST(SocketPairTest, TakesAnEvenPortAndTheNext) {
    auto pair = SocketPair::open("127.0.0.1", 0);
    ASSERT_TRUE(pair);
    EXPECT_EQ(pair->port() % 2, 0);
    const auto again = SocketPair::open("127.0.0.1", pair->port());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, base::ErrorCode::Conflict);
    EXPECT_FALSE(SocketPair::open("localhost", 0));
}

TEST(SocketPairTest, EveryPacketCarriesTheDscp) {
    for (const char* address : {"127.0.0.1", "::1"}) {
        for (const int dscp : {SocketPair::kVoiceDscp, 0, 63}) {
            const auto pair = SocketPair::open(address, 0, dscp);
            ASSERT_TRUE(pair) << address;
            for (const int fd : {pair->rtp_fd(), pair->rtcp_fd()}) {
                int value = -1;
                socklen_t size = sizeof value;
                const bool is_v4 = std::string_view(address) == "127.0.0.1";
                ASSERT_EQ(getsockopt(fd,
                                     is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                                     is_v4 ? IP_TOS : IPV6_TCLASS,
                                     &value,
                                     &size),
                          0);
                EXPECT_EQ(value, dscp << 2) << address;
            }
        }
    }
}

TEST(SocketPairTest, TheTwoFamiliesShareAPort) {
    const auto v6 = SocketPair::open("::", 0);
    ASSERT_TRUE(v6);
    EXPECT_TRUE(SocketPair::open("0.0.0.0", v6->port()));
}

}  // namespace
}  // namespace offhook::session
