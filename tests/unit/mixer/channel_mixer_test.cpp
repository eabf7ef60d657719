// Who hears whom, told by tones; what changes while they speak; nobody hears a click.
#include "mixer/channel_mixer.h"

#include <gtest/gtest.h>

#include <array>

#include "rig.h"

namespace offhook::mixer {
namespace {

constexpr std::size_t kFrame = model::SoundLane::kFrameSamples;

class ChannelMixerTest : public ::testing::Test {
protected:
    ~ChannelMixerTest() override {
        if (mixer) mixer->retire();
    }

    void seat_all() {
        std::vector<MixMember> members;
        for (const auto& leg : room.legs) members.push_back(leg->member());
        mixer->set_members(members, everybody(members.size()));
    }

    Room room{"mixer-test"};
    std::shared_ptr<ChannelMixer> mixer = ChannelMixer::start(room.worker);
};

TEST_F(ChannelMixerTest, EachHearsAllOthersAndNotItself) {
    for (const double hz : {300.0, 425.0, 550.0, 725.0, 950.0}) room.add(hz);
    seat_all();
    room.run(60);
    for (const auto& listener : room.legs) {
        EXPECT_EQ(listener->missing, 0);
        for (const auto& source : room.legs) {
            EXPECT_NEAR(listener->hears(*source), listener == source ? 0 : 3'000, 30)
                << listener->hz << " Hz hears " << source->hz << " Hz";
        }
    }
}

TEST_F(ChannelMixerTest, TheMatrixSaysWhoHearsWhomAndHowLoud) {
    Leg& caller = room.add(300);
    Leg& agent = room.add(425);
    Leg& supervisor = room.add(550);
    Matrix matrix(3);
    matrix.set(0, 1, 1);
    matrix.set(1, 0, 0.5F);
    matrix.set(1, 2, 2);
    matrix.set(2, 0, 1);
    matrix.set(2, 1, 1);
    mixer->set_members({caller.member(), agent.member(), supervisor.member()}, matrix);
    room.run(60);
    EXPECT_NEAR(caller.hears(agent), 3'000, 30);
    EXPECT_NEAR(caller.hears(supervisor), 0, 5) << "a whisper is for the agent alone";
    EXPECT_NEAR(agent.hears(caller), 1'500, 30);
    EXPECT_NEAR(agent.hears(supervisor), 6'000, 60);
    EXPECT_NEAR(supervisor.hears(caller), 3'000, 30);
    EXPECT_NEAR(supervisor.hears(agent), 3'000, 30);
}

/// The biggest step from sample to sample.
int biggest_step(std::span<const std::int16_t> pcm) {
    int biggest = 0;
    for (std::size_t i = 1; i < pcm.size(); ++i)
        biggest = std::max(biggest, std::abs(pcm[i] - pcm[i - 1]));
    return biggest;
}

TEST_F(ChannelMixerTest, GainsGlideSoThatNobodyHearsAClick) {
    Leg& listener = room.add(300);
    Leg& source = room.add(425);
    seat_all();
    room.run(30);
    const int steady = biggest_step(std::span(listener.heard).last(20 * kFrame));
    listener.heard.clear();
    for (const float gain : {0.0F, 1.0F, 0.25F, 1.0F, 0.0F, 0.5F, 1.0F}) {
        Matrix matrix = everybody(2);
        matrix.set(0, 1, gain);
        mixer->set_matrix(matrix);
        room.run(30);
        EXPECT_NEAR(listener.hears(source), 3'000 * gain, 30);
    }
    EXPECT_LE(biggest_step(listener.heard), steady + 3'000 / 320 + 2);
    EXPECT_NEAR(source.hears(listener), 3'000, 30) << "the other way nothing changed";
    EXPECT_LE(roughness_of(std::span(source.heard).last(150 * kFrame), 300), 4);
}

TEST_F(ChannelMixerTest, WhoComesAndGoesBreaksNobodysStream) {
    Leg& listener = room.add(300);
    Leg& source = room.add(425);
    Leg& guest = room.add(550, 0);  // heard by nobody's ear, but mixed
    seat_all();
    room.run(30);
    listener.heard.clear();
    for (int i = 0; i < 20; ++i) {
        if (i % 2 == 0) {
            mixer->set_members({listener.member(), source.member()}, everybody(2));
        } else {
            // In another place, so that all numbers change.
            mixer->set_members({guest.member(), listener.member(), source.member()}, everybody(3));
        }
        room.run(3);
    }
    EXPECT_EQ(listener.missing, 0);
    EXPECT_NEAR(listener.hears(source), 3'000, 30);
    EXPECT_LE(roughness_of(listener.heard, 425), 4) << "phase and value go on";
}

TEST_F(ChannelMixerTest, WhoLeavesWhileItSpeaksDiesAway) {
    Leg& listener = room.add(300);
    Leg& source = room.add(425, 20'000);
    seat_all();
    room.run(30);
    const int steady = biggest_step(std::span(listener.heard).last(20 * kFrame));
    for (int i = 0; i < 10; ++i) {
        mixer->set_members({listener.member()}, Matrix(1));
        room.run(3);
        // Gone and back between two frames, and gone again.
        mixer->set_members({listener.member(), source.member()}, everybody(2));
        mixer->set_members({listener.member()}, Matrix(1));
        mixer->set_members({listener.member(), source.member()}, everybody(2));
        room.run(3);
    }
    EXPECT_LE(biggest_step(listener.heard), steady + 20'000 / 80 + 2);
    EXPECT_EQ(listener.missing, 0);
}

TEST_F(ChannelMixerTest, AMoveBetweenTwoMixersIsHeardByTheMovedAlone) {
    const auto other = ChannelMixer::start(room.worker);
    Leg& here = room.add(300);
    Leg& here_too = room.add(425);
    Leg& there = room.add(550);
    Leg& there_too = room.add(725);
    Leg& moved = room.add(950, 0);
    const std::vector here_alone{here.member(), here_too.member()};
    const std::vector there_alone{there.member(), there_too.member()};
    auto with = [&](std::vector<MixMember> members) {
        members.push_back(moved.member());
        return members;
    };
    mixer->set_members(with(here_alone), everybody(3));
    other->set_members(there_alone, everybody(2));
    room.run(30);
    EXPECT_NEAR(moved.hears(here), 3'000, 30);
    EXPECT_NEAR(moved.hears(there), 0, 5);
    for (auto& leg : room.legs) leg->heard.clear();
    for (int i = 0; i < 10; ++i) {
        auto& from = i % 2 == 0 ? mixer : other;
        auto& to = i % 2 == 0 ? other : mixer;
        bool is_free = false;
        from->set_members(
            i % 2 == 0 ? here_alone : there_alone, everybody(2), [&] { is_free = true; });
        while (!is_free) room.run(1);
        to->set_members(with(i % 2 == 0 ? there_alone : here_alone), everybody(3));
        room.run(20);
        EXPECT_NEAR(moved.hears(i % 2 == 0 ? there : here, 10), 3'000, 60);
        EXPECT_NEAR(moved.hears(i % 2 == 0 ? here : there, 10), 0, 60);
    }
    EXPECT_LE(roughness_of(here.heard, 425), 4);
    EXPECT_LE(roughness_of(here_too.heard, 300), 4);
    EXPECT_LE(roughness_of(there.heard, 725), 4);
    EXPECT_LE(roughness_of(there_too.heard, 550), 4);
    EXPECT_EQ(here.missing + here_too.missing + there.missing + there_too.missing, 0);
    other->retire();
}

TEST_F(ChannelMixerTest, WhoSaysNothingIsMissedOnceAndSilentThen) {
    Leg& listener = room.add(300);
    Leg& source = room.add(425);
    seat_all();
    room.run(30);
    EXPECT_TRUE(source.meter->is_speaking);
    EXPECT_NEAR(source.meter->level_cdb, -2'377, 20);
    source.is_saying = false;
    room.run(30);
    EXPECT_EQ(source.meter->missing_frames, 1u);
    EXPECT_FALSE(source.meter->is_speaking);
    EXPECT_EQ(source.meter->level_cdb, -12'700);
    EXPECT_EQ(listener.missing, 0) << "silence is a frame as well";
    EXPECT_EQ(listener.hears(source), 0);
    const std::uint64_t heard = source.meter->heard_frames;
    source.is_saying = true;
    room.run(30);
    EXPECT_NEAR(listener.hears(source), 3'000, 30);
    EXPECT_GE(source.meter->heard_frames, heard + 27);
}

TEST_F(ChannelMixerTest, ALateWorkerMakesTwoFramesAtOnceAndThenGivesTimeUp) {
    Leg& listener = room.add(300);
    room.add(425);
    seat_all();
    room.run(30);
    const std::uint64_t before = mixer->mixed_frames();
    g_now_ns += 45 * worker::kTickNs;
    room.worker->step();
    EXPECT_LE(mixer->mixed_frames() - before, 2u);
    room.run(2);
    EXPECT_NEAR(static_cast<double>(mixer->mixed_frames() - before), 4, 1)
        << "what was late by less than 60 ms is made good";
    EXPECT_EQ(mixer->late_frames(), 0u);

    g_now_ns += 1'000 * worker::kTickNs;
    room.worker->step();
    EXPECT_NEAR(static_cast<double>(mixer->late_frames()), 50, 1);
    const std::uint64_t after = mixer->mixed_frames();
    room.run(30);
    EXPECT_NEAR(static_cast<double>(mixer->mixed_frames() - after), 30, 1);
    EXPECT_NEAR(listener.hears(425), 3'000, 30);
}

TEST_F(ChannelMixerTest, SixtyFourHearEachOther) {
    std::vector<double> hz;
    for (std::size_t i = 0; i < Matrix::kMaxMembers; ++i) {
        hz.push_back(300 + 50.0 * static_cast<double>(i));
        room.add(hz.back(), 200);
    }
    seat_all();
    room.run(40);
    for (const std::size_t listener : {0U, 1U, 31U, 63U}) {
        for (std::size_t source = 0; source < hz.size(); ++source) {
            EXPECT_NEAR(room.legs[listener]->hears(hz[source]), source == listener ? 0 : 200, 10)
                << listener << " hears " << source;
        }
    }
}

TEST_F(ChannelMixerTest, RetiredNothingOfItRuns) {
    Leg& listener = room.add(300);
    room.add(425);
    seat_all();
    room.run(30);
    mixer->retire();
    mixer->retire();
    const std::uint64_t mixed = mixer->mixed_frames();
    const std::weak_ptr<model::ChannelSeat> seat = room.legs[1]->seat;
    room.run(30);
    EXPECT_EQ(mixer->mixed_frames(), mixed);
    EXPECT_GT(listener.missing, 0);
    mixer.reset();
    room.legs.pop_back();
    room.worker->post([] {});
    EXPECT_TRUE(seat.expired()) << "everything of it is freed";
}

}  // namespace
}  // namespace offhook::mixer
