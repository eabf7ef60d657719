#include "endpointer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace offhook::local_ai {
namespace {

constexpr std::uint32_t kRateHz = 8000;

/// Alternating samples have no mean and this level.
std::vector<std::int16_t> sound(int ms, double level_dbov) {
    std::vector<std::int16_t> pcm(kRateHz / 1000 * static_cast<std::size_t>(ms));
    const double amplitude = 32768 * std::pow(10, level_dbov / 20);
    for (std::size_t i = 0; i < pcm.size(); ++i)
        pcm[i] = static_cast<std::int16_t>(i % 2 == 0 ? amplitude : -amplitude);
    return pcm;
}

struct Ears : Endpointer::Events {
    void on_speech_started() override { ++started; }
    void on_utterance(std::vector<std::int16_t> pcm) override {
        lengths_ms.push_back(static_cast<int>(pcm.size() * 1000 / kRateHz));
    }
    int started = 0;
    std::vector<int> lengths_ms;
};

struct EndpointerTest : testing::Test {
    Ears ears;
    Endpointer endpointer{kRateHz, ears};
    void hear(int ms, double level_dbov) { endpointer.take(sound(ms, level_dbov)); }
};

TEST_F(EndpointerTest, CutsWithQuietAround) {
    hear(1000, -80);
    hear(1500, -20);
    EXPECT_EQ(ears.started, 1);
    EXPECT_TRUE(ears.lengths_ms.empty());
    hear(1000, -80);
    ASSERT_EQ(ears.lengths_ms.size(), 1U);
    // kBeforeMs before (less what it took to be sure), and as much behind.
    EXPECT_NEAR(ears.lengths_ms[0], 250 + 1500 + 250, 70);
}

TEST_F(EndpointerTest, AShortPauseIsPartOfTheUtterance) {
    hear(500, -20);
    hear(400, -80);
    hear(500, -20);
    hear(700, -80);
    hear(500, -20);
    endpointer.finish();
    EXPECT_EQ(ears.started, 2);
    EXPECT_EQ(ears.lengths_ms.size(), 2U);
}

TEST_F(EndpointerTest, ClicksAndNoiseAreNoSpeech) {
    for (int i = 0; i < 10; ++i) {
        hear(30, -10);
        hear(300, -80);
    }
    hear(5000, -50);
    EXPECT_EQ(ears.started, 0);
}

TEST_F(EndpointerTest, ALoudLineIsLearned) {
    hear(15000, -44);
    EXPECT_LE(ears.lengths_ms.size(), 2U);
    const int before = ears.started;
    hear(2000, -44);
    EXPECT_EQ(ears.started, before);
    hear(1000, -20);
    EXPECT_EQ(ears.started, before + 1);
}

TEST_F(EndpointerTest, EndlessSpeechIsCut) {
    hear(500, -80);
    hear(25000, -15);
    ASSERT_GE(ears.lengths_ms.size(), 1U);
    EXPECT_EQ(ears.lengths_ms[0], Endpointer::kLongestMs);
}

TEST_F(EndpointerTest, PiecesOfAnyLengthAreTheSame) {
    const auto speech = sound(1000, -20);
    for (const std::int16_t sample : speech) endpointer.take({&sample, 1});
    hear(700, -80);
    EXPECT_EQ(ears.lengths_ms.size(), 1U);
}

}  // namespace
}  // namespace offhook::local_ai
