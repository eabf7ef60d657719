// A leg under SRTP: strangers without the key neither speak nor take the source, and keys change
// under a running stream.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <vector>

#include "rtp/packet.h"
#include "rtpcallsink/rtp_sender.h"
#include "rtpcallsrc/rtp_receiver.h"
#include "session/rtp_session.h"

namespace offhook::session {
namespace {

using model::LegCounters;
using model::SrtpAgreement;
using model::SrtpKey;
using model::SrtpSuite;
using Bytes = std::vector<std::uint8_t>;

constexpr auto kSuite = SrtpSuite::AesCm128HmacSha1_80;

struct Heard final : rtpcallsrc::ReceiverSink {
    void on_pcm(std::span<const std::int16_t> pcm) noexcept override { samples += pcm.size(); }
    void on_packet(const rtp::PacketView&) noexcept override {}
    void on_digit(const rtp::DtmfReceiver::Event&) noexcept override {}
    std::size_t samples = 0;
};

/// A peer with real sockets and keys, and a session that knows both.
class SrtpLeg : public testing::Test {
protected:
    SrtpLeg() {
        agreed = {kSuite, 1, *SrtpKey::random(kSuite), *SrtpKey::random(kSuite)};
        RtpSession::Settings settings;
        settings.cname = "test";
        session =
            std::make_shared<RtpSession>(std::move(*SocketPair::open("127.0.0.1", 0)), settings);
        session->set_remote(at(peer.port()), at(static_cast<std::uint16_t>(peer.port() + 1)));
        session->set_srtp(*contexts.update(agreed));
        sender = std::make_unique<rtpcallsink::RtpSender>(session, audio);
        receiver =
            std::make_unique<rtpcallsrc::RtpReceiver>(session, rtpcallsrc::Output::Pcm, heard);
        peer_out.emplace(*srtp::SrtpOutbound::create(kSuite, agreed.remote));
        peer_in.emplace(*srtp::SrtpInbound::create(kSuite, agreed.local));
    }

