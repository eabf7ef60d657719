#include "ai/protocols/twilio.h"

#include <gtest/gtest.h>

#include <regex>

#include "ai/protocols/base64.h"
#include "ai/protocols/twilio_ids.h"
#include "recording_host.h"

namespace offhook::ai {
namespace {

using Log = std::vector<std::string>;
using Samples = std::vector<std::int16_t>;

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at))
        text.replace(at, what.size(), by);
    return text;
}

class TwilioProtocol : public testing::Test {
protected:
    RecordingHost host_;
    std::unique_ptr<Twilio> bot_;
    const std::string account_ = twilio_sid("AC", "account:front");
    const std::string call_ = twilio_sid("CA", "c-0123456789ab");
    std::string stream_;

    void SetUp() override { host_.settings_.ai.protocol = config::AiProtocol::Twilio; }
    void open(const Continuation& before = {}) {
        if (!bot_) bot_ = std::make_unique<Twilio>(host_);
        bot_->on_open(before);
        std::smatch match;
        for (const std::string& line : host_.log_)
            if (std::regex_search(line, match, std::regex("MZ[0-9a-f]{32}"))) stream_ = match[0];
    }
    /// Open, with what that said forgotten.
    void opened() {
        open();
        host_.take();
    }
    /// What was done, with the ids of the examples.
    Log told() {
        Log out;
        for (std::string& line : host_.take()) {
            line = replaced(std::move(line), account_, "AC01");
            line = replaced(std::move(line), call_, "CA01");
            out.push_back(stream_.empty() ? line : replaced(std::move(line), stream_, "MZ01"));
        }
        return out;
    }
    Log after(std::string_view text) {
        bot_->on_text(text);
        return told();
    }
};

TEST_F(TwilioProtocol, BeginsAsTwilioDoes) {
    host_.call_.parameters = {{"caller", "+15550100"}, {"to", "mine"}};
    open();
    ASSERT_EQ(stream_.size(), 34U);
    EXPECT_EQ(
        told(),
        (Log{R"(>{"event":"connected","protocol":"Call","version":"1.0.0"})",
             R"(>{"event":"start","sequenceNumber":"1","streamSid":"MZ01","start":{)"
             R"("streamSid":"MZ01","accountSid":"AC01","callSid":"CA01","tracks":["inbound"],)"
             R"("customParameters":{"caller":"+15550100","to":"mine","from":"+15550100",)"
             R"("call_id":"c-0123456789ab","direction":"inbound"},)"
             R"("mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}})",
             "ready"}));
}

TEST_F(TwilioProtocol, AllOfACallInOrder) {
    opened();
    const Samples silence(160, 0);
    bot_->on_frame(silence, {.position = 0});
    bot_->on_frame(silence, {.position = 160});
    bot_->on_digit('5', 100);
    bot_->on_mark("utt-7", BotProtocol::MarkEnd::Played, 160);
    bot_->on_mark("a \"b\"", BotProtocol::MarkEnd::Cleared, 160);
    bot_->on_frame(silence, {.position = 320});
    bot_->on_end(model::EndReason::CallerHangup);
    std::string payload;
    append_base64(std::vector<std::byte>(160, std::byte{0xFF}), payload);
    ASSERT_EQ(payload.size(), 216U);
    const auto media = [&](const char* head) {
        return std::string(head) + R"("payload":")" + payload + R"("}})";
    };
    EXPECT_EQ(
        told(),
        (Log{
            media(R"(>{"event":"media","sequenceNumber":"2","streamSid":"MZ01","media":{)"
                  R"("track":"inbound","chunk":"1","timestamp":"20",)"),
            media(R"(>{"event":"media","sequenceNumber":"3","streamSid":"MZ01","media":{)"
                  R"("track":"inbound","chunk":"2","timestamp":"40",)"),
            R"(>{"event":"dtmf","sequenceNumber":"4","streamSid":"MZ01","dtmf":{"track":"inbound_track","digit":"5"}})",
            R"(>{"event":"mark","sequenceNumber":"5","streamSid":"MZ01","mark":{"name":"utt-7"}})",
            R"(>{"event":"mark","sequenceNumber":"6","streamSid":"MZ01","mark":{"name":"a \"b\""}})",
            media(R"(>{"event":"media","sequenceNumber":"7","streamSid":"MZ01","media":{)"
                  R"("track":"inbound","chunk":"3","timestamp":"60",)"),
            R"(>{"event":"stop","sequenceNumber":"8","streamSid":"MZ01","stop":{"accountSid":"AC01","callSid":"CA01"}})"}));
}

