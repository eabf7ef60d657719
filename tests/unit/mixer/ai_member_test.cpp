// An AI in a channel: its sound is played once and in order, the ledger says what was, and it hears
// what it is meant to hear.
#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "model/codec.h"
#include "rig.h"

namespace offhook::mixer {
namespace {

constexpr std::size_t kFrame = model::SoundLane::kFrameSamples;

/// @param GetParam() the rate of the AI's port
class AiMemberTest : public ::testing::TestWithParam<std::uint32_t> {
protected:
    ~AiMemberTest() override { mixer->retire(); }

    [[nodiscard]] MixMember ai() const { return {nullptr, port, meter}; }
    void say(double hz, std::size_t frames) {
        Tone tone(hz, 3'000, GetParam());
        port->voice.write(tone.next(frames * model::frame_samples(GetParam())));
    }
    [[nodiscard]] std::vector<std::int16_t> tapped() {
        std::vector<std::int16_t> pcm(GetParam());
        pcm.resize(port->tap.read(pcm));
        return pcm;
    }
    [[nodiscard]] double taps(double hz) {
        room.run(2);
        (void)tapped();
        room.run(20);
        return amplitude_of(tapped(), hz, GetParam());
    }
    /// First and last sample that is not silent.
    [[nodiscard]] static std::pair<std::size_t, std::size_t> sound_of(
        std::span<const std::int16_t> pcm) {
        std::size_t first = 0, last = pcm.size();
        while (first < last && std::abs(pcm[first]) < 20) ++first;
        while (last > first && std::abs(pcm[last - 1]) < 20) --last;
        return {first, last};
    }

    Room room{"ai-member-test"};
    std::shared_ptr<ChannelMixer> mixer = ChannelMixer::start(room.worker);
    std::shared_ptr<model::AudioPort> port = std::make_shared<model::AudioPort>(GetParam());
    std::shared_ptr<MixMeter> meter = std::make_shared<MixMeter>();
};

INSTANTIATE_TEST_SUITE_P(Rates, AiMemberTest, ::testing::Values(8'000U, 16'000U));

TEST_P(AiMemberTest, IsHeardOnceInOrderAndTheLedgerSaysAll) {
    Leg& caller = room.add(300);
    mixer->set_members({caller.member(), ai()}, everybody(2));
    room.run(20);
    caller.heard.clear();
    // Two words, each whole.
    say(425, 25);
    room.run(40);
    const auto first = sound_of(caller.heard);
    EXPECT_NEAR(static_cast<double>(first.second - first.first), 25.0 * kFrame, 80);
    EXPECT_LE(
        roughness_of(std::span(caller.heard).subspan(first.first + 100, 24 * kFrame - 200), 425),
        GetParam() == 16'000 ? 4 : 24);
    caller.heard.clear();
    say(725, 15);
    room.run(40);
    const auto second = sound_of(caller.heard);
    EXPECT_NEAR(static_cast<double>(second.second - second.first), 15.0 * kFrame, 80);
    EXPECT_NEAR(
        amplitude_of(std::span(caller.heard).subspan(second.first, 10 * kFrame), 725), 3'000, 80);

    EXPECT_EQ(port->voice.queued_samples(), 0u);
    EXPECT_EQ(port->ledger.left_samples(), port->voice.written_samples());
    EXPECT_EQ(port->ledger.settled(), port->voice.written_samples());
    EXPECT_EQ(port->ledger.runs(), 2u);
    model::VoiceLedger::Run run;
    ASSERT_TRUE(port->ledger.run_at(1, run));
    EXPECT_EQ(run.begin, 25u * model::frame_samples(GetParam()));
    EXPECT_EQ(run.end, 40u * model::frame_samples(GetParam()));
    EXPECT_GT(run.started_ns, 0);
    EXPECT_GE(meter->heard_frames, 40u);
}

TEST_P(AiMemberTest, WhatIsClearedIsFadedAndNeverHeard) {
    Leg& caller = room.add(300);
    mixer->set_members({caller.member(), ai()}, everybody(2));
    say(425, 100);
    room.run(30);
    port->voice.clear();
    room.run(6);
    caller.heard.clear();
    room.run(20);
    EXPECT_EQ(caller.hears(425, 10), 0);
    EXPECT_EQ(port->voice.queued_samples(), 0u);
    EXPECT_LT(port->ledger.left_samples(), 40u * model::frame_samples(GetParam()));
    EXPECT_EQ(port->ledger.settled(), port->voice.written_samples()) << "the rest did not leave";
}

TEST_P(AiMemberTest, PausesAndGoesOnWithoutLosingASample) {
    Leg& caller = room.add(300);
    mixer->set_members({caller.member(), ai()}, everybody(2));
    say(425, 40);
    room.run(20);
    port->voice.pause();
    room.run(20);
    EXPECT_EQ(caller.hears(425, 10), 0);
    port->voice.resume();
    room.run(60);
    EXPECT_EQ(port->ledger.left_samples(), port->voice.written_samples());
    port->is_voice_muted = true;
    say(425, 10);
    room.run(20);
    EXPECT_EQ(port->ledger.left_samples(), 40u * model::frame_samples(GetParam()))
        << "a call on hold hears nothing of it";
}

TEST_P(AiMemberTest, WithoutALegItsEchoGuardHearsWhatItSaysFromTheMixer) {
    Leg& caller = room.add(300);
    mixer->set_members({caller.member(), ai()}, everybody(2));
    room.run(20);
    const std::uint64_t silent = port->sent_levels.written();
    EXPECT_GE(silent, 18u);
    EXPECT_EQ(port->sent_levels.at(silent - 1).level_cdb, -12'700);
    say(425, 20);
    room.run(20);
    const auto level = port->sent_levels.at(silent + 10);
    EXPECT_NEAR(level.level_cdb, -2'377, 20);
    EXPECT_NEAR(static_cast<double>(level.left_ms), static_cast<double>(g_now_ns) / 1e6, 420);
    port->has_leg = true;
    room.run(20);
    EXPECT_LE(port->sent_levels.written(), silent + 21) << "there the leg's sender writes them";
}

TEST_P(AiMemberTest, AWhisperIsHeardByTheAiAlone) {
    Leg& caller = room.add(300);
    Leg& whisperer = room.add(550);
    Matrix matrix = everybody(3);  // caller, AI, supervisor
    matrix.set(0, 2, 0);
    mixer->set_members({caller.member(), ai(), whisperer.member()}, matrix);
    room.run(20);
    EXPECT_NEAR(taps(550), 3'000, 60);
    EXPECT_NEAR(taps(300), 3'000, 60);
    EXPECT_NEAR(caller.hears(550), 0, 5);
    say(425, 60);
    room.run(50);
    EXPECT_NEAR(caller.hears(425), 3'000, 60);
    EXPECT_NEAR(whisperer.hears(425), 3'000, 60);
    EXPECT_NEAR(taps(425), 0, 5) << "it does not hear itself";
}

TEST_P(AiMemberTest, TakenOverItNeitherHearsNorIsHeard) {
    Leg& caller = room.add(300);
    Leg& agent = room.add(550);
    Matrix taken = everybody(3);
    for (const std::size_t other : {0U, 2U}) {
        taken.set(1, other, 0);
        taken.set(other, 1, 0);
    }
    mixer->set_members({caller.member(), ai(), agent.member()}, everybody(3));
    say(425, 200);
    room.run(50);
    EXPECT_NEAR(caller.hears(425), 3'000, 60);
    mixer->set_matrix(taken);
    room.run(50);
    EXPECT_NEAR(caller.hears(425), 0, 5);
    EXPECT_NEAR(caller.hears(agent), 3'000, 30);
    EXPECT_NEAR(taps(300), 0, 5);
    EXPECT_NEAR(taps(550), 0, 5);
    mixer->set_matrix(everybody(3));
    room.run(50);
    EXPECT_NEAR(caller.hears(425), 3'000, 60) << "given back";
    EXPECT_NEAR(taps(300), 3'000, 60);
}

TEST_P(AiMemberTest, HandedToAnotherMixerItsSoundGoesOnWhereItWas) {
    const auto other = ChannelMixer::start(room.worker);
    Leg& here = room.add(300);
    Leg& there = room.add(550);
    mixer->set_members({here.member(), ai()}, everybody(2));
    other->set_members({there.member()}, Matrix(1));
    say(425, 100);
    room.run(50);
    bool is_free = false;
    mixer->set_members({here.member()}, Matrix(1), [&] { is_free = true; });
    while (!is_free) room.run(1);
    const std::uint64_t left = port->ledger.left_samples();
    EXPECT_EQ(left, port->voice.read_samples());
    other->set_members({there.member(), ai()}, everybody(2));
    room.run(80);
    EXPECT_EQ(port->ledger.left_samples(), port->voice.written_samples());
    const auto heard = sound_of(there.heard);
    EXPECT_NEAR(static_cast<double>(heard.second - heard.first),
                100.0 * kFrame - static_cast<double>(left) * kFrame /
                                     static_cast<double>(model::frame_samples(GetParam())),
                80);
    other->retire();
}

}  // namespace
}  // namespace offhook::mixer
