#include "cli/check_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/monotonic.h"

namespace offhook::cli {
namespace {

using ai::BotProtocol;
using Log = std::vector<std::string>;

/// Writes down what it is told.
class Told final : public BotProtocol {
public:
    Log log;
    Log take() { return std::exchange(log, {}); }

    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept override { return 8000; }
    [[nodiscard]] ai::Opening opening() const override { return {}; }
    [[nodiscard]] ai::OnClose on_close() const noexcept override { return ai::OnClose::HangUp; }
    void on_open(const ai::Continuation&) override {}
    void on_text(std::string_view) override {}
    void on_binary(std::span<const std::byte>) override {}
    void on_frame(std::span<const std::int16_t>, ai::FrameAt) override {}
    void on_digit(char, unsigned) override {}
    void on_mark(const std::string& name, MarkEnd how, std::uint64_t position) override {
        log.push_back(name + (how == MarkEnd::Played ? " played " : " cleared ") +
                      std::to_string(position));
    }
    void on_drained() override { log.emplace_back("drained"); }
    void on_dropped(std::uint64_t from, std::uint64_t to) override {
        log.push_back("dropped " + std::to_string(from) + " " + std::to_string(to));
    }
    void on_barge_in(std::uint64_t played) override {
        log.push_back("barge-in " + std::to_string(played));
    }
    void on_verb(const ai::BotRequest& request, std::string_view how, std::string_view) override {
        log.push_back(std::string(name_of(request.verb)) + " " + std::string(how));
    }
    void on_end(model::EndReason) override {}
};

class Line : public testing::Test {
protected:
    CheckLine line_{{}, {}};
    Told bot_;
    std::int64_t now_ns_ = 1'000'000'000'000;

    void SetUp() override { line_.use(bot_); }
    void pass(int ms) {
        for (int done = 0; done < ms; done += CheckLine::kFrameMs) {
            now_ns_ += CheckLine::kFrameMs * base::kNsPerMs;
            line_.tick(now_ns_);
        }
    }
    void play(int ms) {
        line_.play(std::vector<std::int16_t>(static_cast<std::size_t>(ms) * 8, 1000));
    }
};

TEST_F(Line, AMarkIsToldWhenWhatStoodBeforeItHasPlayed) {
    play(100);
    line_.mark("a");
    play(40);
    line_.mark("b");
    pass(80);
    EXPECT_TRUE(bot_.take().empty());
    pass(20);
    EXPECT_EQ(bot_.take(), Log{"a played 800"});
    pass(60);
    EXPECT_EQ(bot_.take(), (Log{"b played 1120", "drained"}));
    line_.mark("c");
    pass(20);
    EXPECT_EQ(bot_.take(), Log{"c played 1120"});
    EXPECT_EQ(line_.notes().marks_played, 3);
}

TEST_F(Line, ClearDropsAndTellsMarks) {
    play(100);
    line_.mark("a");
    pass(40);
    line_.clear();
    EXPECT_EQ(line_.queued(), 0U);
    EXPECT_EQ(line_.played(), 800U);
    pass(20);
    EXPECT_EQ(bot_.take(), (Log{"dropped 320 800", "a cleared 800", "drained"}));
    EXPECT_EQ(line_.notes().clears, 1);
}

TEST_F(Line, PausesWhereItIs) {
    play(100);
    pass(40);
    line_.pause();
    pass(200);
    EXPECT_EQ(line_.played(), 320U);
    line_.resume();
    pass(20);
    EXPECT_EQ(line_.played(), 480U);
}

TEST_F(Line, AnInterruptionWaitsForTheBotsWord) {
    play(1000);
    line_.mark("a");
    pass(100);
    line_.interrupt();
    pass(100);
    EXPECT_EQ(bot_.take(), Log{"barge-in 800"});
    line_.judge_barge_in(false);
    pass(20);
    EXPECT_EQ(line_.played(), 960U);
    line_.interrupt();
    line_.judge_barge_in(true);
    line_.judge_barge_in(false);  // too late
    pass(20);
    EXPECT_EQ(bot_.take(), (Log{"barge-in 960", "dropped 960 8000", "a cleared 8000", "drained"}));
    EXPECT_EQ(line_.notes().judged, true);
    EXPECT_EQ(line_.notes().clears, 0);
}

TEST_F(Line, CountsWhatRanDryInsideAnUtterance) {
    for (int i = 0; i < 3; ++i) {
        play(100);
        pass(200);
    }
    EXPECT_EQ(line_.notes().utterances, 1);
    EXPECT_EQ(line_.notes().dry_spells, 2);
    pass(1000);
    play(100);
    pass(200);
    EXPECT_EQ(line_.notes().utterances, 2);
    EXPECT_EQ(line_.notes().dry_spells, 2);
}

TEST_F(Line, HoldsAMinute) {
    for (int second = 0; second < 61; ++second) play(1000);
    EXPECT_EQ(line_.queued(), 480'000U);
    EXPECT_EQ(line_.notes().overflowed_samples, 8000U);
    pass(20);
    EXPECT_EQ(bot_.take(), Log{"dropped 0 8000"});
}

TEST_F(Line, RefusesVerbs) {
    line_.ask({.verb = ai::BotVerb::Transfer});
    line_.ask({.verb = ai::BotVerb::Transfer});
    EXPECT_TRUE(bot_.take().empty());
    pass(20);
    EXPECT_EQ(bot_.take(), (Log{"transfer refused", "transfer refused"}));
    EXPECT_EQ(line_.notes().verbs, Log{"transfer"});
}

TEST_F(Line, KeepsFiveSentences) {
    for (int i = 0; i < 20; ++i) line_.complain("sentence " + std::to_string(i / 2));
    EXPECT_EQ(line_.notes().complaints, 20);
    EXPECT_EQ(line_.notes().sentences.size(), 5U);
}

}  // namespace
}  // namespace offhook::cli
