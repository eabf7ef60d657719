// The keeper's core: splices, cross-fades, lateness, endless continuity.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <random>
#include <vector>

#include "linekeeper/line_keeper.h"

namespace offhook::linekeeper {
namespace {

using model::AudioPort;
using model::FrameSource;
using model::LegCounters;

constexpr std::uint32_t kRate = 8000;
constexpr std::size_t kFrame = 160;
constexpr std::size_t kFade = 40;
constexpr std::int64_t kMs = 1'000'000;

/// A filler whose every sample has one value, so that a splice can be read off.
class Constant final : public Filler {
public:
    explicit Constant(std::int16_t value) : value_(value) {}
    void fill(std::span<std::int16_t> pcm) noexcept override {
        std::fill(pcm.begin(), pcm.end(), value_);
    }

private:
    std::int16_t value_;
};

class LineKeeperTest : public ::testing::Test {
protected:
    LineKeeperTest() { keeper.set_voice(port); }

    std::vector<std::int16_t> next() {
        std::vector<std::int16_t> pcm(kFrame);
        last = keeper.make_frame(pcm);
        return pcm;
    }
    void say(std::size_t samples, std::int16_t value = 1000) {
        port->voice.write(std::vector<std::int16_t>(samples, value));
    }

    static std::int16_t ramp_at(std::uint64_t position) {
        return static_cast<std::int16_t>(10 * position);
    }
    void say_ramp(std::size_t samples) {
        const std::uint64_t from = port->voice.written_samples();
        std::vector<std::int16_t> pcm(samples);
        for (std::size_t i = 0; i < samples; ++i) pcm[i] = ramp_at(from + i);
        port->voice.write(pcm);
    }
    /// All frames made so far have left.
    void settle_all() {
        const std::uint64_t made = last.offset_samples + kFrame;
        port->ledger.settle(settled, static_cast<std::size_t>(made - settled), true, 1);
        settled = made;
    }

