#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "ai/burst.h"
#include "ai/call_ai.h"
#include "ai/echo.h"
#include "base/monotonic.h"
#include "model/codec.h"
#include "sound.h"

namespace offhook::ai {
namespace {

using base::kNsPerMs;
using Samples = std::vector<std::int16_t>;

/// One AI on one call, with the clock and the media worker in the test's hand.
class Protocol : public testing::TestWithParam<std::uint32_t> {
protected:
    const std::uint32_t rate_hz_ = GetParam();
    const std::size_t frame_ = model::frame_samples(rate_hz_);
    model::AudioPort port_{rate_hz_};
    AiCounters counters_;
    std::unique_ptr<CallAi> ai_;
    std::int64_t now_ns_ = 1'000'000'000'000;
    Samples heard_;  ///< what left towards the caller, without the filler

    void start(config::AiProtocol protocol, int delay_ms = 200) {
        ai_ = make_ai({.name = "x",
                       .protocol = protocol,
                       .delay_ms = delay_ms,
                       .frequency_hz = 440,
                       .level_dbov = -20},
                      port_,
                      counters_);
        ai_->on_tick(now_ns_);
    }
    /// 10 ms on; a frame leaves every second time.
    void tick() {
        now_ns_ += 10 * kNsPerMs;
        ai_->on_tick(now_ns_);
        if (now_ns_ / kNsPerMs % 20 == 0) take_frame();
    }
    void tick_for(int ms) {
        for (int done = 0; done < ms; done += 10) tick();
    }
    /// How much the line keeper gets for one frame.
    std::size_t take_frame() {
        Samples frame(frame_);
        bool was_cut = false;
        const std::size_t n = port_.voice.read(frame, was_cut);
        EXPECT_FALSE(was_cut);
        heard_.insert(heard_.end(), frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(n));
        return n;
    }
    Samples drain() {
        Samples all(port_.voice.queued_samples());
        bool was_cut = false;
        EXPECT_EQ(port_.voice.read(all, was_cut), all.size());
        return all;
    }
    std::size_t samples(int ms) const { return rate_hz_ / 1000 * static_cast<std::size_t>(ms); }
    Samples loud(std::size_t n, unsigned seed) {
        std::mt19937 random(seed);
        Samples pcm(n);
        for (auto& sample : pcm) sample = static_cast<std::int16_t>(random() % 20'001);
        return pcm;
    }
};

class EchoOf : public Protocol {};
class BurstOf : public Protocol {};
class ToneOf : public Protocol {};
class MuteOf : public Protocol {};

TEST_P(EchoOf, ComesBackWholeInOrderAndDelayed) {
    start(config::AiProtocol::Echo);
    const Samples said = loud(samples(10'000), 1);
    // Frames come with up to 100 ms of jitter, several at once or none for a while.
    std::mt19937 random(2);
    std::size_t sent = 0;
    for (int ms = 0; sent < said.size(); ms += 10) {
        std::size_t due = std::min(said.size(), samples(ms) / frame_ * frame_);
        if (random() % 10 < 7 && due < sent + samples(100)) due = sent;
        if (due > sent) ai_->on_caller_audio(std::span(said).subspan(sent, due - sent));
        sent = std::max(sent, due);
        tick();
        if (ms >= 600) {
            // 200 ms, less what is late now, and what waits for the next frame to leave.
            const double delay_ms =
                1e3 * static_cast<double>(port_.voice.queued_samples()) / rate_hz_ +
                static_cast<double>(samples(ms) - sent) * 1e3 / rate_hz_;
            ASSERT_GE(delay_ms, 170);
            ASSERT_LE(delay_ms, 340);
        }
    }
    tick_for(1000);
    Samples expected(samples(200), 0);
    expected.insert(expected.end(), said.begin(), said.end());
    EXPECT_EQ(heard_, expected);
    EXPECT_EQ(counters_.trimmed_samples, 0U);
}

TEST_P(EchoOf, PrimesAgainAfterThePause) {
    start(config::AiProtocol::Echo, 40);
    const Samples first = loud(frame_, 1);
    const Samples second = loud(frame_ * 3, 2);
    ai_->on_caller_audio(first);
    tick_for(500);
    ai_->on_caller_audio(second);
    tick_for(500);
    Samples expected(samples(40), 0);
    expected.insert(expected.end(), first.begin(), first.end());
    expected.insert(expected.end(), samples(40), 0);
    expected.insert(expected.end(), second.begin(), second.end());
    EXPECT_EQ(heard_, expected);
}

TEST_P(EchoOf, AGrownQueueIsTrimmedInSilenceOnly) {
    start(config::AiProtocol::Echo);
    const Samples words = loud(samples(1000), 3);
    const Samples silence(samples(2000), 5);
    ai_->on_caller_audio(words);  // we stood still: a second at once
    EXPECT_EQ(port_.voice.queued_samples(), samples(1200));
    ai_->on_caller_audio(words);
    EXPECT_EQ(port_.voice.queued_samples(), samples(2200));  // words are never left out
    // From now on in time: silence is left out until 200 ms are there.
    for (std::size_t at = 0; at + frame_ <= silence.size(); at += frame_) {
        ai_->on_caller_audio(std::span(silence).subspan(at, frame_));
        tick();
        tick();
    }
    EXPECT_EQ(counters_.trimmed_samples, samples(2000));
    for (int i = 0; i < 50; ++i) {
        ai_->on_caller_audio(std::span(silence).first(frame_));
        tick();
        tick();
    }
    EXPECT_NEAR(static_cast<double>(port_.voice.queued_samples()),
                static_cast<double>(samples(200)),
                static_cast<double>(frame_));
    // All words are there, one after the other.
    Samples expected(samples(200), 0);
    expected.insert(expected.end(), words.begin(), words.end());
    expected.insert(expected.end(), words.begin(), words.end());
    ASSERT_GE(heard_.size(), expected.size());
    heard_.resize(expected.size());
    EXPECT_EQ(heard_, expected);
}

TEST_P(BurstOf, TwoSecondsAtOnceEveryFourSeconds) {
    start(config::AiProtocol::Burst);
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(port_.voice.queued_samples(), samples(2000));
        const Samples burst = drain();
        for (int index = 0; index < Burst::kTones; ++index) {
            const std::size_t at = samples(Burst::kToneMs) * static_cast<std::size_t>(index);
            const auto whole = std::span(burst).subspan(at, samples(Burst::kToneMs));
            const auto middle = whole.subspan(samples(20), samples(160));
            const double amplitude = test::amplitude_at(440 + 100 * index, rate_hz_, middle);
            EXPECT_NEAR(20 * std::log10(amplitude / std::sqrt(2) / 32768), -20, 0.2) << index;
            EXPECT_NEAR(test::rms(middle) * std::sqrt(2), amplitude, amplitude * 0.02) << index;
            EXPECT_EQ(whole.front(), 0);
            EXPECT_EQ(whole.back(), 0);
        }
        for (int ms = 0; ms < 3990; ms += 10) {
            tick();
            ASSERT_EQ(port_.voice.queued_samples(), 0U);
        }
        now_ns_ += 10 * kNsPerMs;
        ai_->on_tick(now_ns_);
    }
    // A stall does not make up for missed bursts.
    drain();
    now_ns_ += 60'000 * kNsPerMs;
    ai_->on_tick(now_ns_);
    EXPECT_EQ(port_.voice.queued_samples(), samples(2000));
    drain();
    tick_for(3900);
    EXPECT_EQ(heard_.size(), 0U);
}

TEST(BurstTones, StayInTheBand) {
    EXPECT_DOUBLE_EQ(Burst::tone_hz(300, 0), 300);
    EXPECT_DOUBLE_EQ(Burst::tone_hz(300, 9), 1200);
    EXPECT_DOUBLE_EQ(Burst::tone_hz(3000, 9), 3400);
    EXPECT_DOUBLE_EQ(Burst::tone_hz(3400, 9), 3400);
}

TEST_P(ToneOf, NeverDryNeverLongAndOnePhase) {
    start(config::AiProtocol::Tone);
    for (int ms = 0; ms < 5000; ms += 10) {
        ASSERT_GE(port_.voice.queued_samples(), samples(80));
        ASSERT_LE(port_.voice.queued_samples(), samples(200));
        tick();
    }
    ASSERT_EQ(heard_.size(), samples(5000));
    const double amplitude = test::amplitude_at(440, rate_hz_, heard_);
    EXPECT_NEAR(20 * std::log10(amplitude / std::sqrt(2) / 32768), -20, 0.05);
    EXPECT_NEAR(test::rms(heard_) * std::sqrt(2), amplitude, amplitude * 0.001);
    EXPECT_EQ(counters_.trimmed_samples, 0U);
}

TEST_P(MuteOf, SaysNothing) {
    start(config::AiProtocol::Mute);
    for (int i = 0; i < 100; ++i) {
        ai_->on_caller_audio(loud(frame_, 1));
        tick();
    }
    EXPECT_EQ(port_.voice.written_samples(), 0U);
}

const auto kRates = testing::Values(8000U, 16000U);
INSTANTIATE_TEST_SUITE_P(Rates, EchoOf, kRates);
INSTANTIATE_TEST_SUITE_P(Rates, BurstOf, kRates);
INSTANTIATE_TEST_SUITE_P(Rates, ToneOf, kRates);
INSTANTIATE_TEST_SUITE_P(Rates, MuteOf, kRates);

}  // namespace
}  // namespace offhook::ai
