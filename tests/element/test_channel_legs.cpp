// Twenty legs over real sockets in a channel whose members come, go and move: each sends one packet
// every 20 ms on one SSRC without a break, and at the end each hears the others. Time is stepped, so
// that "every 20 ms" is exact.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "media/phone_leg.h"
#include "media/reaper.h"
#include "mixer/channel_mixer.h"
#include "rtp/codec.h"
#include "rtp/packet.h"

namespace offhook::element_test {
namespace {

using model::Codec;

constexpr std::size_t kLegs = 20;
constexpr std::int64_t kMs = 1'000'000;

std::int64_t g_now_ns = 10'000 * kMs;
std::int64_t fake_now() noexcept {
    return g_now_ns;
}

struct Nobody final : base::Executor {
    void post(std::function<void()>) override {}
};

/// Who is at the other end of a leg: sends a tone, keeps what comes.
class Peer {
public:
    Peer(Codec codec, double tone_hz)
        : hz(tone_hz),
          facts_(model::facts_of(codec)),
          encoder_(rtp::make_encoder(codec)),
          decoder_(rtp::make_decoder(codec)) {
        fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        socklen_t size = sizeof address;
        EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port = ntohs(address.sin_port);
    }
    ~Peer() { close(fd_); }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    void send_to(std::uint16_t leg_port) {
        std::vector<std::int16_t> pcm(model::frame_samples(facts_.sample_rate_hz));
        for (auto& sample : pcm) {
            const double phase =
                2 * std::numbers::pi * hz * static_cast<double>(said_++) / facts_.sample_rate_hz;
            sample = static_cast<std::int16_t>(std::lround(1'000 * std::sin(phase)));
        }
        std::array<std::uint8_t, rtp::kMaxPacketBytes> packet;
        const std::size_t bytes =
            encoder_->encode(pcm, std::span(packet).subspan(rtp::kHeaderBytes));
        rtp::write_header({facts_.default_payload_type, false, sequence_, timestamp_, 7},
                          std::span(packet).first<rtp::kHeaderBytes>());
        ++sequence_;
        timestamp_ += facts_.rtp_clock_hz / 50;
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(leg_port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_GT(sendto(fd_,
                         packet.data(),
                         rtp::kHeaderBytes + bytes,
                         0,
                         reinterpret_cast<const sockaddr*>(&to),
                         sizeof to),
                  0);
    }
    void receive() {
        std::array<std::uint8_t, rtp::kMaxPacketBytes> datagram;
        for (;;) {
            const ssize_t n = recv(fd_, datagram.data(), datagram.size(), 0);
            if (n <= 0) return;
            const auto bytes = std::span(datagram).first(static_cast<std::size_t>(n));
            if (rtp::looks_like_rtcp(bytes)) continue;
            const auto packet = rtp::parse_packet(bytes);
            ASSERT_TRUE(packet);
            if (packets > 0) {
                EXPECT_EQ(packet->sequence, static_cast<std::uint16_t>(last_sequence_ + 1));
                EXPECT_EQ(packet->timestamp_rtp, last_timestamp_ + facts_.rtp_clock_hz / 50);
                EXPECT_EQ(packet->ssrc, ssrc_);
                EXPECT_EQ(g_now_ns - last_ns_, 20 * kMs) << "packet " << packets;
            }
            ++packets;
            last_sequence_ = packet->sequence;
            last_timestamp_ = packet->timestamp_rtp;
            ssrc_ = packet->ssrc;
            last_ns_ = g_now_ns;
            std::array<std::int16_t, model::kMaxPacketSamples> pcm;
            const std::size_t samples = decoder_->decode(packet->payload, pcm);
            heard.insert(
                heard.end(), pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(samples));
        }
    }
    /// Amplitude of a tone in the last 400 ms.
    [[nodiscard]] double hears(double other_hz) const {
        const std::size_t samples = facts_.sample_rate_hz * 2 / 5;
        double re = 0, im = 0;
        for (std::size_t i = 0; i < samples; ++i) {
            const double phase =
                2 * std::numbers::pi * other_hz * static_cast<double>(i) / facts_.sample_rate_hz;
            const double sample = heard[heard.size() - samples + i];
            re += sample * std::cos(phase);
            im += sample * std::sin(phase);
        }
        return 2 * std::hypot(re, im) / static_cast<double>(samples);
    }

    double hz;
    std::uint16_t port = 0;
    std::uint64_t packets = 0;
    std::vector<std::int16_t> heard;

private:
    const model::CodecFacts& facts_;
    std::unique_ptr<rtp::Encoder> encoder_;
    std::unique_ptr<rtp::Decoder> decoder_;
    int fd_ = -1;
    std::uint64_t said_ = 0;
    std::uint16_t sequence_ = 100, last_sequence_ = 0;
    std::uint32_t timestamp_ = 0, last_timestamp_ = 0, ssrc_ = 0;
    std::int64_t last_ns_ = 0;
};

struct Member {
    std::unique_ptr<Peer> peer;
    std::unique_ptr<media::PhoneLeg> leg;
    std::uint16_t leg_port = 0;
    std::shared_ptr<model::ChannelSeat> seat;
    std::shared_ptr<mixer::MixMeter> meter;
    int channel = -1;
    bool is_busy = false;  ///< on its way from one place to another
};

class ChannelLegsTest : public ::testing::Test {
protected:
    ChannelLegsTest() {
        for (auto& mixer : mixers_) mixer = mixer::ChannelMixer::start(worker_);
        const auto launch = media::LaunchFile::from_text(
            "phone.launch",
            "[inbound]\nrtpcallsrc name=in ! aitap name=tap\n"
            "[outbound]\nlinekeeper name=voice ! rtpcallsink name=out\n",
            {});
        for (std::size_t i = 0; i < kLegs; ++i) members_.push_back(make(i, *launch));
    }
    ~ChannelLegsTest() override {
        for (auto& mixer : mixers_) mixer->retire();
        for (auto& member : members_) member.leg->retire(reaper_, {});
        for (int i = 0; i < 5; ++i) step_ms();
    }

    Member make(std::size_t number, const std::shared_ptr<const media::LaunchFile>& launch) {
        constexpr std::array kCodecs{Codec::Pcmu, Codec::G722, Codec::Pcma, Codec::Opus};
        const Codec codec = kCodecs[number % kCodecs.size()];
        Member member;
        // Whole periods in 400 ms, at every rate.
        member.peer = std::make_unique<Peer>(codec, 400 + 100 * static_cast<double>(number));
        auto sockets = session::SocketPair::open("127.0.0.1", 0);
        EXPECT_TRUE(sockets) << sockets.error().text();
        member.leg_port = sockets->port();
        model::ChosenAudio chosen;
        chosen.codec = codec;
        chosen.payload_type = model::facts_of(codec).default_payload_type;
        member.leg = std::move(*media::PhoneLeg::create({.id = {"leg-" + std::to_string(number)},
                                                         .sockets = std::move(*sockets),
                                                         .chosen = chosen,
                                                         .codec_settings = {},
                                                         .quirks = {},
                                                         .launch = launch,
                                                         .fill = "silence",
                                                         .worker = worker_,
                                                         .bus = &bus_}));
        model::RemoteAudio remote;
        remote.address = "127.0.0.1";
        remote.rtp_port = remote.rtcp_port = member.peer->port;
        EXPECT_TRUE(member.leg->set_remote(remote));
        EXPECT_TRUE(member.leg->start());
        return member;
    }

    void step_ms() {
        g_now_ns += kMs;
        const auto ms = static_cast<std::size_t>(g_now_ns / kMs % 20);
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (i % 20 == ms) members_[i].peer->send_to(members_[i].leg_port);
        }
        worker_->step();
        for (auto& member : members_) member.peer->receive();
    }
    void run(int frames) {
        for (int i = 0; i < frames * 20; ++i) step_ms();
    }

    /// Puts into a mixer who is there now.
    void seat_members(int channel, std::function<void()> after = {}) {
        std::vector<mixer::MixMember> all;
        for (const Member& member : members_) {
            if (member.channel == channel && !member.is_busy)
                all.push_back({member.seat, nullptr, member.meter});
        }
        mixer::Matrix matrix(all.size());
        for (std::size_t i = 0; i < all.size() * all.size(); ++i) {
            matrix.set(i / all.size(), i % all.size(), 1);
        }
        mixers_[static_cast<std::size_t>(channel)]->set_members(
            std::move(all), std::move(matrix), std::move(after));
    }
    void go(Member& member, int channel) {
        if (member.is_busy || member.channel == channel) return;
        const int before = std::exchange(member.channel, channel);
        member.is_busy = true;
        if (before < 0) {
            member.seat = std::make_shared<model::ChannelSeat>(fake_now);
            member.meter = std::make_shared<mixer::MixMeter>();
            member.leg->take_seat(member.seat, [this, &member] { arrived_.push_back(&member); });
            return;
        }
        // Lets go of first; the others play on.
        seat_members(before, [this, &member] { left_.push_back(&member); });
    }
    /// What control would do when the worker's news have come.
    void control() {
        for (Member* member : std::exchange(left_, {})) {
            if (member->channel >= 0) {
                arrived_.push_back(member);
            } else {
                member->leg->take_seat({}, [member] { member->is_busy = false; });
            }
        }
        for (Member* member : std::exchange(arrived_, {})) {
            member->is_busy = false;
            seat_members(member->channel);
        }
    }

    std::shared_ptr<worker::MediaWorker> worker_ =
        worker::MediaWorker::create_stepped("channel-legs", [] { return g_now_ns; }).value();
    Nobody nobody_;
    media::MediaBus bus_{nobody_, {}};
    media::Reaper reaper_;
    std::array<std::shared_ptr<mixer::ChannelMixer>, 2> mixers_;
    std::vector<Member> members_;
    std::vector<Member*> left_, arrived_;
};

TEST_F(ChannelLegsTest, EachSendsOnePacketEvery20MsWhoeverComesGoesAndMoves) {
    run(20);
    std::mt19937 random(6);
    for (int change = 0; change < 400; ++change) {
        go(members_[random() % kLegs], static_cast<int>(random() % 3) - 1);
        for (std::size_t ms = random() % 30; ms > 0; --ms) step_ms();
        control();
    }
    for (int round = 0; round < 100; ++round) {
        for (Member& member : members_) go(member, 0);
        step_ms();
        control();
    }
    run(60);
    for (std::size_t i = 0; i < kLegs; ++i) {
        const Peer& peer = *members_[i].peer;
        EXPECT_NEAR(static_cast<double>(peer.packets),
                    static_cast<double>((g_now_ns - 10'000 * kMs) / (20 * kMs)),
                    1)
            << i;
        EXPECT_EQ(members_[i].channel, 0);
        // Opus keeps the level of twenty sines, not each of them.
        const double tolerance = i % 4 == 3 ? 500 : 100;
        for (std::size_t other = 0; other < kLegs; ++other) {
            EXPECT_NEAR(peer.hears(members_[other].peer->hz), other == i ? 0 : 1'000, tolerance)
                << i << " hears " << other;
        }
        EXPECT_EQ(model::LegCounters::get(members_[i].leg->counters().skipped_frames), 0u);
    }
    EXPECT_EQ(mixers_[0]->late_frames(), 0u);
}

}  // namespace
}  // namespace offhook::element_test
