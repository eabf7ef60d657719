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

}  // namespace
}  // namespace offhook::mixer
