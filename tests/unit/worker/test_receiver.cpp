// What the caller's packets sound like: packets of any length, announced pauses, digits, and what a
// peer does beside the RFCs.
#include <gtest/gtest.h>
#include <opus.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "rtp/codec.h"
#include "rtpcallsink/rtp_sender.h"
#include "rtpcallsrc/pause_clock.h"
#include "rtpcallsrc/rtp_receiver.h"
#include "session/rtp_session.h"

namespace offhook::rtpcallsrc {
namespace {

using model::Codec;
using model::LegCounters;
using session::Endpoint;
using session::RtpSession;
using session::SocketPair;

constexpr std::int64_t kMs = 1'000'000;
constexpr double kToneHz = 440;
using Samples = std::vector<std::int16_t>;
using Bytes = std::vector<std::uint8_t>;

struct Heard final : ReceiverSink {
    void on_pcm(std::span<const std::int16_t> pcm) noexcept override {
        sound.insert(sound.end(), pcm.begin(), pcm.end());
    }
    void on_packet(const rtp::PacketView&) noexcept override { ++packets; }
    void on_digit(const rtp::DtmfReceiver::Event& event) noexcept override {
        if (event.is_end) digits.push_back(event);
    }
    Samples sound;
    int packets = 0;
    std::vector<rtp::DtmfReceiver::Event> digits;
};

double rms(std::span<const std::int16_t> pcm) {
    double power = 0;
    for (const std::int16_t sample : pcm) power += double(sample) * sample;
    return pcm.empty() ? 0 : std::sqrt(power / double(pcm.size()));
}

double dbov(std::span<const std::int16_t> pcm) {
    return 20 * std::log10(std::max(rms(pcm), 0.01) / 32768);
}

double tone_amplitude(std::span<const std::int16_t> pcm, std::uint32_t rate_hz) {
    double re = 0;
    double im = 0;
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        const double phase = 2 * std::numbers::pi * kToneHz * double(i) / rate_hz;
        re += pcm[i] * std::cos(phase);
        im += pcm[i] * std::sin(phase);
    }
    return 2 * std::hypot(re, im) / double(pcm.size());
}

/// A tone in packets of any length, as a peer would send it.
class Talker {
public:
    Talker(Codec codec, int ptime_ms)
        : facts_(model::facts_of(codec)), ptime_ms_(ptime_ms), encoder_(rtp::make_encoder(codec)) {
        if (codec != Codec::Opus && codec != Codec::Opus16) return;
        int error = 0;
        opus_.reset(opus_encoder_create(16000, 1, OPUS_APPLICATION_VOIP, &error));
    }

    [[nodiscard]] std::uint32_t ticks() const { return facts_.rtp_clock_hz / 1000 * ptime(); }
    [[nodiscard]] std::size_t samples() const { return facts_.sample_rate_hz / 1000 * ptime(); }

    Bytes payload() {
        Samples pcm(samples());
        for (std::int16_t& sample : pcm) {
            sample =
                static_cast<std::int16_t>(8000 * std::sin(2 * std::numbers::pi * kToneHz *
                                                          double(at_++) / facts_.sample_rate_hz));
        }
        Bytes out(model::kMaxPayloadBytes);
        std::size_t size = 0;
        if (opus_) {
            size = static_cast<std::size_t>(opus_encode(opus_.get(),
                                                        pcm.data(),
                                                        static_cast<int>(pcm.size()),
                                                        out.data(),
                                                        static_cast<int>(out.size())));
        } else {
            size = encoder_->encode(pcm, out);
        }
        out.resize(size);
        return out;
    }

private:
    [[nodiscard]] std::uint32_t ptime() const { return static_cast<std::uint32_t>(ptime_ms_); }
    struct Free {
        void operator()(OpusEncoder* state) const { opus_encoder_destroy(state); }
    };
    const model::CodecFacts& facts_;
    int ptime_ms_;
    std::unique_ptr<rtp::Encoder> encoder_;
    std::unique_ptr<OpusEncoder, Free> opus_;
    std::size_t at_ = 0;
};

/// A receiver on a clock of the test's own: every 20 ms a slot, packets when they are given.
class Ear {
public:
    explicit Ear(RtpSession::Settings settings)
        : session(std::make_shared<RtpSession>(std::move(*SocketPair::open("127.0.0.1", 0)),
                                               std::move(settings))),
          receiver_(session, Output::Pcm, heard) {
        session->set_remote(peer_, peer_);
    }