TEST_F(TwilioProtocol, IdsHaveTheirForm) {
    for (const std::string& id : {account_, call_, twilio_sid("MZ", "")})
        EXPECT_TRUE(std::regex_match(id, std::regex("(AC|CA|MZ)[0-9a-f]{32}"))) << id;
    EXPECT_EQ(call_, twilio_sid("CA", "c-0123456789ab"));
    EXPECT_NE(call_, twilio_sid("CA", "c-0123456789ac"));
    const auto uuid = std::regex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}");
    EXPECT_TRUE(std::regex_match(stable_uuid("x"), uuid)) << stable_uuid("x");
}

TEST_F(TwilioProtocol, AnotherConnectionIsAnotherStreamOfTheSameCall) {
    open();
    const std::string first = stream_;
    host_.take();
    open({.attempt = 2,
          .gap_ms = 700,
          .played_ms = 1000.5,
          .replay_ms = 40,
          .marks = {"a", "b"},
          .dropped = {"c"}});
    EXPECT_NE(stream_, first);
    const Log start = told();
    ASSERT_EQ(start.size(), 3U);
    EXPECT_NE(start[1].find(R"({"event":"start","sequenceNumber":"1")"), std::string::npos);
    EXPECT_NE(start[1].find(R"("callSid":"CA01")"), std::string::npos);
    EXPECT_NE(start[1].find(R"("offhook_attempt":"2","offhook_gap_ms":"700",)"
                            R"("offhook_played_ms":"1000.5","offhook_marks":"a,b",)"
                            R"("offhook_dropped_marks":"c","offhook_replay_ms":"40")"),
              std::string::npos)
        << start[1];

    const Samples frame(160, 0);
    bot_->on_frame(frame, {.position = 8000, .is_replay = true});
    bot_->on_frame(frame, {.position = 8160, .is_replay = true});
    bot_->on_frame(frame, {.position = 8320});
    bot_->on_frame(frame, {.position = 8480});
    std::vector<std::string> heads;
    for (const std::string& line : told()) heads.push_back(line.substr(0, line.find(",\"payload")));
    EXPECT_EQ(
        heads,
        (Log{
            R"(>{"event":"offhook","sequenceNumber":"2","streamSid":"MZ01","offhook":{"replay":"begin","ms":40}})",
            R"(>{"event":"media","sequenceNumber":"3","streamSid":"MZ01","media":{"track":"inbound","chunk":"1","timestamp":"20")",
            R"(>{"event":"media","sequenceNumber":"4","streamSid":"MZ01","media":{"track":"inbound","chunk":"2","timestamp":"40")",
            R"(>{"event":"offhook","sequenceNumber":"5","streamSid":"MZ01","offhook":{"replay":"end"}})",
            R"(>{"event":"media","sequenceNumber":"6","streamSid":"MZ01","media":{"track":"inbound","chunk":"3","timestamp":"60")",
            R"(>{"event":"media","sequenceNumber":"7","streamSid":"MZ01","media":{"track":"inbound","chunk":"4","timestamp":"80")"}));
    bot_->on_mark("old", BotProtocol::MarkEnd::Lost, 0);
    EXPECT_TRUE(told().empty());
}

TEST_F(TwilioProtocol, TheFirstConnectionHasNoWordThatTwilioHasNot) {
    open({.replay_ms = 300});
    host_.take();
    bot_->on_frame(Samples(160), {.is_replay = true});
    bot_->on_frame(Samples(160), {.position = 160});
    for (const std::string& line : told())
        EXPECT_TRUE(line.starts_with(R"(>{"event":"media")")) << line;
}

TEST_F(TwilioProtocol, WhatTheLinkDidNotTakeLeavesAHoleInTimeOnly) {
    opened();
    const Samples frame(160, 0);
    bot_->on_frame(frame, {});
    host_.is_full_ = true;
    bot_->on_frame(frame, {.position = 160});
    host_.is_full_ = false;
    bot_->on_frame(frame, {.position = 320});
    const Log log = told();
    ASSERT_EQ(log.size(), 2U);
    EXPECT_NE(log[1].find(R"("sequenceNumber":"3")"), std::string::npos);
    EXPECT_NE(log[1].find(R"("chunk":"2","timestamp":"60")"), std::string::npos);
}

