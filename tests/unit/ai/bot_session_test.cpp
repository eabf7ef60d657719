#include "ai/bot_session.h"

#include <gtest/gtest.h>

#include "bot_rig.h"

namespace offhook::ai {
namespace {

using base::kNsPerMs;
using base::kNsPerS;
using testing::said;
using testing::Samples;
using Why = socket::LinkEnd::Why;
using MarkEnd = BotProtocol::MarkEnd;
using Strings = std::vector<std::string>;

class Session : public testing::BotRig {};

/// Frames of one connection follow each other and hold what was said.
void expect_whole(std::span<const testing::Scripted::Frame> frames, int connection) {
    std::optional<std::uint64_t> next;
    for (const auto& frame : frames) {
        if (frame.connection != connection) continue;
        ASSERT_EQ(frame.at.position, next.value_or(frame.at.position));
        for (std::size_t i = 0; i < frame.pcm.size(); ++i) {
            ASSERT_EQ(frame.pcm[i], said(frame.at.position + i)) << frame.at.position + i;
        }
        next = frame.at.position + frame.pcm.size();
    }
    ASSERT_TRUE(next);
}

TEST_F(Session, BothWays) {
    go_live();
    step_for(1000);
    EXPECT_EQ(notes_.frames.size(), 50U);
    EXPECT_EQ(stats_->sent_frames, 50U);
    EXPECT_EQ(wire().binaries, 50U);
    expect_whole(notes_.frames, 1);
    EXPECT_EQ(notes_.opened.at(0).attempt, 1);
    EXPECT_EQ(notes_.opened.at(0).gap_ms, 0);
    const Samples words = bot_speaks(500, 77);
    step_for(600);
    EXPECT_EQ(heard_, words);
    EXPECT_EQ(host().played(), words.size());
    EXPECT_EQ(stats_->state, model::AiState::Live);
    EXPECT_EQ(events_.lines, (Strings{"state connecting", "state live"}));
    EXPECT_EQ(stats_->played_ms, 500);
}

TEST_F(Session, FramesOfFortyMillisecondsAtTheBotsRate) {
    settings_->ai.frame_ms = 40;
    notes_.rate_hz = 16000;
    go_live();
    step_for(1000);
    ASSERT_EQ(notes_.frames.size(), 25U);
    for (const auto& frame : notes_.frames) EXPECT_EQ(frame.pcm.size(), 640U);
    EXPECT_EQ(notes_.frames.back().at.position, 24U * 640);
}

TEST_F(Session, WhatWasSaidBeforeTheFirstConnectionComesFirst) {
    begin();
    step_for(400);
    wire().open();
    EXPECT_EQ(notes_.opened.at(0).replay_ms, 400);
    step_for(1000);
    expect_whole(notes_.frames, 1);
    EXPECT_EQ(notes_.frames.front().at.position, 0U);
    EXPECT_EQ(notes_.frames.size(), 70U);
}

TEST_F(Session, TheLastThreeSecondsAreReplayedAtFourTimesRealTimeThenLive) {
    go_live();
    step_for(5000);
    wire().end(Why::Reset);
    ASSERT_TRUE(step_until([&] { return wires_.size() == 2; }));
    const std::uint64_t lost_at = spoken_;
    step_for(1500);
    const std::uint64_t ready_at = spoken_;
    const std::int64_t ready_ns = now_ns_;
    EXPECT_NEAR(static_cast<double>(now_ns_ - stats_->lost_since_ns.load()) / 1e6, 1600, 150);
    wire().open();
    ASSERT_EQ(notes_.opened.size(), 2U);
    EXPECT_EQ(notes_.opened[1].attempt, 2);
    EXPECT_EQ(notes_.opened[1].replay_ms, 3000);
    EXPECT_NEAR(notes_.opened[1].gap_ms, 1600, 150);
    step_for(3000);
    expect_whole(notes_.frames, 2);
    std::vector<testing::Scripted::Frame> second;
    for (const auto& frame : notes_.frames) {
        if (frame.connection == 2) second.push_back(frame);
    }
    EXPECT_EQ(second.front().at.position, ready_at - 3 * 8000);
    EXPECT_LT(second.front().at.position, lost_at);
    std::size_t sent = 0;
    for (const auto& frame : second) {
        EXPECT_EQ(frame.at.is_replay, frame.at.position < ready_at) << frame.at.position;
        sent += frame.pcm.size();
        if (!frame.at.is_replay) continue;
        // Never faster than four times, by a tick's worth.
        const double allowed = static_cast<double>(frame.when_ns - ready_ns + 10 * kNsPerMs) / 1e9;
        ASSERT_LE(static_cast<double>(sent), allowed * 4 * 8000 + 1);
    }
    // 3 s at 4 times, and what was said meanwhile: caught up after a second.
    const auto caught_up = std::find_if(second.begin(), second.end(), [](const auto& frame) {
        return static_cast<std::int64_t>(frame.at.position) >= 0 && !frame.at.is_replay;
    });
    ASSERT_NE(caught_up, second.end());
    EXPECT_NEAR(static_cast<double>(caught_up->when_ns - ready_ns) / 1e6, 750, 60);
    EXPECT_EQ(second.back().at.position + second.back().pcm.size(), spoken_);
    EXPECT_EQ(stats_->replayed_ms, 3000);
    EXPECT_NEAR(stats_->last_gap_ms, notes_.opened[1].gap_ms, 1);
    EXPECT_EQ(stats_->lost_since_ns, 0);
}

TEST_F(Session, AttemptsAreSpreadUntilTheRoutesLimit) {
    settings_->reconnect_s = 30;
    const std::int64_t began_ns = now_ns_;
    begin();
    std::size_t ended = 0;
    while (!events_.has("finished")) {
        ASSERT_LT(now_ns_ - began_ns, 60 * kNsPerS);
        if (wires_.size() > ended) {
            ended = wires_.size();
            wire().end(Why::Unreachable);
        }
        step();
    }
    EXPECT_NEAR(static_cast<double>(now_ns_ - began_ns) / 1e9, 30, 0.1);
    ASSERT_GE(wires_.size(), 7U);
    EXPECT_LE(wires_.size(), 40U);
    std::int64_t ceiling_ns = 250 * kNsPerMs;
    for (std::size_t i = 1; i < wires_.size(); ++i) {
        const std::int64_t apart_ns = wires_[i]->dialled_ns - wires_[i - 1]->dialled_ns;
        EXPECT_LE(apart_ns, ceiling_ns + 20 * kNsPerMs) << i;
        EXPECT_TRUE(apart_ns >= 100 * kNsPerMs || i + 1 == wires_.size()) << i;
        ceiling_ns = std::min(2 * ceiling_ns, 10 * kNsPerS);
    }
    EXPECT_EQ(stats_->attempts, wires_.size());
    EXPECT_EQ(stats_->connections, 0U);
    EXPECT_EQ(events_.lines,
              (Strings{"state connecting", "state lost", "state ended", "finished"}));
    EXPECT_STREQ(stats_->last_loss.load(), "unreachable");
}

TEST_F(Session, WhatCannotGetBetterIsNotTriedAgain) {
    for (const auto& [why, code] : {std::pair{Why::Refused, 401},
                                    std::pair{Why::Refused, 403},
                                    std::pair{Why::Refused, 407},
                                    std::pair{Why::Untrusted, 0},
                                    std::pair{Why::NotAllowed, 0}}) {
        wires_.clear();
        events_.lines.clear();
        settings_->fallback = {{Fallback::Kind::Ai, "second"}};
        begin();
        wire().end(why, code);
        step_for(1000);
        EXPECT_EQ(wires_.size(), 1U) << code;
        EXPECT_TRUE(events_.has("fallback ai second")) << code;
    }
    wires_.clear();
    begin();
    wire().end(Why::Refused, 503);
    step_for(1000);
    EXPECT_GT(wires_.size(), 1U);
}

TEST_F(Session, FallbacksFollowEachOther) {
    settings_->prompts = book("sorry", 700, 55);
    settings_->fallback = {{Fallback::Kind::Prompt, "nowhere"},
                           {Fallback::Kind::Prompt, "sorry"},
                           {Fallback::Kind::Transfer, "sip:desk@example.test"},
                           {Fallback::Kind::HangUp, ""}};
    settings_->reconnect_s = 0;
    go_live();
    bot_speaks(300, 44);
    wire().end(Why::Reset);
    EXPECT_FALSE(events_.has("state ended"));  // what the bot said plays first
    ASSERT_TRUE(step_until([&] { return events_.has("state ended"); }));
    EXPECT_EQ(count(44), 2400U);
    EXPECT_EQ(count(55), 5600U);
    EXPECT_EQ(events_.lines.back(), "fallback transfer sip:desk@example.test");
    session_->on_news(VerbNews{.number = 0, .is_done = false, .detail = "486"});
    EXPECT_EQ(events_.lines.back(), "fallback hang-up ");
    step_for(1000);
    EXPECT_EQ(wires_.size(), 1U);
}

TEST_F(Session, APromptAtTheListsEndIsHeardBeforeTheCallEnds) {
    settings_->prompts = book("sorry", 700, 55);
    settings_->fallback = {{Fallback::Kind::Prompt, "sorry"}};
    settings_->reconnect_s = 0;
    go_live();
    wire().end(Why::Silent);
    ASSERT_TRUE(step_until([&] { return events_.has("finished"); }));
    EXPECT_EQ(count(55), 5600U);
}

TEST_F(Session, AnOrderlyCloseMeansWhatTheSettingsSay) {
    for (const int code : {1000, 1005, 0}) {
        events_.lines.clear();
        go_live();
        bot_speaks(500, 44);
        heard_.clear();
        wire().end(Why::ClosedByPeer, code);
        EXPECT_FALSE(events_.has("finished"));
        ASSERT_TRUE(step_until([&] { return events_.has("finished"); })) << code;
        EXPECT_EQ(count(44), 4000U) << code;  // its goodbye was heard
    }
    settings_->ai.on_close = "reconnect";
    go_live();
    std::size_t before = wires_.size();
    wire().end(Why::ClosedByPeer, 1000);
    step_for(1000);
    EXPECT_EQ(wires_.size(), before + 1);

    settings_->ai.on_close = "fallback";
    settings_->fallback = {{Fallback::Kind::Ai, "second"}};
    go_live();
    before = wires_.size();
    wire().end(Why::ClosedByPeer, 1000);
    step_for(1000);
    EXPECT_EQ(wires_.size(), before);
    EXPECT_TRUE(events_.has("fallback ai second"));

    // A bot that is deployed anew (1001) or that fails (1011) has not ended its part.
    settings_->ai.on_close = "";
    for (const int code : {1001, 1011, 1012}) {
        go_live();
        before = wires_.size();
        wire().end(Why::ClosedByPeer, code);
        step_for(1000);
        EXPECT_GT(wires_.size(), before) << code;
    }
}

TEST_F(Session, WhatItSaidPlaysOnAndItsMarksAreLost) {
    go_live();
    bot_speaks(200, 44);
    host().mark("first");
    bot_speaks(1000, 45);
    host().mark("second");
    host().mark("third");
    step_for(300);
    ASSERT_EQ(notes_.marks,
              (std::vector<testing::Scripted::Mark>{{"first", MarkEnd::Played, 1600}}));
    wire().end(Why::Reset);
    ASSERT_EQ(notes_.marks.size(), 3U);
    EXPECT_EQ(notes_.marks[1].how, MarkEnd::Lost);
    EXPECT_EQ(notes_.marks[2].name, "third");
    EXPECT_EQ(notes_.lost, 1);
    ASSERT_TRUE(step_until([&] { return wires_.size() == 2; }));
    step_for(1500);
    EXPECT_EQ(count(45), 8000U);
    EXPECT_TRUE(notes_.dropped.empty());
    wire().open();
    EXPECT_EQ(notes_.opened[1].played_ms, 1200);
    EXPECT_EQ(notes_.opened[1].marks, (Strings{"first"}));
    EXPECT_EQ(notes_.opened[1].dropped, (Strings{"second", "third"}));
    EXPECT_EQ(notes_.marks.size(), 3U);  // they do not come twice
    // Positions go on.
    bot_speaks(100, 46);
    EXPECT_EQ(host().given(), 8U * 1300);
}

TEST_F(Session, APausedBotThatGoesIsHeardToItsEnd) {
    go_live();
    bot_speaks(500, 44);
    host().pause();
    wire().end(Why::Reset);
    step_for(700);
    EXPECT_EQ(count(44), 4000U);
}

TEST_F(Session, TheGreetingPlaysWhileItConnects) {
    settings_->prompts = book("welcome", 600, 33);
    settings_->greeting = "welcome";
    begin();
    step_for(200);
    EXPECT_GT(count(33), 0U);
    wire().open();
    bot_speaks(400, 44);
    EXPECT_EQ(host().given(), 3200U);  // the bot counts its own
    step_for(1200);
    ASSERT_EQ(heard_.size(), 8U * 1000);
    EXPECT_EQ(heard_[4799], 33);
    EXPECT_EQ(heard_[4800], 44);
    EXPECT_EQ(host().played(), 3200U);
}

TEST_F(Session, WhileItIsGoneThePromptComesAgainAndAgain) {
    settings_->prompts = book("wait", 1000, 22);
    settings_->lost_prompt = "wait";
    settings_->lost_prompt_s = 5;
    go_live();
    step_for(1000);
    wire().end(Why::Reset);
    ASSERT_TRUE(step_until([&] { return wires_.size() == 2; }));  // it hangs in the handshake
    step_for(4500);
    EXPECT_EQ(count(22), 0U);
    step_for(2000);
    EXPECT_EQ(count(22), 8000U);
    step_for(6000);
    EXPECT_EQ(count(22), 16000U);
    wire().open();
    step_for(10'000);
    EXPECT_EQ(count(22), 16000U);
}

TEST_F(Session, VerbsAreByPolicy) {
    settings_->may_hang_up = true;
    go_live();
    host().ask({.verb = BotVerb::Transfer, .argument = "100", .correlation = "t"});
    host().ask({.verb = BotVerb::HangUp, .correlation = "h"});
    EXPECT_EQ(notes_.verbs, (Strings{"transfer t refused"}));
    EXPECT_TRUE(events_.has("refused transfer"));
    ASSERT_EQ(events_.requests.size(), 1U);
    EXPECT_EQ(events_.requests[0].number, 2U);
    EXPECT_EQ(stats_->verbs, 1U);
    EXPECT_EQ(stats_->refused_verbs, 1U);
    session_->on_news(VerbNews{.number = 2, .is_final = false, .is_done = false, .detail = "180"});
    session_->on_news(VerbNews{.number = 2, .is_done = true});
    session_->on_news(VerbNews{.number = 2, .is_done = true});
    EXPECT_EQ(notes_.verbs,
              (Strings{"transfer t refused", "hang-up h progress", "hang-up h done"}));
}

TEST_F(Session, AfterSpeechMeansAfterItHasLeft) {
    settings_->may_hang_up = true;
    go_live();
    bot_speaks(500, 44);
    host().ask({.verb = BotVerb::HangUp, .is_after_speech = true});
    bot_speaks(500, 45);
    EXPECT_TRUE(events_.requests.empty());
    ASSERT_TRUE(step_until([&] { return !events_.requests.empty(); }));
    EXPECT_EQ(count(44), 4000U);
    EXPECT_LT(count(45), 400U);
    // Nothing to wait for.
    step_for(1000);
    host().ask({.verb = BotVerb::HangUp, .is_after_speech = true});
    EXPECT_EQ(events_.requests.size(), 2U);
    // What was cleared is not waited for, and a bot that goes has still asked.
    bot_speaks(5000, 44);
    host().ask({.verb = BotVerb::HangUp, .is_after_speech = true});
    wire().end(Why::Reset);
    step_for(5100);
    EXPECT_EQ(events_.requests.size(), 3U);
}

TEST_F(Session, APromptThatTheBotWants) {
    settings_->may_play_prompt = true;
    settings_->prompts = book("terms", 300, 21);
    go_live();
    bot_speaks(200, 44);
    host().ask({.verb = BotVerb::PlayPrompt, .argument = "terms", .correlation = "p"});
    host().ask({.verb = BotVerb::PlayPrompt, .argument = "nowhere", .correlation = "q"});
    EXPECT_EQ(notes_.verbs, (Strings{"prompt q failed"}));
    bot_speaks(200, 45);
    step_for(440);
    EXPECT_EQ(notes_.verbs.size(), 1U);
    step_for(400);
    EXPECT_EQ(notes_.verbs.back(), "prompt p done");
    EXPECT_EQ(count(21), 2400U);
    EXPECT_EQ(host().played(), 3200U);
    EXPECT_TRUE(events_.requests.empty());
    host().ask({.verb = BotVerb::PlayPrompt, .argument = "terms", .correlation = "r"});
    host().clear();
    step_for(100);
    EXPECT_EQ(notes_.verbs.back(), "prompt r failed");
}

TEST_F(Session, VerbsAreBounded) {
    go_live();
    for (int i = 0; i < 1000; ++i) host().ask({.verb = BotVerb::HangUp});
    EXPECT_EQ(notes_.verbs.size(), 1000U);
    EXPECT_EQ(std::count(events_.lines.begin(), events_.lines.end(), "refused hang-up"), 20);
    EXPECT_EQ(stats_->bad_messages, 980U);
    step_for(1010);
    host().ask({.verb = BotVerb::HangUp});
    EXPECT_EQ(std::count(events_.lines.begin(), events_.lines.end(), "refused hang-up"), 21);
}

TEST_F(Session, AFloodLosesTheOldestAndIsCounted) {
    settings_->ai.queue_s = 60;
    go_live();
    const std::vector<std::byte> message(16'000);  // a second
    for (int i = 0; i < 1000; ++i) {               // 100 times real time, for ten seconds
        wire().events->on_binary(message);
        host().mark("m" + std::to_string(i));
        step();
        ASSERT_LE(port_->voice.queued_samples(), 2U * 61 * 8000);
    }
    ASSERT_TRUE(step_until([&] { return host().queued() == 0; }));
    step_for(100);
    EXPECT_EQ(stats_->given_ms, 1'000'000);
    EXPECT_NEAR(stats_->played_ms + stats_->overflowed_ms, 1'000'000, 0.01);
    EXPECT_NEAR(stats_->played_ms, 70'000, 500);
    EXPECT_EQ(notes_.marks.size(), 1000U);
    EXPECT_EQ(notes_.frames.size(), spoken_ / 160);
    expect_whole(notes_.frames, 1);
}

TEST_F(Session, ABotThatDoesNotReadIsCounted) {
    go_live();
    wire().takes_nothing = true;
    step_for(1000);
    EXPECT_EQ(stats_->unsent_frames, 50U);
    EXPECT_EQ(stats_->sent_frames, 0U);
    wire().end(Why::Slow);
    ASSERT_TRUE(step_until([&] { return wires_.size() == 2; }));
    EXPECT_STREQ(stats_->last_loss.load(), "slow");
}

TEST_F(Session, ABotThatDoesNotBeginIsCalledAgain) {
    notes_.is_ready_at_once = false;
    go_live();
    step_for(4900);
    EXPECT_EQ(wires_.size(), 1U);
    EXPECT_TRUE(notes_.frames.empty());
    step_for(600);
    EXPECT_EQ(wires_.size(), 2U);
    EXPECT_EQ(wires_[0]->close_code, 1002);
    notes_.is_ready_at_once = true;
    wire().open();
    EXPECT_EQ(notes_.opened[1].replay_ms, 3000);
    EXPECT_EQ(stats_->state, model::AiState::Live);
}

TEST_F(Session, FailFinishAndReconnectEndTheConnectionFromInside) {
    settings_->ai.on_close = "fallback";
    go_live();
    host().reconnect("its hour is over");
    step();
    ASSERT_EQ(wires_.size(), 2U);  // no back-off
    EXPECT_EQ(wires_[0]->close_code, 1000);
    EXPECT_EQ(stats_->losses, 0U);
    wire().open();
    EXPECT_EQ(events_.lines, (Strings{"state connecting", "state live"}));
    host().fail("it speaks another version", false);
    step_for(500);
    ASSERT_EQ(wires_.size(), 3U);
    EXPECT_EQ(wires_[1]->close_code, 1002);
    EXPECT_EQ(stats_->losses, 1U);
    wire().open();
    notes_.throws = true;
    wire().events->on_text("x");
    ASSERT_TRUE(step_until([&] { return wires_.size() == 4; }));
    notes_.throws = false;
    wire().open();
    host().finish();
    step_for(100);
    EXPECT_TRUE(events_.has("finished"));
    EXPECT_EQ(wires_[3]->close_code, 1000);
    EXPECT_EQ(wires_.size(), 4U);
}

TEST_F(Session, NewsComeToTheBotAndWaitForIt) {
    begin();
    session_->on_news(DigitNews{.digit = '1'});
    session_->on_news(HoldNews{.is_held = true});
    EXPECT_TRUE(notes_.digits.empty());
    wire().open();
    EXPECT_EQ(notes_.digits, "1");
    EXPECT_EQ(notes_.held, std::vector<bool>{true});
    session_->on_news(DigitNews{.digit = '#'});
    session_->on_news(HoldNews{.is_held = false});
    EXPECT_EQ(notes_.digits, "1#");
    wire().end(Why::Reset);
    for (int i = 0; i < 100; ++i)
        session_->on_news(DigitNews{.digit = static_cast<char>('0' + i % 10)});
    ASSERT_TRUE(step_until([&] { return wires_.size() == 2; }));
    wire().open();
    EXPECT_EQ(notes_.digits, "1#89012345678901234567890123456789");
}

TEST_F(Session, ABotWhoseSocketIsRemovedIsCalledAgain) {
    begin();
    wire().open();
    session_->on_news(DropNews{.connection = 7, .why = "an operator's wish"});
    EXPECT_EQ(stats_->state.load(), model::AiState::Live) << "that was another connection";
    session_->on_news(DropNews{.connection = stats_->connections.load(), .why = "as asked"});
    EXPECT_EQ(stats_->state.load(), model::AiState::Lost);
    EXPECT_STREQ(stats_->last_loss.load(), "removed");
    ASSERT_TRUE(step_until([&] { return wires_.size() == 2; }));
    wire().open();
    EXPECT_EQ(stats_->state.load(), model::AiState::Live);
}

TEST_F(Session, TheEndIsToldAndTheLastWordsLeave) {
    go_live();
    step_for(100);
    session_->on_news(EndNews{.reason = model::EndReason::CallerHangup});
    session_.reset();
    EXPECT_EQ(notes_.ended, 1);
    EXPECT_EQ(wire().texts, (Strings{"stop"}));
    EXPECT_EQ(wire().close_code, 1000);
    EXPECT_FALSE(wire().is_gone);  // until it is closed
    EXPECT_EQ(farewells_.size(), 1U);
    wire().events->on_text("too late");
    wire().end(Why::ClosedByUs, 1000);
    EXPECT_TRUE(wire().is_gone);
    EXPECT_EQ(farewells_.size(), 0U);
    EXPECT_EQ(port_.use_count(), 2);  // ours and the line's
    EXPECT_TRUE(notes_.texts.empty());
}

TEST_F(Session, TheNextAiHearsTheLastWordsFirst) {
    for (const std::uint32_t rate_hz : {8000U, 16000U}) {
        notes_ = {};
        notes_.clock = [this] { return now_ns_; };
        spoken_ = 0;
        settings_->reconnect_s = 0;
        go_live();
        step_for(5000);
        wire().end(Why::Reset);
        step_for(1000);
        const LastWords words = session_->last_words();
        EXPECT_EQ(words.pcm.size(), 24000U);
        session_.reset();
        notes_.frames.clear();
        notes_.opened.clear();
        notes_.rate_hz = rate_hz;
        begin(words);
        step_for(200);
        wire().open();
        EXPECT_EQ(notes_.opened.at(0).attempt, 1);
        EXPECT_EQ(notes_.opened.at(0).replay_ms, 3000);
        step_for(2000);
        ASSERT_GE(notes_.frames.size(), 150U + 100);
        std::uint64_t next = rate_hz / 5;  // 3.2 s are there, 3 s are kept
        for (const auto& frame : notes_.frames) {
            ASSERT_EQ(frame.at.position, next);
            next += frame.pcm.size();
            // Sample 24,000 of all was the first of the last words.
            for (std::size_t i = 0; rate_hz == 8000 && i < frame.pcm.size(); ++i) {
                ASSERT_EQ(frame.pcm[i], said(24'000 + frame.at.position + i));
            }
        }
    }
}

TEST_F(Session, ComplaintsAreCountedEach) {
    go_live();
    for (int i = 0; i < 500; ++i) host().complain("no JSON:\x1b[2J");
    EXPECT_EQ(stats_->bad_messages, 500U);
}

TEST_F(Session, CredentialsGoIntoHeaders) {
    settings_->bearer = base::Secret("t0ken");
    settings_->headers.emplace_back("X-Tenant", base::Secret("7"));
    settings_->ai.proxy = "http://127.0.0.1:3128";
    settings_->ai.connect_timeout_ms = 1500;
    settings_->ai.ping_s = 0;
    begin();
    const auto& dial = wire().dial;
    ASSERT_EQ(dial.secret_headers.size(), 2U);
    EXPECT_EQ(dial.secret_headers[1].first, "Authorization");
    EXPECT_EQ(dial.secret_headers[1].second.reveal(), "Bearer t0ken");
    EXPECT_EQ(dial.proxy, "http://127.0.0.1:3128");
    EXPECT_EQ(dial.limits.connect_timeout_ns, 1500 * kNsPerMs);
    EXPECT_EQ(dial.limits.ping_every_ns, 0);
    settings_->bearer = {};
    settings_->ai.user = "bot";
    settings_->password = base::Secret("open sesame");
    begin();
    EXPECT_EQ(wire().dial.secret_headers[1].second.reveal(), "Basic Ym90Om9wZW4gc2VzYW1l");
    settings_->headers.emplace_back("AUTHORIZATION", base::Secret("Own x"));
    begin();
    EXPECT_EQ(wire().dial.secret_headers.size(), 2U);
}

}  // namespace
}  // namespace offhook::ai