    void packet(std::uint8_t type, const Bytes& payload, std::uint32_t at_rtp) {
        Bytes datagram(rtp::kHeaderBytes);
        rtp::write_header(
            {type, false, sequence++, at_rtp, 42},
            std::span<std::uint8_t, rtp::kHeaderBytes>(datagram.data(), rtp::kHeaderBytes));
        datagram.insert(datagram.end(), payload.begin(), payload.end());
        receiver_.handle(datagram, peer_, now_ns);
    }
    /// Time passes, slot by slot.
    void pass(int ms) {
        for (int i = 0; i < ms; ++i) {
            now_ns += kMs;
            if (now_ns / kMs % 20 == 7) receiver_.play_due(now_ns);
        }
    }
    /// Packets of `talker` at their pace, for `ms`.
    void talk(Talker& talker, int ptime_ms, int ms) {
        for (int done = 0; done < ms; done += ptime_ms) {
            packet(session->settings().payload_type, talker.payload(), timestamp_rtp);
            timestamp_rtp += talker.ticks();
            pass(ptime_ms);
        }
    }
    [[nodiscard]] std::uint64_t count(
        const LegCounters::Cell<std::uint64_t> LegCounters::*counter) const {
        return LegCounters::get((*session->counters()).*counter);
    }
    [[nodiscard]] std::span<const std::int16_t> sound(double from_s, double to_s) const {
        const double rate = session->codec().sample_rate_hz;
        return std::span(heard.sound)
            .subspan(static_cast<std::size_t>(from_s * rate),
                     static_cast<std::size_t>((to_s - from_s) * rate));
    }
    void expect_nothing_lost() const {
        EXPECT_EQ(count(&LegCounters::lost_packets), 0U);
        EXPECT_EQ(count(&LegCounters::concealed_samples), 0U);
        EXPECT_EQ(count(&LegCounters::refused_packets), 0U);
        EXPECT_EQ(count(&LegCounters::late_packets), 0U);
        EXPECT_EQ(LegCounters::get(session->counters()->playout_delay_ns), 0);
    }