TEST_F(TwilioProtocol, PlaysMediaOfAnyLengthExactly) {
    opened();
    std::vector<std::byte> codes(1000);
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::byte>(i % 256);
    Samples expected;
    decode_samples(Encoding::Pcmu, codes, expected);
    std::span<const std::byte> rest = codes;
    for (std::size_t piece = 1; !rest.empty(); piece = piece * 3 % 401) {
        const std::size_t n = std::min(piece, rest.size());
        std::string text = R"({"event":"media","streamSid":"MZ99","media":{"payload":")";
        append_base64(rest.first(n), text);
        bot_->on_text(text + "\"}}");
        rest = rest.subspan(n);
    }
    EXPECT_EQ(host_.heard_, expected);
}

TEST_F(TwilioProtocol, MarksAndClearGoToTheLine) {
    opened();
    EXPECT_EQ(after(R"({"event":"media","media":{"payload":"//8="}})"), Log{"play 2"});
    EXPECT_EQ(after(R"({"event":"mark","streamSid":"MZ01","mark":{"name":"utt-7"}})"),
              Log{"mark utt-7"});
    EXPECT_EQ(after(R"({"event":"clear","streamSid":"MZ01"})"), Log{"clear"});
}

TEST_F(TwilioProtocol, LeavesABargeInToTheBotsClearAndToTime) {
    opened();
    bot_->on_barge_in(2);
    EXPECT_TRUE(told().empty());
}

TEST_F(TwilioProtocol, GoesOnAfterWhatItCannotRead) {
    opened();
    for (const std::string_view text : {"",
                                        "nonsense",
                                        "[]",
                                        "{}",
                                        R"({"event":1})",
                                        R"({"event":"start"})",
                                        R"({"event":"media"})",
                                        R"({"event":"media","media":{}})",
                                        R"({"event":"media","media":{"payload":7}})",
                                        R"({"event":"media","media":{"payload":"*"}})",
                                        R"({"event":"mark"})",
                                        R"({"event":"mark","mark":{"name":null}})",
                                        "{\"event\":\"\x1b[2J\"}"}) {
        const Log log = after(text);
        ASSERT_EQ(log.size(), 1U) << text;
        EXPECT_TRUE(log[0].starts_with("complain: ")) << log[0];
        EXPECT_EQ(log[0].find('\x1b'), std::string::npos);
    }
    bot_->on_binary(std::vector<std::byte>(160));
    EXPECT_EQ(
        told(),
        Log{"complain: a binary message of 160 bytes: sound comes as media.payload in twilio"});
    EXPECT_TRUE(after(R"({"event":"media","media":{"payload":""}})").empty());
    EXPECT_EQ(after(R"({"event":"media","media":{"payload":"//8"}})"), Log{"play 2"});
}

TEST_F(TwilioProtocol, SignsTheWholeUrl) {
    EXPECT_TRUE(Twilio(host_).opening().secret_headers.empty());
    host_.settings_.signature = base::Secret("12345");
    host_.settings_.ai.url = "wss://bot.example/media?a=1";
    const Opening opening = Twilio(host_).opening();
    ASSERT_EQ(opening.secret_headers.size(), 1U);
    EXPECT_EQ(opening.secret_headers[0].first, "X-Twilio-Signature");
    // printf %s 'wss://bot.example/media?a=1' | openssl dgst -sha1 -hmac 12345 -binary | base64
    EXPECT_EQ(opening.secret_headers[0].second.reveal(), "fi0QKb0nk+UUkA9RibfR1+i9ySY=");
    EXPECT_EQ(opening.url, host_.settings_.ai.url);
}

TEST_F(TwilioProtocol, TwoFramesAMessageAreFortyMilliseconds) {
    host_.settings_.ai.frame_ms = 40;
    opened();
    bot_->on_frame(Samples(320), {});
    bot_->on_frame(Samples(320), {.position = 320});
    const Log log = told();
    ASSERT_EQ(log.size(), 2U);
    EXPECT_NE(log[1].find(R"("chunk":"2","timestamp":"80")"), std::string::npos);
}

}  // namespace
}  // namespace offhook::ai