    std::uint64_t settled = 0;
    std::shared_ptr<LegCounters> counters = std::make_shared<LegCounters>();
    std::shared_ptr<AudioPort> port = std::make_shared<AudioPort>(kRate);
    LineKeeper keeper{kRate, std::make_unique<Constant>(10), counters};
    LineKeeper::Frame last;
};

int biggest_step(const std::vector<std::int16_t>& pcm) {
    int biggest = 0;
    for (std::size_t i = 1; i < pcm.size(); ++i)
        biggest = std::max(biggest, std::abs(pcm[i] - pcm[i - 1]));
    return biggest;
}

TEST_F(LineKeeperTest, FillsWhileNobodySpeaks) {
    EXPECT_EQ(next(), std::vector<std::int16_t>(kFrame, 10));
    EXPECT_EQ(last.source, FrameSource::Fill);
}

TEST_F(LineKeeperTest, FadesInAndPlaysExactlyWhatWasSaid) {
    next();
    say(2 * kFrame);
    const auto first = next();
    EXPECT_EQ(last.source, FrameSource::Ai);
    EXPECT_TRUE(
        std::all_of(first.begin() + kFade, first.end(), [](std::int16_t s) { return s == 1000; }));
    EXPECT_TRUE(std::is_sorted(first.begin(), first.begin() + kFade));
    EXPECT_LT(biggest_step(first), 40);
    EXPECT_EQ(next(), std::vector<std::int16_t>(kFrame, 1000));
}

TEST_F(LineKeeperTest, FadesOutInsideAFrame) {
    say(kFrame + 100);
    next();
    const auto end = next();
    EXPECT_TRUE(std::all_of(
        end.begin(), end.begin() + 100 - kFade, [](std::int16_t s) { return s == 1000; }));
    EXPECT_TRUE(std::all_of(end.begin() + 100, end.end(), [](std::int16_t s) { return s == 10; }));
    EXPECT_LT(biggest_step(end), 40);
}

TEST_F(LineKeeperTest, FadesOutAfterAnEndAtTheFrameBorder) {
    say(kFrame);
    auto all = next();
    const auto after = next();
    all.insert(all.end(), after.begin(), after.end());
    EXPECT_EQ(last.source, FrameSource::Fill);
    EXPECT_LT(biggest_step(all), 40);
    EXPECT_EQ(after.back(), 10);
}

TEST_F(LineKeeperTest, ClearIsHeardWithinOneFrameAndWithoutAClick) {
    say(50 * kFrame);
    auto all = next();
    port->voice.clear();
    const auto after = next();
    all.insert(all.end(), after.begin(), after.end());
    EXPECT_EQ(after[kFade], 10);
    EXPECT_LT(biggest_step(all), 40);
    EXPECT_EQ(port->voice.queued_samples(), 0u);
}

// The fade is made of the sound that was cut: a steep ramp would show if its last value stood still.
TEST_F(LineKeeperTest, ClearFadesTheSoundItselfOverFiveMs) {
    say_ramp(10 * kFrame);
    next();
    port->voice.clear();
    const auto after = next();
    for (std::size_t i = 0; i < kFade; ++i) {
        const int voice = ramp_at(kFrame + i);
        const auto g = static_cast<int>(i + 1), n = static_cast<int>(kFade + 1);
        ASSERT_EQ(after[i], (voice * (n - g) + 10 * g) / n) << i;
    }
    EXPECT_TRUE(
        std::all_of(after.begin() + kFade, after.end(), [](std::int16_t s) { return s == 10; }));
    // 5 ms of it were in that frame; nothing behind them will come.
    settle_all();
    EXPECT_EQ(port->ledger.left_samples(), kFrame + kFade);
    EXPECT_EQ(port->ledger.settled(), 10 * kFrame);
}

TEST_F(LineKeeperTest, APauseStopsWithinAFrameAndGoesOnWhereItStopped) {
    say_ramp(10 * kFrame);
    next();
    port->voice.pause();
    const auto stopping = next();
    EXPECT_EQ(stopping[kFade], 10);
    EXPECT_EQ(stopping.back(), 10);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(next(), std::vector<std::int16_t>(kFrame, 10));
    port->voice.resume();
    const auto going_on = next();
    const std::uint64_t from = kFrame + kFade;
    for (std::size_t i = 0; i < kFrame; ++i) {
        const int voice = ramp_at(from + i);
        const auto g = static_cast<int>(i + 1), n = static_cast<int>(kFade + 1);
        const int expected = i < kFade ? (10 * (n - g) + voice * g) / n : voice;
        ASSERT_EQ(going_on[i], expected) << i;
    }
    EXPECT_EQ(LegCounters::get(counters->voice_underruns), 0U) << "a pause is no underrun";
    while (port->voice.queued_samples() > 0) next();
    settle_all();
    EXPECT_EQ(port->ledger.left_samples(), 10 * kFrame) << "none lost, none doubled";
    EXPECT_EQ(port->ledger.settled(), 10 * kFrame);
}

TEST_F(LineKeeperTest, WhatIsPausedCanBeCleared) {
    say_ramp(10 * kFrame);
    next();
    port->voice.pause();
    next();
    next();
    port->voice.clear();
    next();
    settle_all();
    EXPECT_EQ(port->ledger.left_samples(), kFrame + kFade);
    EXPECT_EQ(port->ledger.settled(), 10 * kFrame);
    say(kFrame, 500);
    next();
    EXPECT_EQ(last.source, FrameSource::Fill) << "still paused";
    port->voice.resume();
    EXPECT_EQ(next()[kFade], 500);
}

TEST_F(LineKeeperTest, ANewSentenceBehindAClearComesInTheSameFrame) {
    say(10 * kFrame, 1000);
    auto all = next();
    port->voice.clear();
    say(kFrame, -1000);
    const auto after = next();
    all.insert(all.end(), after.begin(), after.end());
    EXPECT_LT(biggest_step(all), 80);
    EXPECT_EQ(after.back(), -1000);
    settle_all();
    EXPECT_EQ(port->ledger.left_samples(), 2 * kFrame);
}

// Every position of the queue is in one frame or in a gap that says what was not played.
TEST_F(LineKeeperTest, TheLedgerAgreesWithWhatIsInTheFrames) {
    std::mt19937 random(3);
    std::uint64_t cleared_before = 0;
    for (int i = 0; i < 5000; ++i) {
        if (random() % 4 == 0) say(random() % 900);
        if (random() % 40 == 0) port->voice.clear();
        if (random() % 40 == 0) port->voice.pause();
        if (random() % 5 == 0) port->voice.resume();
        port->is_voice_muted = random() % 50 == 0;
        next();
        settle_all();
        ASSERT_EQ(port->ledger.settled(), port->voice.read_samples());
        ASSERT_GE(port->ledger.settled(), cleared_before);
        cleared_before = port->ledger.settled();
    }
    EXPECT_EQ(port->ledger.left_samples(), LegCounters::get(counters->voice_samples));
}

TEST_F(LineKeeperTest, ABurstIsPlayedOnceInOrder) {
    std::vector<std::int16_t> speech(16000);
    for (std::size_t i = 0; i < speech.size(); ++i) speech[i] = static_cast<std::int16_t>(i);
    port->voice.write(speech);
    std::vector<std::int16_t> heard;
    for (int i = 0; i < 100; ++i) {
        const auto pcm = next();
        heard.insert(heard.end(), pcm.begin(), pcm.end());
    }
    EXPECT_TRUE(std::equal(heard.begin() + kFade, heard.end(), speech.begin() + kFade));
    EXPECT_EQ(LegCounters::get(counters->voice_samples), 16000u);
    next();
    EXPECT_EQ(last.source, FrameSource::Fill);
}

TEST_F(LineKeeperTest, WhileMutedTheVoiceIsLostAndTheFillerPlays) {
    say(10 * kFrame);
    next();
    port->is_voice_muted = true;
    const auto fading = next();
    EXPECT_EQ(fading[kFade], 10);
    EXPECT_LT(biggest_step(fading), 100);
    EXPECT_EQ(next(), std::vector<std::int16_t>(kFrame, 10));
    port->is_voice_muted = false;
    next();
    EXPECT_EQ(last.source, FrameSource::Ai);
    // what came due meanwhile is gone, the rest is not
    EXPECT_EQ(port->voice.queued_samples(), 6 * kFrame);
}

TEST_F(LineKeeperTest, OffsetsAreContinuousOver100000Frames) {
    std::uint64_t expected = 0;
    for (int i = 0; i < 100'000; ++i) {
        if (i % 7 == 0) say(static_cast<std::size_t>(i) % 400);
        if (i % 1001 == 0) port->voice.clear();
        next();
        ASSERT_EQ(last.offset_samples, expected);
        expected += kFrame;
    }
}

TEST_F(LineKeeperTest, AfterAnUnderrunItWaitsForAReserve) {
    say(kFrame);
    next();
    next();  // dry inside the utterance
    say(kFrame / 4);
    next();  // back within 500 ms: from here on a reserve is wanted
    EXPECT_EQ(last.source, FrameSource::Ai);
    EXPECT_EQ(LegCounters::get(counters->voice_underruns), 1u);
    next();
    say(kFrame / 2);
    next();
    EXPECT_EQ(last.source, FrameSource::Fill) << "10 ms are not the 20 ms it wants now";
    say(kFrame / 2);
    next();
    EXPECT_EQ(last.source, FrameSource::Ai);
}

TEST_F(LineKeeperTest, TheReserveIsForgottenAfter30Seconds) {
    say(kFrame);
    next();
    next();
    say(kFrame);
    next();
    for (int i = 0; i < 1502; ++i) next();
    say(8);
    next();
    EXPECT_EQ(last.source, FrameSource::Ai);
}

TEST_F(LineKeeperTest, ALastShortWordIsNotHeldBackForEver) {
    say(kFrame);
    next();
    next();
    say(kFrame);
    next();
    next();
    say(10);
    int waited = 0;
    while (next(), last.source != FrameSource::Ai) ASSERT_LT(++waited, 4);
}

TEST_F(LineKeeperTest, OnTimeItMakesOneFrame) {
    std::uint64_t skipped = 0;
    keeper.start(100 * kMs);
    EXPECT_EQ(keeper.frames_due(99 * kMs, skipped), 0);
    EXPECT_EQ(keeper.frames_due(100 * kMs, skipped), 1);
    next();
    EXPECT_FALSE(keeper.is_behind(100 * kMs));
    EXPECT_TRUE(keeper.is_behind(120 * kMs));
}

TEST_F(LineKeeperTest, LateItSendsTwoAndTheThirdOnTheNextTick) {
    std::uint64_t skipped = 0;
    keeper.start(100 * kMs);
    ASSERT_EQ(keeper.frames_due(145 * kMs, skipped), 2);
    next();
    next();
    EXPECT_TRUE(keeper.is_behind(145 * kMs));
    EXPECT_EQ(keeper.frames_due(146 * kMs, skipped), 1);
    next();
    EXPECT_EQ(skipped, 0u);
    EXPECT_FALSE(keeper.is_behind(146 * kMs));
    EXPECT_EQ(last.offset_samples, 2 * kFrame);
}

TEST_F(LineKeeperTest, BeyondSixtyMsTimeIsGivenUp) {
    std::uint64_t skipped = 0;
    keeper.start(100 * kMs);
    ASSERT_EQ(keeper.frames_due(1'100 * kMs, skipped), 1);
    EXPECT_EQ(skipped, 50u);
    next();
    EXPECT_EQ(last.offset_samples, 50 * kFrame) << "the time stamp jumps over the lost second";
    EXPECT_EQ(LegCounters::get(counters->skipped_frames), 50u);
    EXPECT_FALSE(keeper.is_behind(1'100 * kMs));
}

TEST(FillerTest, KnowsItsWordsAndNamesThem) {
    for (const char* spec : {"silence", "comfort-noise", "tone"})
        EXPECT_TRUE(make_filler(spec, kRate)) << spec;
    const auto refused = make_filler("music", kRate);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("silence, comfort-noise, tone, file:PATH"),
              std::string::npos);
    EXPECT_FALSE(make_filler("file:/nowhere.wav", kRate));
}

TEST(FillerTest, ComfortNoiseIsQuietAndNeverDead) {
    auto noise = *make_filler("comfort-noise", kRate);
    std::vector<std::int16_t> pcm(kRate);
    noise->fill(pcm);
    double sum = 0;
    for (const auto s : pcm) sum += static_cast<double>(s) * s;
    const double dbov = 20 * std::log10(std::sqrt(sum / kRate) / 32767);
    EXPECT_NEAR(dbov, -65, 2);
}

/// A line at either rate with a seat in a channel, whose mix is a tone.
class SeatedLine {
public:
    explicit SeatedLine(std::uint32_t rate)
        : port(std::make_shared<AudioPort>(rate)),
          keeper(rate, std::make_unique<Constant>(std::int16_t{10}), counters) {
        keeper.set_voice(port);
    }
    void mix(int frames) {
        for (int i = 0; i < frames; ++i) {
            std::array<std::int16_t, model::SoundLane::kFrameSamples> pcm;
            for (auto& sample : pcm) {
                sample = static_cast<std::int16_t>(
                    std::lround(4'000 * std::sin(2 * 3.14159265 * 400 *
                                                 static_cast<double>(mixed++) / 16'000)));
            }
            seat.to_leg.write(pcm);
        }
    }
    FrameSource play(model::ChannelSeat* from) {
        std::vector<std::int16_t> pcm(keeper.frame_samples());
        const auto frame = keeper.make_frame(pcm, from);
        EXPECT_EQ(frame.offset_samples, played.size());
        played.insert(played.end(), pcm.begin(), pcm.end());
        return frame.source;
    }

    std::shared_ptr<LegCounters> counters = std::make_shared<LegCounters>();
    std::shared_ptr<AudioPort> port;
    LineKeeper keeper;
    model::ChannelSeat seat;
    std::vector<std::int16_t> played;
    std::uint64_t mixed = 0;
};

TEST(SeatedLineTest, PlaysTheMixFillsWhatIsMissingAndNeverMissesAFrame) {
    for (const std::uint32_t rate : {8'000U, 16'000U}) {
        SeatedLine line(rate);
        line.port->voice.write(std::vector<std::int16_t>(rate, 1'000));
        EXPECT_EQ(line.play(&line.seat), FrameSource::Fill) << "nothing is mixed yet";
        EXPECT_EQ(line.seat.unheard_frames, 0u);
        line.mix(2);
        for (int i = 0; i < 50; ++i) {
            EXPECT_EQ(line.play(&line.seat), FrameSource::Ai);
            line.mix(1);
        }
        const int natural = static_cast<int>(4'000 * 2 * 3.15 * 400 / rate) + 2;
        EXPECT_LE(biggest_step(line.played), natural + 4'000 / 20);
        // The mixer stops: filler, joined, and counted.
        while (line.play(&line.seat) == FrameSource::Ai) {
        }
        for (int i = 0; i < 9; ++i) EXPECT_EQ(line.play(&line.seat), FrameSource::Fill);
        EXPECT_EQ(line.seat.unheard_frames, 10u);
        EXPECT_EQ(line.played.back(), 10);
        line.mix(2);
        EXPECT_EQ(line.play(&line.seat), FrameSource::Ai);
        EXPECT_LE(biggest_step(line.played), natural + 8'000 / static_cast<int>(rate / 200));
        EXPECT_EQ(line.port->voice.read_samples(), 0u) << "the voice is the mixer's";
        EXPECT_EQ(line.port->ledger.settled(), 0u);
    }
}

TEST(SeatedLineTest, TakesAndLeavesItsSeatWhileTheAiSpeaks) {
    SeatedLine line(16'000);
    const auto say = [&](int frames) {
        line.port->voice.write(
            std::vector<std::int16_t>(static_cast<std::size_t>(frames) * 320, 3'000));
    };
    say(60);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(line.play(nullptr), FrameSource::Ai);
    const std::uint64_t taken = line.port->voice.read_samples();
    line.mix(2);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(line.play(&line.seat), FrameSource::Ai);
        line.mix(1);
    }
    EXPECT_EQ(line.port->voice.read_samples(), taken) << "not a sample of it is lost";
    for (int i = 0; i < 10; ++i) EXPECT_EQ(line.play(nullptr), FrameSource::Ai);
    EXPECT_EQ(line.port->voice.read_samples(), taken + 10 * 320);
    EXPECT_EQ(line.counters->voice_underruns, 0u);
    EXPECT_LE(biggest_step(line.played), 4'000 * 2 * 3.15 * 400 / 16'000 + 8'000 / 80.0);
}

}  // namespace
}  // namespace offhook::linekeeper