    Heard heard;
    std::shared_ptr<RtpSession> session;
    std::uint16_t sequence = 65500;
    std::uint32_t timestamp_rtp = 0xFFFFF000;
    std::int64_t now_ns = 1'000'000 * kMs;

private:
    Endpoint peer_ = *Endpoint::make("127.0.0.1", 4000);
    RtpReceiver receiver_;
};

RtpSession::Settings settings_for(Codec codec) {
    RtpSession::Settings settings;
    settings.codec = codec;
    settings.payload_type = model::facts_of(codec).default_payload_type;
    settings.telephone_event_type = 101;
    return settings;
}

using CodecAndPtime = std::tuple<Codec, int>;

class PacketTime : public testing::TestWithParam<CodecAndPtime> {};

TEST_P(PacketTime, IsHeardWholeAndWithoutDelay) {
    const auto [codec, ptime_ms] = GetParam();
    Ear ear(settings_for(codec));
    Talker talker(codec, ptime_ms);
    ear.talk(talker, ptime_ms, 2400);
    ear.expect_nothing_lost();
    const std::uint32_t rate_hz = ear.session->codec().sample_rate_hz;
    EXPECT_EQ(ear.heard.sound.size(), std::size_t{24} * rate_hz / 10);
    EXPECT_NEAR(tone_amplitude(ear.sound(0.4, 2.4), rate_hz), 8000, 900);
    // No 10 ms of it is quiet or loud: nothing is chopped, doubled or joined with a click.
    for (double at_s = 0.4; at_s < 2.39; at_s += 0.01) {
        EXPECT_NEAR(rms(ear.sound(at_s, at_s + 0.01)), 8000 / std::numbers::sqrt2, 1500) << at_s;
    }
}

TEST_P(PacketTime, OneLostPacketIsOnePacketOfConcealment) {
    const auto [codec, ptime_ms] = GetParam();
    Ear ear(settings_for(codec));
    Talker talker(codec, ptime_ms);
    ear.talk(talker, ptime_ms, 1200);
    (void)talker.payload();
    ++ear.sequence;
    ear.timestamp_rtp += talker.ticks();
    ear.pass(ptime_ms);
    ear.talk(talker, ptime_ms, 1200);
    ear.pass(200);
    EXPECT_EQ(ear.count(&LegCounters::lost_packets), 1U);
    EXPECT_EQ(ear.count(&LegCounters::concealed_samples), talker.samples());
    EXPECT_EQ(ear.heard.sound.size(),
              std::size_t{24} * ear.session->codec().sample_rate_hz / 10 + talker.samples());
}

INSTANTIATE_TEST_SUITE_P(All,
                         PacketTime,
                         testing::Combine(testing::Values(Codec::Pcmu, Codec::Pcma, Codec::G722),
                                          testing::Values(10, 20, 30, 40, 60)));
// Opus has no frame of 30 ms.
INSTANTIATE_TEST_SUITE_P(Opus,
                         PacketTime,
                         testing::Combine(testing::Values(Codec::Opus, Codec::Opus16),
                                          testing::Values(10, 20, 40, 60)));

TEST(ComfortNoise, IsPlayedAtTheToldLevelUntilSoundIsBack) {
    RtpSession::Settings settings = settings_for(Codec::Pcmu);
    settings.comfort_noise_type = 13;
    Ear ear(settings);
    Talker talker(Codec::Pcmu, 20);
    ear.talk(talker, 20, 1000);
    ear.packet(13, {50, 0x80, 0x80}, ear.timestamp_rtp);
    EXPECT_TRUE(LegCounters::get(ear.session->counters()->is_paused));
    ear.pass(1000);
    // A new level, and the pause goes on.
    ear.packet(13, {40}, ear.timestamp_rtp + 8000);
    ear.pass(1000);
    ear.timestamp_rtp += 16000;
    ear.talk(talker, 20, 1000);
    ear.expect_nothing_lost();
    EXPECT_FALSE(LegCounters::get(ear.session->counters()->is_paused));
    EXPECT_EQ(ear.heard.sound.size(), 32000U) << "a pause is as long as it was at the caller's";
    EXPECT_EQ(ear.count(&LegCounters::comfort_noise_samples), 16000U);
    EXPECT_NEAR(dbov(ear.sound(1.0, 1.9)), -50, 1);
    EXPECT_NEAR(dbov(ear.sound(2.1, 3.0)), -40, 1);
    EXPECT_NEAR(tone_amplitude(ear.sound(3.05, 4), 8000), 8000, 300);
}

TEST(ComfortNoise, JitterAtItsEndAddsNoDelay) {
    RtpSession::Settings settings = settings_for(Codec::Pcma);
    settings.comfort_noise_type = 97;
    Ear ear(settings);
    Talker talker(Codec::Pcma, 20);
    for (int pause = 0; pause < 20; ++pause) {
        ear.talk(talker, 20, 200);
        ear.packet(97, {60}, ear.timestamp_rtp);
        const int late_ms = pause % 3 * 10;  // the first packet behind it, and it alone
        ear.pass(300 + late_ms);
        ear.timestamp_rtp += 2400;
        ear.packet(8, talker.payload(), ear.timestamp_rtp);
        ear.timestamp_rtp += 160;
        ear.pass(20 - late_ms);
    }
    EXPECT_EQ(ear.count(&LegCounters::lost_packets), 0U);
    EXPECT_EQ(ear.heard.sound.size(), 20U * (1600 + 2400 + 160));
}

TEST(ComfortNoise, ALossInThePauseIsCountedAndNotPlayed) {
    RtpSession::Settings settings = settings_for(Codec::Pcmu);
    settings.comfort_noise_type = 13;
    Ear ear(settings);
    Talker talker(Codec::Pcmu, 20);
    ear.talk(talker, 20, 400);
    ear.packet(13, {50}, ear.timestamp_rtp);
    ear.pass(400);
    ++ear.sequence;  // an update of the noise that did not come
    ear.timestamp_rtp += 3200;
    ear.talk(talker, 20, 400);
    ear.pass(100);
    EXPECT_EQ(ear.count(&LegCounters::lost_packets), 1U);
    EXPECT_EQ(ear.heard.sound.size(), 9600U);
}

TEST(ComfortNoise, IsRefusedWhereItWasNotAgreed) {
    Ear ear(settings_for(Codec::Opus));
    ear.packet(13, {50}, ear.timestamp_rtp);
    EXPECT_EQ(ear.count(&LegCounters::refused_packets), 1U);
    EXPECT_TRUE(ear.heard.sound.empty());
}

TEST(ComfortNoise, AStockDecoderNeverSeesIt) {
    RtpSession::Settings settings = settings_for(Codec::Pcmu);
    settings.comfort_noise_type = 13;
    Heard heard;
    auto session = std::make_shared<RtpSession>(std::move(*SocketPair::open("127.0.0.1", 0)),
                                                std::move(settings));
    const Endpoint peer = *Endpoint::make("127.0.0.1", 4000);
    session->set_remote(peer, peer);
    RtpReceiver receiver(session, Output::Rtp, heard);
    std::uint16_t sequence = 1;
    for (const std::uint8_t type : std::array<std::uint8_t, 3>{0, 13, 0}) {
        Bytes datagram(rtp::kHeaderBytes + 1, 50);
        rtp::write_header(
            {type, false, sequence, sequence * 160U, 42},
            std::span<std::uint8_t, rtp::kHeaderBytes>(datagram.data(), rtp::kHeaderBytes));
        receiver.handle(datagram, peer, sequence++ * 20 * kMs);
    }
    EXPECT_EQ(heard.packets, 2);
}

// libopus announces a pause with a packet of one byte, repeats that every 400 ms and sends nothing
// in between.
TEST(OpusDtx, APauseIsSilenceNotLoss) {
    Ear ear(settings_for(Codec::Opus));
    int error = 0;
    OpusEncoder* encoder = opus_encoder_create(16000, 1, OPUS_APPLICATION_VOIP, &error);
    opus_encoder_ctl(encoder, OPUS_SET_DTX(1));
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(24000));
    std::size_t sent = 0;
    bool was_nothing = false;
    constexpr int kFrames = 300;  // 1 s of tone, 4 s of nothing, 1 s of tone
    for (int frame = 0; frame < kFrames; ++frame) {
        Samples pcm(320);
        const bool speaks = frame < 50 || frame >= 250;
        for (std::size_t i = 0; speaks && i < pcm.size(); ++i) {
            const double t = double(std::size_t(frame) * 320 + i) / 16000;
            pcm[i] = static_cast<std::int16_t>(8000 * std::sin(2 * std::numbers::pi * kToneHz * t));
        }
        Bytes payload(1500);
        const int bytes = opus_encode(encoder, pcm.data(), 320, payload.data(), 1500);
        ASSERT_GT(bytes, 0);
        payload.resize(static_cast<std::size_t>(bytes));
        // As RFC 7587 §3.1.3 has it: of frames that say nothing, the first goes out, and every
        // 400 ms libopus makes one that says something.
        const bool is_nothing = bytes <= 2;
        if (!is_nothing || !was_nothing) {
            ear.packet(96, payload, ear.timestamp_rtp);
            ++sent;
        }
        was_nothing = is_nothing;
        ear.timestamp_rtp += 960;
        ear.pass(20);
    }
    opus_encoder_destroy(encoder);
    ASSERT_LT(sent, 200U) << "there was a pause";
    ear.expect_nothing_lost();
    EXPECT_EQ(ear.heard.sound.size(), std::size_t{kFrames} * 320);
    EXPECT_GT(ear.count(&LegCounters::comfort_noise_samples), 16000U);
    EXPECT_LT(dbov(ear.sound(2, 4.9)), -60);
    EXPECT_NEAR(tone_amplitude(ear.sound(5.3, 6), 16000), 8000, 900);
}