    static Endpoint at(std::uint16_t port) { return *Endpoint::make("127.0.0.1", port); }
    static Bytes plain(std::uint32_t ssrc, std::uint16_t sequence) {
        Bytes packet(rtp::kHeaderBytes + 160, 0x55);
        rtp::write_header(
            {0, false, sequence, sequence * 160u, ssrc},
            std::span<std::uint8_t, rtp::kHeaderBytes>(packet.data(), rtp::kHeaderBytes));
        return packet;
    }
    static Bytes sealed_by(srtp::SrtpOutbound& outbound, std::uint16_t sequence) {
        Bytes packet(rtp::kHeaderBytes + 160 + srtp::kMaxOverheadBytes);
        packet.resize(outbound.protect_rtp(plain(42, sequence), packet));
        return packet;
    }
    static void send(int fd, const Bytes& packet, std::uint16_t to_port) {
        const Endpoint to = at(to_port);
        ASSERT_EQ(sendto(fd, packet.data(), packet.size(), 0, to.data(), to.size()),
                  static_cast<ssize_t>(packet.size()));
    }
    /// Over the wire into the session, and through its receiver.
    void arrive(int fd, const Bytes& packet) {
        send(fd, packet, session->sockets().port());
        pollfd wait{.fd = session->sockets().rtp_fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(poll(&wait, 1, 5000), 1);
        receiver->receive_rtp(now_ns += 20'000'000);
    }
    Bytes receive(int fd) {
        Bytes packet(2048);
        pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
        EXPECT_EQ(poll(&wait, 1, 5000), 1);
        const ssize_t n = recv(fd, packet.data(), packet.size(), 0);
        packet.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
        return packet;
    }
    void send_frame(std::uint64_t number) {
        const std::vector<std::int16_t> pcm(160, 500);
        sender->send_pcm(pcm, number * 160);
    }
    [[nodiscard]] std::uint64_t auth_failures() const {
        return LegCounters::get(session->counters()->srtp_auth_failures);
    }
    [[nodiscard]] std::uint64_t replays() const {
        return LegCounters::get(session->counters()->srtp_replays);
    }

    SocketPair peer = std::move(*SocketPair::open("127.0.0.1", 0));
    SocketPair stranger = std::move(*SocketPair::open("127.0.0.1", 0));
    SrtpAgreement agreed;
    SrtpContexts contexts;
    std::shared_ptr<RtpSession> session;
    std::shared_ptr<model::AudioPort> audio = std::make_shared<model::AudioPort>(8000);
    std::unique_ptr<rtpcallsink::RtpSender> sender;
    std::unique_ptr<rtpcallsrc::RtpReceiver> receiver;
    std::optional<srtp::SrtpOutbound> peer_out;
    std::optional<srtp::SrtpInbound> peer_in;
    Heard heard;
    std::int64_t now_ns = 1'000'000'000;
};

// The ledger says that a sample left when its sealed packet has, and not when nobody is to get it.
TEST_F(SrtpLeg, WhatLeftIsWhatWasSealedAndSent) {
    for (std::uint64_t i = 0; i < 20; ++i) {
        audio->ledger.made(
            {.offset = i * 160, .begin = i * 160, .next = (i + 1) * 160, .samples = 160});
        EXPECT_EQ(audio->ledger.left_samples(), std::min<std::uint64_t>(i, 10) * 160);
        if (i == 10) session->set_remote(Endpoint(), Endpoint());
        send_frame(i);
        EXPECT_EQ(audio->ledger.settled(), (i + 1) * 160);
        if (i < 10) {
            EXPECT_GT(receive(peer.rtp_fd()).size(), rtp::kHeaderBytes + 160);
        }
    }
    EXPECT_EQ(audio->ledger.left_samples(), 1600U);
    EXPECT_EQ(audio->sent_levels.written(), 10U);
    EXPECT_EQ(LegCounters::get(session->counters()->send_errors), 10U);
}

TEST_F(SrtpLeg, SoundPassesBothWays) {
    for (std::uint16_t i = 0; i < 20; ++i) arrive(peer.rtp_fd(), sealed_by(*peer_out, i));
    EXPECT_EQ(heard.samples, 20u * 160);
    std::uint16_t last = 0;
    for (std::uint64_t i = 0; i < 20; ++i) {
        send_frame(i);
        Bytes packet = receive(peer.rtp_fd());
        ASSERT_EQ(packet.size(), rtp::kHeaderBytes + 160 + 10);
        const auto opened = peer_in->open_rtp(packet);
        ASSERT_EQ(opened.verdict, srtp::SrtpInbound::Verdict::Ok);
        const auto view = rtp::parse_packet(std::span(packet).first(opened.bytes));
        ASSERT_TRUE(view);
        EXPECT_EQ(view->payload.size(), 160u);
        if (i == 0) {
            EXPECT_LT(view->sequence, 0x8000) << "room before the first wrap";
        } else {
            EXPECT_EQ(view->sequence, static_cast<std::uint16_t>(last + 1));
        }
        last = view->sequence;
    }
    EXPECT_EQ(auth_failures() + replays(), 0u);
    EXPECT_EQ(LegCounters::get(session->counters()->sent_bytes), 20u * 160) << "without the tags";
}

TEST_F(SrtpLeg, ReportsAreProtectedBothWays) {
    send_frame(0);
    (void)receive(peer.rtp_fd());
    session->send_bye(now_ns);
    Bytes report = receive(peer.rtcp_fd());
    ASSERT_GT(report.size(), 8u + 14);
    EXPECT_FALSE(rtp::parse_rtcp(report, 1) && rtp::parse_rtcp(report, 1)->bye);
    const auto opened = peer_in->open_rtcp(report);
    ASSERT_EQ(opened.verdict, srtp::SrtpInbound::Verdict::Ok);
    const auto news = rtp::parse_rtcp(std::span(report).first(opened.bytes), 1);
    ASSERT_TRUE(news);
    EXPECT_TRUE(news->bye);

    const Bytes theirs = {0x80, 201, 0, 1, 0, 0, 0, 42};
    Bytes sealed(theirs.size() + srtp::kMaxOverheadBytes);
    sealed.resize(peer_out->protect_rtcp(theirs, sealed));
    const auto rtcp_port = static_cast<std::uint16_t>(session->sockets().port() + 1);
    for (const Bytes& packet : {sealed, sealed, theirs}) {
        send(peer.rtcp_fd(), packet, rtcp_port);
        pollfd wait{.fd = session->sockets().rtcp_fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(poll(&wait, 1, 5000), 1);
        receiver->receive_rtcp(now_ns);
    }
    EXPECT_EQ(LegCounters::get(session->counters()->rtcp_received), 1u);
    EXPECT_EQ(replays(), 1u);
    EXPECT_EQ(LegCounters::get(session->counters()->refused_packets), 1u) << "in the clear";
}

TEST_F(SrtpLeg, WhoHasNoKeyDoesNotTakeTheSource) {
    auto wrong = *srtp::SrtpOutbound::create(kSuite, *SrtpKey::random(kSuite));
    for (std::uint16_t i = 0; i < 10; ++i) {
        arrive(stranger.rtp_fd(), plain(42, i));
        arrive(stranger.rtp_fd(), sealed_by(wrong, i));
        arrive(peer.rtp_fd(), sealed_by(wrong, i));
    }
    EXPECT_EQ(heard.samples, 0u);
    EXPECT_EQ(auth_failures(), 30u);
    send_frame(0);
    EXPECT_FALSE(receive(peer.rtp_fd()).empty()) << "still to the announced address";
    for (std::uint16_t i = 0; i < 10; ++i) {
        const Bytes packet = sealed_by(*peer_out, i);
        arrive(peer.rtp_fd(), packet);
        arrive(stranger.rtp_fd(), packet);  // heard on the way, and sent again
    }
    EXPECT_EQ(heard.samples, 10u * 160);
    EXPECT_EQ(replays(), 10u);
    send_frame(1);
    EXPECT_FALSE(receive(peer.rtp_fd()).empty());
}

TEST_F(SrtpLeg, ARekeyLosesNoPacketThatIsUnderWay) {
    for (std::uint16_t i = 0; i < 10; ++i) arrive(peer.rtp_fd(), sealed_by(*peer_out, i));
    send_frame(0);
    (void)receive(peer.rtp_fd());
    SrtpAgreement renewed = agreed;
    renewed.remote = *SrtpKey::random(kSuite);
    renewed.tag = 2;
    session->set_srtp(*contexts.update(renewed));
    for (std::uint16_t i = 10; i < 13; ++i) arrive(peer.rtp_fd(), sealed_by(*peer_out, i));
    auto new_out = *srtp::SrtpOutbound::create(kSuite, renewed.remote);
    for (std::uint16_t i = 13; i < 20; ++i) arrive(peer.rtp_fd(), sealed_by(new_out, i));
    EXPECT_EQ(heard.samples, 20u * 160);
    EXPECT_EQ(auth_failures(), 0u);
    arrive(peer.rtp_fd(), sealed_by(*peer_out, 20));
    EXPECT_EQ(auth_failures(), 1u) << "the old key is over once the new one was heard";
    send_frame(1);
    Bytes ours = receive(peer.rtp_fd());
    EXPECT_EQ(peer_in->open_rtp(ours).verdict, srtp::SrtpInbound::Verdict::Ok)
        << "our own stream went on";
}

TEST_F(SrtpLeg, AnUnchangedKeyKeepsItsRollover) {
    std::uint16_t sequence = 65500;
    for (int i = 0; i < 100; ++i) arrive(peer.rtp_fd(), sealed_by(*peer_out, sequence++));
    session->set_srtp(*contexts.update(agreed));
    arrive(peer.rtp_fd(), sealed_by(*peer_out, sequence++));
    // Another key, taken back before it was used: the re-INVITE was cancelled.
    SrtpAgreement renewed = agreed;
    renewed.remote = *SrtpKey::random(kSuite);
    session->set_srtp(*contexts.update(renewed));
    session->set_srtp(*contexts.update(agreed));
    arrive(peer.rtp_fd(), sealed_by(*peer_out, sequence++));
    EXPECT_EQ(heard.samples, 102u * 160);
    EXPECT_EQ(auth_failures(), 0u);
}

TEST_F(SrtpLeg, ALegMayGoToPlainRtpAndBack) {
    session->set_srtp(*contexts.update(std::nullopt));
    arrive(peer.rtp_fd(), plain(42, 1));
    EXPECT_EQ(heard.samples, 160u);
    send_frame(0);
    EXPECT_EQ(receive(peer.rtp_fd()).size(), rtp::kHeaderBytes + 160);
    session->set_srtp(*contexts.update(agreed));
    arrive(peer.rtp_fd(), plain(42, 2));
    EXPECT_EQ(heard.samples, 160u);
    EXPECT_EQ(auth_failures(), 1u);
}

}  // namespace
}  // namespace offhook::session
