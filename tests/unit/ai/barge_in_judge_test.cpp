#include "ai/barge_in_judge.h"

#include <gtest/gtest.h>

#include <string>

#include "base/monotonic.h"

namespace offhook::ai {
namespace {

/// Letters for what it said: p(aused), c(onfirmed), t(aken back).
class Judge : public ::testing::Test, public BargeInJudge::Events {
protected:
    BargeInJudge judge_{{.verdict_ms = 1000, .enough_ms = 300, .rest_ms = 500}, *this};
    std::string said_;
    std::int64_t now_ms_ = 50'000;
    bool is_playing_ = true;

    void on_barge_in() override { said_ += 'p'; }
    void on_confirmed() override { said_ += 'c'; }
    void on_taken_back() override { said_ += 't'; }

    [[nodiscard]] std::int64_t now_ns() const { return now_ms_ * base::kNsPerMs; }
    void pass(int ms) {
        for (int i = 0; i < ms; i += 10) {
            now_ms_ += 10;
            judge_.tick(is_playing_, now_ns());
        }
    }
    /// The detector is sure `late_ms` after it happened.
    void speech(bool is_speaking, int late_ms) {
        judge_.on_speech(is_speaking, now_ns() - late_ms * base::kNsPerMs, is_playing_, now_ns());
    }
};

TEST_F(Judge, WithoutAWordTheTimeSpokenDecides) {
    speech(true, 60);
    EXPECT_EQ(said_, "p");
    EXPECT_TRUE(judge_.is_pending());
    pass(990);
    EXPECT_EQ(said_, "p");
    pass(10);
    EXPECT_EQ(said_, "pc");  // it still speaks
    EXPECT_FALSE(judge_.is_pending());
}

TEST_F(Judge, ACoughIsTakenBack) {
    speech(true, 60);
    pass(500);
    speech(false, 300);  // 260 ms
    pass(490);
    EXPECT_EQ(said_, "p");
    pass(10);
    EXPECT_EQ(said_, "pt");
}

TEST_F(Judge, EnoughInTwoPiecesIsEnough) {
    speech(true, 60);
    pass(400);
    speech(false, 300);  // 160 ms
    pass(100);
    speech(true, 60);
    pass(400);
    speech(false, 300);  // 160 ms
    EXPECT_EQ(said_, "p");
    pass(100);
    EXPECT_EQ(said_, "pc");
}

TEST_F(Judge, WhoBeginsJustBeforeTheEndIsWaitedFor) {
    for (const bool is_word : {false, true}) {
        said_.clear();
        speech(true, 60);
        pass(400);
        speech(false, 300);  // 160 ms
        pass(500);
        speech(true, 60);
        pass(200);
        EXPECT_EQ(said_, "p");  // 160 ms, and perhaps 260
        pass(is_word ? 140 : 160);
        speech(false, is_word ? 140 : 300);  // 260 or 120 ms
        pass(10);
        EXPECT_EQ(said_, is_word ? "pc" : "pt");
        pass(1000);
    }
}

TEST_F(Judge, TheBotsWordDecidesAtOnceAndOnce) {
    speech(true, 60);
    pass(100);
    judge_.judge(true, now_ns());
    EXPECT_EQ(said_, "pc");
    judge_.judge(false, now_ns());
    pass(3000);
    EXPECT_EQ(said_, "pc");  // too late, and the same speech is no second one

    speech(false, 300);
    pass(1000);
    speech(true, 60);
    pass(900);
    judge_.judge(false, now_ns());
    EXPECT_EQ(said_, "pcpt");
    pass(3000);
    EXPECT_EQ(said_, "pcpt");  // it goes on speaking over a bot that said so
}

TEST_F(Judge, NothingPlaysNothingIsInterrupted) {
    is_playing_ = false;
    speech(true, 60);
    pass(200);
    is_playing_ = true;  // the bot speaks into the caller's words: its own affair
    pass(3000);
    speech(false, 300);
    pass(1000);
    judge_.judge(true, now_ns());
    EXPECT_EQ(said_, "");
}

TEST_F(Judge, DoesNotFlutter) {
    // Knocks of 60 ms, again and again.
    for (int i = 0; i < 10; ++i) {
        speech(true, 60);
        pass(300);
        speech(false, 300);
        pass(150);
    }
    // 4.5 s: paused for a second or what it takes to know, half of one between; never more.
    pass(2000);
    EXPECT_EQ(said_, "ptptpt");
}

TEST_F(Judge, WhoBeginsInTheRestIsHeardAfterIt) {
    speech(true, 60);
    judge_.judge(false, now_ns());
    pass(100);
    speech(false, 300);
    pass(100);
    speech(true, 60);
    pass(290);
    EXPECT_EQ(said_, "pt");
    pass(10);
    EXPECT_EQ(said_, "ptp");
    pass(1000);
    EXPECT_EQ(said_, "ptpc");
}

TEST_F(Judge, WhoBeginsAndEndsInTheRestIsNot) {
    speech(true, 60);
    judge_.judge(false, now_ns());
    speech(false, 0);
    pass(100);
    speech(true, 60);
    pass(200);
    speech(false, 0);
    pass(3000);
    EXPECT_EQ(said_, "pt");
    // Nor when what was to be interrupted is over.
    speech(true, 60);
    judge_.judge(false, now_ns());
    speech(false, 0);
    pass(100);
    speech(true, 60);
    is_playing_ = false;
    pass(3000);
    EXPECT_EQ(said_, "ptpt");
}

TEST_F(Judge, ForgottenItSaysNothingMore) {
    speech(true, 60);
    judge_.forget(now_ns());
    EXPECT_FALSE(judge_.is_pending());
    pass(3000);
    judge_.judge(true, now_ns());
    EXPECT_EQ(said_, "p");
    judge_.forget(now_ns());
    EXPECT_EQ(said_, "p");
}

}  // namespace
}  // namespace offhook::ai