// Whatever mixture of pauses, sound, digits and jumps a peer makes up: no more sound comes out than
// the packets could hold and the pauses may last.
TEST(ComfortNoise, NonsenseMakesNoMoreSoundThanTimeHas) {
    std::mt19937 random(11);
    for (const Codec codec : {Codec::Pcmu, Codec::Opus}) {
        RtpSession::Settings settings = settings_for(codec);
        settings.comfort_noise_type = 13;
        Ear ear(settings);
        const std::array<std::uint8_t, 4> types{settings.payload_type, 13, 101, 13};
        std::int64_t passed_ms = 0;
        constexpr int kPackets = 20'000;
        for (int i = 0; i < kPackets; ++i) {
            Bytes payload(random() % 8 == 0 ? random() % 1500 : random() % 5);
            for (std::uint8_t& byte : payload) byte = static_cast<std::uint8_t>(random());
            if (random() % 16 == 0) ear.sequence = static_cast<std::uint16_t>(random());
            if (random() % 8 == 0) ear.timestamp_rtp += static_cast<std::uint32_t>(random());
            ear.timestamp_rtp += 160;
            ear.packet(types[random() % types.size()], payload, ear.timestamp_rtp);
            const int ms = static_cast<int>(random() % 40);
            ear.pass(ms);
            passed_ms += ms;
        }
        // 120 ms of a packet, as much of concealment, 200 ms at the end of a pause.
        const std::size_t per_ms = ear.session->codec().sample_rate_hz / 1000;
        EXPECT_LT(ear.heard.sound.size(),
                  (static_cast<std::size_t>(passed_ms) + std::size_t{kPackets} * 440) * per_ms);
        EXPECT_GT(ear.heard.sound.size(), 0U);
    }
}

