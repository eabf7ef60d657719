#include "ai/caller_speech.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "ai/voice_detector.h"
#include "base/monotonic.h"
#include "voice_line.h"

namespace offhook::ai::testing {
namespace {

using model::Codec;

/// Speech of espeak-ng through the codec of a phone leg, with the line's echo and noise.
class Speech : public ::testing::TestWithParam<Codec> {
protected:
    VoiceLine line_{GetParam()};
    const std::uint32_t rate_hz_ = line_.rate_hz();

    Samples of_caller(double level_dbov = -24) const { return caller_speech(rate_hz_, level_dbov); }
    Samples of_bot(double level_dbov = -20) const { return bot_speech(rate_hz_, level_dbov); }

    /// The caller says "Wait a moment, please". @return how long until it is noticed
    double interrupts_ms(VoiceLine& line, double level_dbov = -24) {
        const Samples pcm = spoken("Wait a moment, please.", "en-us+m3", rate_hz_, level_dbov);
        const auto where = where_spoken(pcm, rate_hz_);
        const auto silent = std::find(where.begin(), where.end(), true) - where.begin();
        const double begin_s = line.now_s() + 0.02 * static_cast<double>(silent);
        line.forget_heard();
        line.say(pcm);
        line.run(1.5);
        line.say({});
        for (const auto& heard : line.heard()) {
            if (heard.is_speaking) return (heard.told_s - begin_s) * 1e3;
        }
        return 1e9;
    }
};

class SpeechInNoise : public Speech {};
class NoSpeech : public Speech {};
class Echo : public Speech {};

TEST_P(SpeechInNoise, IsFoundWhereItIsSpoken) {
    struct Case {
        double snr_db;
        double least_share;  ///< of what is spoken that is found
    };
    for (const Case& one : {Case{40, 0.95}, Case{20, 0.85}, Case{10, 0.7}, Case{5, 0.4}}) {
        for (const bool is_fan : {false, true}) {
            SCOPED_TRACE(std::to_string(one.snr_db) + (is_fan ? " fan" : " white"));
            VoiceLine line(GetParam());
            const Samples said = of_caller();
            const double noise_dbov = -24 - one.snr_db;
            line.set_noise(is_fan ? fan_noise(7 * rate_hz_, rate_hz_, noise_dbov, 3)
                                  : white_noise(7 * rate_hz_, noise_dbov, 3));
            line.run(4);
            EXPECT_EQ(line.begins(), 0) << line.story();
            line.say(said);
            line.run(static_cast<double>(said.size()) / rate_hz_ + 2);

            const auto where = where_spoken(said, rate_hz_);
            int spoken = 0;
            int found = 0;
            int invented = 0;
            for (std::size_t i = 0; i < where.size(); ++i) {
                const double at_s = 4 + (static_cast<double>(i) + 0.5) * 0.02;
                bool is_found = false;
                for (std::size_t k = 0; k + 1 < line.heard().size(); k += 2)
                    is_found |= at_s > line.heard()[k].at_s && at_s < line.heard()[k + 1].at_s;
                spoken += where[i] ? 1 : 0;
                found += where[i] && is_found ? 1 : 0;
                invented += !where[i] && is_found ? 1 : 0;
            }
            EXPECT_GE(found, one.least_share * spoken) << line.story();
            // The pauses between words are within the speech; those between sentences are not.
            EXPECT_LE(invented, 0.15 * spoken) << line.story();
            ASSERT_FALSE(line.heard().empty());
            EXPECT_FALSE(line.heard().back().is_speaking);
            const double first_s =
                4 + 0.02 * static_cast<double>(std::find(where.begin(), where.end(), true) -
                                               where.begin());
            EXPECT_NEAR(line.heard().front().at_s, first_s, 0.08);
            EXPECT_LE(line.heard().front().told_s, first_s + 0.2);
        }
    }
}

TEST_P(NoSpeech, TonesDigitsClicksAndFansAreNone) {
    const auto listen = [&](const char* name, const Samples& what, double noise_dbov) {
        VoiceLine line(GetParam());
        line.set_noise(white_noise(7 * rate_hz_, noise_dbov, 5));
        line.run(2);
        line.say(what);
        line.run(static_cast<double>(what.size()) / rate_hz_ + 0.5);
        EXPECT_EQ(line.begins(), 0) << name << ", noise " << noise_dbov << " dBov:" << line.story();
    };
    struct Level {
        double tone_dbov;
        double noise_dbov;
    };
    for (const Level& level :
         {Level{-10, -75}, Level{-10, -50}, Level{-20, -55}, Level{-30, -75}}) {
        SCOPED_TRACE(level.tone_dbov);
        for (const double hz : {100.0, 200.0, 350.0, 425.0, 620.0, 1004.0, 1400.0, 2100.0}) {
            const std::string name = std::to_string(hz) + " Hz";
            listen(name.c_str(), make({{hz}, level.tone_dbov}, rate_hz_, 2), level.noise_dbov);
            listen((name + ", engaged").c_str(),
                   make({{hz}, level.tone_dbov, 250, 250}, rate_hz_, 2),
                   level.noise_dbov);
        }
        listen("dial tone", make({{350, 440}, level.tone_dbov}, rate_hz_, 2), level.noise_dbov);
        listen("ringing",
               make({{440, 480}, level.tone_dbov, 2000, 1000}, rate_hz_, 6),
               level.noise_dbov);
        listen("engaged",
               make({{480, 620}, level.tone_dbov, 500, 500}, rate_hz_, 3),
               level.noise_dbov);
        for (const double low : {697.0, 770.0, 852.0, 941.0}) {
            for (const double high : {1209.0, 1336.0, 1477.0, 1633.0}) {
                for (const int on_ms : {40, 100, 300}) {
                    const std::string name = std::to_string(low) + "+" + std::to_string(high) +
                                             " Hz, " + std::to_string(on_ms) + " ms";
                    listen(name.c_str(),
                           make({{low, high}, level.tone_dbov, on_ms, 90}, rate_hz_, 2),
                           level.noise_dbov);
                }
            }
        }
    }
    std::mt19937 random(1);
    Samples clicks(10 * rate_hz_);
    for (int i = 0; i < 80; ++i) {
        const std::size_t at = random() % (clicks.size() - 100);
        for (std::size_t k = 0; k < rate_hz_ / 400; ++k)
            clicks[at + k] = static_cast<std::int16_t>(static_cast<int>(random() % 40000) - 20000);
    }
    listen("clicks", clicks, -60);
    Samples bursts(10 * rate_hz_);
    for (unsigned i = 0; i < 10; ++i)
        mix(bursts, white_noise(rate_hz_ * 3 / 10, -20, i), i * rate_hz_);
    listen("bursts of noise", bursts, -60);
    Samples fans(20 * rate_hz_);
    for (unsigned i = 0; i < 4; ++i)
        mix(fans, fan_noise(3 * rate_hz_, rate_hz_, -30, i), i * 5 * rate_hz_);
    listen("a fan, on and off", fans, -60);
    listen("a fan, minutes of it", fan_noise(120 * rate_hz_, rate_hz_, -35, 9), -75);
    listen("comfort noise", white_noise(60 * rate_hz_, -45, 9), -75);
    listen("nothing", Samples(60 * rate_hz_), -127);
}

TEST_P(Echo, DoesNotInterruptTheBotAndTheCallerDoes) {
    struct Case {
        VoiceLine::Echo echo;
        double caller_dbov;
    };
    for (const Case& one : {Case{{200, 20}, -24},
                            Case{{400, 10}, -22},
                            Case{{60, 15}, -24},
                            Case{{590, 25}, -24},
                            Case{{233, 35}, -30}}) {
        SCOPED_TRACE(std::to_string(one.echo.delay_ms) + " ms " + std::to_string(one.echo.loss_db));
        VoiceLine line(GetParam());
        line.set_echo(one.echo);
        line.set_noise(white_noise(7 * rate_hz_, -62, 1));
        line.play(of_bot(), true);
        line.run(GetParam() == Codec::Pcmu ? 180 : 60);
        EXPECT_EQ(line.begins(), 0) << line.story();
        EXPECT_NEAR(line.speech().echo_delay_ms(), one.echo.delay_ms, 25);
        EXPECT_NEAR(line.speech().echo_return_loss_db(), one.echo.loss_db, 3);
        // The caller over it, wherever the bot's words are then, and nothing between.
        for (int i = 0; i < 8; ++i) {
            EXPECT_LE(interrupts_ms(line, one.caller_dbov), 220) << i << line.story();
            line.run(1);
            line.forget_heard();
            line.run(4.7);
            EXPECT_EQ(line.begins(), 0) << i << line.story();
        }
    }
}

TEST_P(Echo, TheBotsFirstWordDoesNotInterruptIt) {
    for (const double delay_ms : {40.0, 200.0, 480.0}) {
        for (const double loss_db : {8.0, 14.0, 30.0}) {
            VoiceLine line(GetParam());
            line.set_echo({delay_ms, loss_db});
            line.run(0.5);
            line.play(of_bot());
            line.run(12);
            EXPECT_EQ(line.begins(), 0) << delay_ms << " ms " << loss_db << " dB" << line.story();
        }
    }
}

TEST_P(Echo, WithoutOneAQuietCallerIsHeard) {
    line_.set_noise(white_noise(7 * rate_hz_, -65, 1));
    line_.play(of_bot(), true);
    // At first all of what we say might come back: only who is about as loud is heard.
    line_.run(3);
    EXPECT_LE(interrupts_ms(line_, -16), 220) << line_.story();
    line_.run(12);
    EXPECT_LE(interrupts_ms(line_, -38), 220) << line_.story();
    EXPECT_EQ(line_.speech().echo_delay_ms(), -1);
    EXPECT_EQ(line_.speech().echo_return_loss_db(), 0);
}

TEST_P(Echo, BothTalkForLongAndItIsStillKnown) {
    line_.set_echo({200, 20});
    line_.set_noise(white_noise(7 * rate_hz_, -62, 1));
    line_.play(of_bot(), true);
    line_.run(20);
    line_.say(of_caller());
    line_.run(10);
    EXPECT_GE(line_.begins(), 1);
    line_.say(of_caller());
    line_.run(11);
    line_.forget_heard();
    line_.run(60);
    EXPECT_EQ(line_.begins(), 0) << line_.story();
    EXPECT_LE(interrupts_ms(line_), 220) << line_.story();
}

TEST_P(Echo, LevelsChange) {
    line_.set_echo({200, 20});
    line_.set_noise(white_noise(7 * rate_hz_, -62, 1));
    // A beginning pauses the bot for a second, as the judge would.
    double paused_s = 0;
    const Samples loud = of_bot(-14);
    const Samples quiet = of_bot(-28);
    const auto talk = [&](double seconds) {
        line_.forget_heard();
        for (double s = 0; s < seconds; s += 0.1) {
            if (line_.speech().is_speaking() && paused_s <= 0) paused_s = 1;
            line_.pause(paused_s > 0);
            paused_s -= 0.1;
            line_.run(0.1);
        }
        return line_.begins();
    };
    line_.play(of_bot(), true);
    EXPECT_EQ(talk(40), 0) << line_.story();
    // Of the bot: nothing new is to be learned.
    line_.play(loud, true);
    EXPECT_EQ(talk(20), 0) << line_.story();
    line_.play(quiet, true);
    EXPECT_EQ(talk(20), 0) << line_.story();
    line_.play(of_bot(), true);
    EXPECT_EQ(talk(20), 0) << line_.story();
    // Of the way back: the caller lays the receiver down. It takes some words to learn.
    line_.set_echo({200, 10});
    EXPECT_LE(talk(30), 4) << line_.story();
    EXPECT_EQ(talk(60), 0) << line_.story();
    EXPECT_NEAR(line_.speech().echo_return_loss_db(), 10, 3);
    // And takes it up again.
    line_.set_echo({200, 30});
    EXPECT_EQ(talk(30), 0) << line_.story();
    EXPECT_LE(interrupts_ms(line_, -34), 220) << line_.story();
    // Another way, such as a transfer.
    line_.set_echo({420, 15});
    EXPECT_LE(talk(30), 6) << line_.story();
    EXPECT_EQ(talk(60), 0) << line_.story();
    EXPECT_NEAR(line_.speech().echo_delay_ms(), 420, 25);
}

TEST_P(Echo, InNoiseAndJitter) {
    for (const double noise_dbov : {-55.0, -45.0, -38.0}) {
        VoiceLine line(GetParam());
        line.set_echo({200, 20});
        line.set_jitter_ms(30);
        line.set_noise(fan_noise(7 * rate_hz_, rate_hz_, noise_dbov, 1));
        line.play(of_bot(), true);
        line.run(120);
        EXPECT_EQ(line.begins(), 0) << noise_dbov << line.story();
        EXPECT_LE(interrupts_ms(line, -22), 260) << noise_dbov << line.story();
    }
}

TEST_P(Speech, PositionsAreThoseOfTheSoundWhateverThePieces) {
    class Notes : public CallerSpeech::Events {
    public:
        std::vector<std::pair<std::uint64_t, std::int64_t>> all;
        void on_speech(bool is_speaking, std::uint64_t position, std::int64_t heard_ns) override {
            EXPECT_EQ(is_speaking, all.size() % 2 == 0);
            all.emplace_back(position, heard_ns);
        }
    };
    const Samples said = after_ms(1000, rate_hz_, of_caller());
    std::vector<std::vector<std::pair<std::uint64_t, std::int64_t>>> notes;
    for (const std::size_t piece : {rate_hz_ / 50, rate_hz_ / 143, rate_hz_ / 8}) {
        Notes events;
        CallerSpeech speech(std::make_shared<model::AudioPort>(rate_hz_), {}, events);
        for (std::size_t at = 0; at < said.size(); at += piece) {
            const auto part = std::span(said).subspan(at, std::min(piece, said.size() - at));
            speech.hear(part,
                        base::kNsPerS +
                            static_cast<std::int64_t>(at + part.size()) * base::kNsPerS / rate_hz_);
        }
        ASSERT_FALSE(events.all.empty());
        for (const auto& [position, heard_ns] : events.all) {
            const double should_s = 1 + static_cast<double>(position) / rate_hz_;
            EXPECT_NEAR(static_cast<double>(heard_ns) / 1e9, should_s, 1e-4);
        }
        notes.push_back(events.all);
    }
    ASSERT_EQ(notes[0].size(), notes[1].size());
    ASSERT_EQ(notes[0].size(), notes[2].size());
    for (std::size_t i = 0; i < notes[0].size(); ++i) {
        EXPECT_EQ(notes[0][i].first, notes[1][i].first);
        EXPECT_EQ(notes[0][i].first, notes[2][i].first);
    }
}

TEST_P(Speech, EndsWhenTheSoundDoes) {
    const Samples said = of_caller();
    line_.run(0.5);
    line_.say(said);
    line_.run(1);
    ASSERT_TRUE(line_.speech().is_speaking());
    const std::int64_t now_ns = line_.told_ns();
    line_.speech().tick(now_ns + 150 * base::kNsPerMs);
    EXPECT_TRUE(line_.speech().is_speaking());
    line_.speech().tick(now_ns + 520 * base::kNsPerMs);
    EXPECT_FALSE(line_.speech().is_speaking());
    EXPECT_EQ(line_.heard().size(), 2U);
}

TEST_P(Speech, SettingsAreTheDebounce) {
    class Count : public CallerSpeech::Events {
    public:
        int begins = 0;
        void on_speech(bool is_speaking, std::uint64_t, std::int64_t) override {
            begins += is_speaking ? 1 : 0;
        }
    };
    const Samples word = after_ms(500, rate_hz_, spoken("no", "en-us+m3", rate_hz_, -24));
    const auto begins_with = [&](CallerSpeech::Settings settings) {
        Count count;
        CallerSpeech speech(std::make_shared<model::AudioPort>(rate_hz_), settings, count);
        speech.hear(word, 5 * base::kNsPerS);
        speech.hear(Samples(rate_hz_), 6 * base::kNsPerS);
        return count.begins;
    };
    EXPECT_EQ(begins_with({.begins_after_ms = 60}), 1);
    EXPECT_EQ(begins_with({.begins_after_ms = 320}), 0);
    EXPECT_EQ(begins_with({.begins_after_ms = 100'000}), 0);
    EXPECT_EQ(begins_with({.begins_after_ms = -5, .ends_after_ms = -5}) >= 1, true);
}

const auto kCodecs = ::testing::Values(Codec::Pcmu, Codec::G722);
const auto name = [](const ::testing::TestParamInfo<Codec>& info) {
    return std::string(info.param == Codec::Pcmu ? "PCMU" : "G722");
};
INSTANTIATE_TEST_SUITE_P(Of, Speech, kCodecs, name);
INSTANTIATE_TEST_SUITE_P(Of, SpeechInNoise, kCodecs, name);
INSTANTIATE_TEST_SUITE_P(Of, NoSpeech, kCodecs, name);
INSTANTIATE_TEST_SUITE_P(Of, Echo, kCodecs, name);

}  // namespace
}  // namespace offhook::ai::testing
