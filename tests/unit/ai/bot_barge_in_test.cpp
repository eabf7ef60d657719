#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "bot_rig.h"

namespace offhook::ai {
namespace {

using base::kNsPerMs;
using testing::Samples;

/// A caller who is silent until told, and says vowels then: harmonics of 140 Hz under two formants,
/// four syllables a second.
class BargeIn : public testing::BotRig {
protected:
    bool is_speaking_ = false;

    void SetUp() override {
        BotRig::SetUp();
        voice_ = [this](std::uint64_t i) {
            if (!is_speaking_) return static_cast<std::int16_t>(i * 7919 % 5);
            const double t = static_cast<double>(i) / 8000;
            double sum = 0;
            for (int n = 1; n <= 20; ++n) {
                const double hz = 140.0 * n;
                const double formants = 1 / (1 + std::pow((hz - 600) / 200, 2)) +
                                        0.5 / (1 + std::pow((hz - 1300) / 250, 2));
                sum += formants * std::sin(2 * std::numbers::pi * hz * t);
            }
            const double syllables = 0.55 + 0.45 * std::sin(2 * std::numbers::pi * 4 * t);
            return static_cast<std::int16_t>(4000 * sum * syllables);
        };
    }
    /// The bot says numbers that rise, so that a sample that is lost or doubled shows.
    void bot_counts(int ms) {
        Samples pcm(8 * static_cast<std::size_t>(ms));
        for (std::size_t i = 0; i < pcm.size(); ++i) {
            pcm[i] = static_cast<std::int16_t>(i % 30'000 + 1);
        }
        host().play(pcm);
    }
    void expect_in_order(std::size_t until) {
        ASSERT_GE(heard_.size(), until);
        for (std::size_t i = 0; i < until; ++i) {
            ASSERT_EQ(heard_[i], static_cast<std::int16_t>(i % 30'000 + 1)) << i;
        }
    }
    bool caller_speaks_until_noticed() {
        is_speaking_ = true;
        for (int i = 0; i < 100 && notes_.barge_ins.empty(); ++i) step();
        return !notes_.barge_ins.empty();
    }
};

TEST_F(BargeIn, PausesAtOnceAndTheBotTakesItBack) {
    settings_->barge_in = BargeInPolicy::Detect;
    go_live();
    step_for(2000);
    bot_counts(5000);
    step_for(1000);
    ASSERT_TRUE(caller_speaks_until_noticed());
    const std::size_t heard = heard_.size();
    EXPECT_LE(heard, 8U * 1500);
    EXPECT_NEAR(static_cast<double>(notes_.barge_ins[0]), static_cast<double>(heard), 160);
    step_for(500);
    EXPECT_LE(heard_.size(), heard + 160);  // it stands still
    is_speaking_ = false;
    host().judge_barge_in(false);
    step_for(6000);
    expect_in_order(8 * 5000);
    EXPECT_EQ(stats_->barge_ins, 1U);
    EXPECT_EQ(stats_->taken_back_barge_ins, 1U);
    EXPECT_TRUE(notes_.dropped.empty());
}

TEST_F(BargeIn, WithoutAWordTheTimeSpokenDecides) {
    settings_->barge_in = BargeInPolicy::Detect;
    go_live();
    step_for(2000);
    bot_counts(20'000);
    host().mark("end");
    step_for(1000);
    ASSERT_TRUE(caller_speaks_until_noticed());
    step_for(1100);
    EXPECT_EQ(host().queued(), 0U);
    ASSERT_EQ(notes_.marks.size(), 1U);
    EXPECT_EQ(notes_.marks[0].how, BotProtocol::MarkEnd::Cleared);
    ASSERT_EQ(notes_.dropped.size(), 1U);
    EXPECT_EQ(notes_.dropped[0].second, 8U * 20'000);
    EXPECT_EQ(stats_->taken_back_barge_ins, 0U);
    // What it says then is heard.
    is_speaking_ = false;
    step_for(1500);
    heard_.clear();
    bot_speaks(500, 99);
    step_for(700);
    EXPECT_EQ(count(99), 4000U);
}

TEST_F(BargeIn, ByTheBotsPolicyWeOnlyTell) {
    settings_->barge_in = BargeInPolicy::Bot;
    go_live();
    step_for(2000);
    bot_counts(5000);
    step_for(1000);
    is_speaking_ = true;
    step_for(1000);
    is_speaking_ = false;
    step_for(1000);
    ASSERT_EQ(notes_.speech.size(), 2U);
    EXPECT_TRUE(notes_.speech[0].first);
    EXPECT_NEAR(static_cast<double>(notes_.speech[0].second), 3000 * 8, 120 * 8);
    EXPECT_FALSE(notes_.speech[1].first);
    EXPECT_NEAR(static_cast<double>(notes_.speech[1].second), 4000 * 8, 200 * 8);
    EXPECT_TRUE(notes_.barge_ins.empty());
    host().clear();
    step_for(100);
    EXPECT_EQ(host().queued(), 0U);
    EXPECT_LT(heard_.size(), 8U * 3200);
    expect_in_order(heard_.size());
}

TEST_F(BargeIn, ABotThatGoesLeavesItToTheTimeToo) {
    settings_->barge_in = BargeInPolicy::Detect;
    go_live();
    step_for(2000);
    bot_counts(5000);
    step_for(1000);
    ASSERT_TRUE(caller_speaks_until_noticed());
    is_speaking_ = false;
    wire().end(socket::LinkEnd::Why::Reset);
    step_for(6000);
    expect_in_order(8 * 5000);  // what was said is said
}

TEST_F(BargeIn, NobodyInterruptsABotThatIsGone) {
    settings_->barge_in = BargeInPolicy::Detect;
    go_live();
    step_for(2000);
    bot_counts(5000);
    step_for(1000);
    wire().end(socket::LinkEnd::Why::Reset);
    is_speaking_ = true;
    step_for(6000);
    expect_in_order(8 * 5000);
    EXPECT_EQ(stats_->barge_ins, 0U);
}

}  // namespace
}  // namespace offhook::ai