TEST(PauseClock, GivesUpTimeAfterAStallAndNeverMoreThanItShould) {
    PauseClock clock(model::facts_of(Codec::Pcmu));
    EXPECT_EQ(clock.take_due(100 * kMs), 0U);
    clock.begin(1000, 0);
    EXPECT_EQ(clock.take_due(59 * kMs), 0U);
    EXPECT_EQ(clock.take_due(60 * kMs), 160U);
    EXPECT_EQ(clock.take_due(3000 * kMs), 800U) << "100 ms at once";
    EXPECT_EQ(clock.take_due(3001 * kMs), 0U) << "what was stalled is gone";
    EXPECT_EQ(clock.end(1000 - 160), 0U);
    EXPECT_FALSE(clock.is_active());
    clock.begin(0, 0);
    EXPECT_EQ(clock.end(0x7FFFFFFF), 1600U) << "200 ms, whatever the timestamp claims";
}

// telephone-event/8000 beside Opus at 48000.
TEST(Digits, DurationsCountByTheEventsClock) {
    RtpSession::Settings settings = settings_for(Codec::Opus);
    settings.telephone_event_clock_hz = 8000;
    Ear ear(settings);
    Talker talker(Codec::Opus, 20);
    ear.talk(talker, 20, 200);
    const std::uint32_t start_rtp = ear.timestamp_rtp;
    for (std::uint8_t i = 1; i <= 10; ++i) {
        const auto duration = static_cast<std::uint16_t>(std::min<int>(i, 8) * 160);
        ear.packet(101,
                   {7,
                    static_cast<std::uint8_t>(i >= 8 ? 0x8A : 0x0A),
                    static_cast<std::uint8_t>(duration >> 8),
                    static_cast<std::uint8_t>(duration)},
                   start_rtp);
        ear.timestamp_rtp += 960;
        ear.pass(20);
    }
    ear.talk(talker, 20, 200);
    ASSERT_EQ(ear.heard.digits.size(), 1U);
    EXPECT_EQ(ear.heard.digits[0].digit, '7');
    EXPECT_EQ(ear.heard.digits[0].duration_rtp / (ear.session->dtmf_clocks().event_hz / 1000),
              160U);
    ear.expect_nothing_lost();
}

// Some count the events' timestamps by the events' clock as well, from wherever.
TEST(Digits, OnATimelineOfTheirOwnAreNoLoss) {
    RtpSession::Settings settings = settings_for(Codec::Opus);
    settings.telephone_event_clock_hz = 8000;
    for (const std::uint32_t start_rtp : {0x20000000U, 0xFFFFF000U + 5000U}) {
        Ear ear(settings);
        Talker talker(Codec::Opus, 20);
        for (int press = 0; press < 3; ++press) {
            ear.talk(talker, 20, 400);
            for (std::uint8_t i = 1; i <= 10; ++i) {
                const auto duration = static_cast<std::uint16_t>(std::min<int>(i, 8) * 160);
                ear.packet(101,
                           {7,
                            static_cast<std::uint8_t>(i >= 8 ? 0x8A : 0x0A),
                            static_cast<std::uint8_t>(duration >> 8),
                            static_cast<std::uint8_t>(duration)},
                           start_rtp + static_cast<std::uint32_t>(press) * 4000);
                ear.timestamp_rtp += 960;
                ear.pass(20);
            }
        }
        ear.talk(talker, 20, 400);
        EXPECT_EQ(ear.heard.digits.size(), 3U);
        EXPECT_EQ(ear.heard.sound.size(), std::size_t{80} * 320);
        ear.expect_nothing_lost();
    }
}

// RingCentral's relay tells each digit twice: as an event, and as four bytes under the audio's type.
TEST(Quirks, DuplicatedDigitsAreDroppedBeforeDecoding) {
    for (const bool is_on : {true, false}) {
        RtpSession::Settings settings = settings_for(Codec::Opus16);
        settings.quirks.drop_duplicate_digits = is_on;
        Ear ear(settings);
        Talker talker(Codec::Opus16, 20);
        ear.talk(talker, 20, 200);
        const std::size_t before = ear.heard.sound.size();
        ear.packet(109, {8, 0x8A, 0x03, 0xC0}, ear.timestamp_rtp);
        ear.packet(109, {8, 0x8A, 0x03, 0xC0}, ear.timestamp_rtp);
        EXPECT_EQ(ear.heard.sound.size() == before, is_on);
        EXPECT_EQ(ear.count(&LegCounters::duplicate_packets), is_on ? 2U : 0U);
        if (!is_on) continue;
        // Four bytes that are no such digit are sound.
        ear.packet(109, {0x48, 0x8A, 0x03, 0xC1}, ear.timestamp_rtp);
        EXPECT_GT(ear.heard.sound.size(), before);
        EXPECT_TRUE(ear.heard.digits.empty());
    }
}

TEST(Quirks, ALatchDatagramPrecedesTheFirstPacketToEachAddress) {
    for (const bool is_on : {true, false}) {
        std::array<SocketPair, 2> peers{std::move(*SocketPair::open("127.0.0.1", 0)),
                                        std::move(*SocketPair::open("127.0.0.1", 0))};
        RtpSession::Settings settings = settings_for(Codec::Pcmu);
        settings.quirks.latch_datagram = is_on;
        auto session = std::make_shared<RtpSession>(std::move(*SocketPair::open("127.0.0.1", 0)),
                                                    std::move(settings));
        rtpcallsink::RtpSender sender(session);
        const Samples pcm(160, 100);
        std::uint64_t frame = 0;
        for (const SocketPair& peer : peers) {
            const Endpoint at = *Endpoint::make("127.0.0.1", peer.port());
            session->set_remote(at, at);
            session->set_remote(at, at);  // a refresh is no news
            for (int i = 0; i < 3; ++i) sender.send_pcm(pcm, frame++ * 160);
            std::vector<std::size_t> sizes;
            for (int i = 0; i < (is_on ? 4 : 3); ++i) {
                pollfd wait{.fd = peer.rtp_fd(), .events = POLLIN, .revents = 0};
                ASSERT_EQ(poll(&wait, 1, 5000), 1);
                std::array<std::uint8_t, 2048> bytes{};
                const ssize_t n = recv(peer.rtp_fd(), bytes.data(), bytes.size(), 0);
                sizes.push_back(static_cast<std::size_t>(n));
                const auto view =
                    rtp::parse_packet(std::span(bytes).first(static_cast<std::size_t>(n)));
                EXPECT_EQ(view.has_value(), !is_on || i > 0);
            }
            pollfd more{.fd = peer.rtp_fd(), .events = POLLIN, .revents = 0};
            EXPECT_EQ(poll(&more, 1, 0), 0);
        }
        EXPECT_EQ(LegCounters::get(session->counters()->sent_packets), 6U);
    }
}

}  // namespace
}  // namespace offhook::rtpcallsrc
