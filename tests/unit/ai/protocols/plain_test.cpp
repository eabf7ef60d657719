#include "ai/protocols/plain.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ai/protocols/message.h"
#include "base/monotonic.h"
#include "recording_host.h"

namespace offhook::ai {
namespace {

using Log = std::vector<std::string>;
using Samples = std::vector<std::int16_t>;

class PlainProtocol : public testing::Test {
protected:
    RecordingHost host_;
    std::unique_ptr<Plain> bot_;

    void SetUp() override { host_.settings_.ai.protocol = config::AiProtocol::Plain; }
    void open(const Continuation& before = {}) {
        if (!bot_) bot_ = std::make_unique<Plain>(host_);
        bot_->on_open(before);
    }
    /// Open, with what that said forgotten.
    void opened() {
        open();
        host_.take();
    }
    Log after(std::string_view text) {
        bot_->on_text(text);
        return host_.take();
    }
};

TEST_F(PlainProtocol, TheFirstMessageHasAllFacts) {
    host_.settings_.ai.sample_rate_hz = 24000;
    host_.settings_.ai.frame_ms = 40;
    host_.settings_.may_hang_up = host_.settings_.may_hold = true;
    host_.call_.parameters = {{"shop", "7"}, {"who", "a \"b\""}};
    host_.call_.facts.diversion = {"sip:1@x"};
    host_.call_.facts.headers = {{"X-Y", "z"}};
    open();
    EXPECT_EQ(
        host_.take(),
        (Log{
            R"(>{"type":"start","version":1,"call":{"id":"c-0123456789ab","direction":"inbound",)"
            R"("from":"+15550100","to":"100","account":"front","route":"any","codec":"PCMU",)"
            R"("facts":{"asserted_identity":"","diversion":["sip:1@x"],"history":[],"replaces":"",)"
            R"("headers":[{"name":"X-Y","value":"z"}]}},"parameters":{"shop":"7","who":"a \"b\""},)"
            R"("audio":{"encoding":"s16le","sample_rate":24000,"channels":1,"frame_ms":40},)"
            R"("allowed":["hang-up","hold"],"connection":{"attempt":1,"gap_ms":0,"played_ms":0,)"
            R"("replay_ms":0,"marks":[],"dropped":[]}})",
            "ready"}));
    EXPECT_EQ(bot_->sample_rate_hz(), 24000U);
    EXPECT_EQ(bot_->opening().subprotocol, "offhook.plain.v1");
    EXPECT_EQ(bot_->opening().url, "wss://bot.example/media");
    EXPECT_EQ(bot_->on_close(), OnClose::HangUp);
}

TEST_F(PlainProtocol, ANewConnectionKnowsThoseBeforeAndHearsTheGapFirst) {
    open();
    host_.take();
    open({.attempt = 2,
          .gap_ms = 1500,
          .played_ms = 2000.5,
          .replay_ms = 1800,
          .marks = {"a", "b"},
          .dropped = {"c"}});
    const Log start = host_.take();
    EXPECT_NE(start[0].find(R"("connection":{"attempt":2,"gap_ms":1500,"played_ms":2000.5,)"
                            R"("replay_ms":1800,"marks":["a","b"],"dropped":["c"]})"),
              std::string::npos);
    const Samples frame(320, 5);
    bot_->on_frame(frame, {.position = 0, .is_replay = true});
    bot_->on_frame(frame, {.position = 320, .is_replay = true});
    bot_->on_frame(frame, {.position = 640, .is_replay = false});
    bot_->on_frame(frame, {.position = 960, .is_replay = false});
    EXPECT_EQ(host_.take(),
              (Log{R"(>{"type":"replay","state":"begin","ms":1800})",
                   ">640 bytes",
                   ">640 bytes",
                   R"(>{"type":"replay","state":"end"})",
                   ">640 bytes",
                   ">640 bytes"}));
}

TEST_F(PlainProtocol, SoundIsLittleEndianBytesBothWays) {
    opened();
    const Samples frame{0x0102, -2};
    bot_->on_frame(frame, {});
    ASSERT_EQ(host_.binaries_.size(), 1U);
    EXPECT_EQ(host_.binaries_[0],
              (std::vector<std::byte>{
                  std::byte{0x02}, std::byte{0x01}, std::byte{0xFE}, std::byte{0xFF}}));
    bot_->on_binary(host_.binaries_[0]);
    EXPECT_EQ(host_.heard_, frame);
}

TEST_F(PlainProtocol, AMessageMayEndInsideASample) {
    opened();
    Samples sound(1000);
    for (std::size_t i = 0; i < sound.size(); ++i) sound[i] = static_cast<std::int16_t>(i * 37);
    std::span<const std::byte> bytes = std::as_bytes(std::span(sound));
    for (std::size_t piece = 1; !bytes.empty(); piece = piece % 13 + 1) {
        const std::size_t n = std::min(piece, bytes.size());
        bot_->on_binary(bytes.first(n));
        bytes = bytes.subspan(n);
    }
    EXPECT_EQ(host_.heard_, sound);
}

TEST_F(PlainProtocol, HalfASampleDoesNotShiftTheNextUtterance) {
    opened();
    const std::byte odd[] = {std::byte{1}, std::byte{0}, std::byte{9}};
    bot_->on_binary(odd);
    EXPECT_EQ(
        after(R"({"type":"mark","name":"m"})"),
        (Log{"play 1",
             "complain: sound that ended inside a sample: a message of an odd number of bytes",
             "mark m"}));
    const std::byte even[] = {std::byte{2}, std::byte{0}};
    bot_->on_binary(even);
    EXPECT_EQ(host_.heard_, (Samples{1, 2}));
}

TEST_F(PlainProtocol, ObeysEveryWord) {
    opened();
    EXPECT_EQ(after(R"({"type":"mark","name":"m1"})"), Log{"mark m1"});
    EXPECT_EQ(after(R"({"type":"clear"})"), Log{"clear"});
    EXPECT_EQ(after(R"({"type":"pause"})"), Log{"pause"});
    EXPECT_EQ(after(R"({"type":"resume"})"), Log{"resume"});
    EXPECT_EQ(after(R"({"type":"barge-in","accept":true})"), Log{"barge-in yes"});
    EXPECT_EQ(after(R"({"type":"barge-in","accept":false})"), Log{"barge-in no"});
    EXPECT_EQ(after(R"({"type":"speech","state":"started"})"), Log{"caller speaks"});
    EXPECT_EQ(after(R"({"type":"speech","state":"stopped"})"), Log{"caller is silent"});
    EXPECT_EQ(after(R"({"type":"hangup","after_speech":true,"id":"h1"})"), Log{"ask hang-up "});
    EXPECT_TRUE(host_.requests_.back().is_after_speech);
    EXPECT_EQ(host_.requests_.back().correlation, "h1");
    EXPECT_EQ(after(R"({"type":"transfer","target":"sip:a@b"})"), Log{"ask transfer sip:a@b"});
    EXPECT_FALSE(host_.requests_.back().is_after_speech);
    EXPECT_EQ(after(R"({"type":"dtmf","digits":"12#"})"), Log{"ask dtmf 12#"});
    EXPECT_EQ(after(R"({"type":"prompt","name":"bye"})"), Log{"ask prompt bye"});
    EXPECT_EQ(after(R"({"type":"hold","on":true})"), Log{"ask hold "});
    EXPECT_EQ(host_.requests_.back().verb, BotVerb::Hold);
    EXPECT_EQ(after(R"({"type":"hold","on":false})"), Log{"ask hold "});
    EXPECT_EQ(host_.requests_.back().verb, BotVerb::Resume);
}

TEST_F(PlainProtocol, SaysWhatItCannotDoAnythingWith) {
    opened();
    const std::string long_name(600, 'x');
    for (const std::string& text : {std::string("nonsense"),
                                    std::string("[]"),
                                    std::string("{}"),
                                    std::string(R"({"type":7})"),
                                    std::string(R"({"type":"dance"})"),
                                    std::string(R"({"type":"mark"})"),
                                    R"({"type":"mark","name":")" + long_name + "\"}"}) {
        const Log log = after(text);
        ASSERT_EQ(log.size(), 2U) << text;
        EXPECT_TRUE(log[0].starts_with(R"(>{"type":"error","detail":")")) << log[0];
        EXPECT_TRUE(log[1].starts_with("complain: ")) << log[1];
    }
}

TEST_F(PlainProtocol, ErrorsAreTenASecond) {
    opened();
    const std::string bad[] = {R"({"type":"barge-in"})",
                               R"({"type":"speech","state":"x"})",
                               R"({"type":"transfer","target":""})",
                               R"({"type":"dtmf","digits":"1x"})",
                               R"({"type":"dtmf"})",
                               R"({"type":"prompt"})",
                               R"({"type":"hold"})",
                               R"({"type":"hangup","id":")" + std::string(600, 'x') + "\"}"};
    bot_->on_tick(base::kNsPerS);
    std::size_t errors = 0;
    for (int i = 0; i < 5; ++i)
        for (const std::string& text : bad)
            for (const std::string& line : after(text)) errors += line[0] == '>' ? 1U : 0U;
    EXPECT_EQ(errors, 10U);
    EXPECT_TRUE(host_.requests_.empty());
    bot_->on_tick(2 * base::kNsPerS);
    EXPECT_EQ(after(bad[0])[0],
              R"(>{"type":"error","detail":"barge-in needs \"accept\", true or false"})");
}

TEST_F(PlainProtocol, TellsWhatHappens) {
    opened();
    bot_->on_digit('#', 120);
    bot_->on_mark("m1", BotProtocol::MarkEnd::Played, 19752);
    bot_->on_mark("m2", BotProtocol::MarkEnd::Cleared, 16000);
    bot_->on_mark("m3", BotProtocol::MarkEnd::Lost, 0);
    bot_->on_dropped(16000, 24000);
    host_.given_ = host_.played_ = 32000;
    bot_->on_drained();
    bot_->on_barge_in(8000);
    bot_->on_caller_speech(true, 1600);
    bot_->on_caller_speech(false, 17600);
    bot_->on_hold(true);
    bot_->on_verb({.verb = BotVerb::Transfer, .correlation = "t1"}, "180 Ringing", "");
    bot_->on_verb({.verb = BotVerb::Transfer, .correlation = "t1"}, "done", "");
    bot_->on_verb({.verb = BotVerb::HangUp}, "refused", "the route does not allow it");
    bot_->on_end(model::EndReason::CallerHangup);
    EXPECT_EQ(
        host_.take(),
        (Log{
            R"(>{"type":"dtmf","digit":"#","duration_ms":120})",
            R"(>{"type":"mark","name":"m1","state":"played","played_ms":1234.5})",
            R"(>{"type":"mark","name":"m2","state":"cleared","played_ms":1000})",
            R"(>{"type":"mark","name":"m3","state":"lost","played_ms":0})",
            R"(>{"type":"dropped","from_ms":1000,"to_ms":1500})",
            R"(>{"type":"drained","played_ms":2000})",
            R"(>{"type":"barge-in","played_ms":500})",
            R"(>{"type":"speech","state":"started","at_ms":100})",
            R"(>{"type":"speech","state":"stopped","at_ms":1100})",
            R"(>{"type":"hold","held":true})",
            R"(>{"type":"verb","verb":"transfer","id":"t1","state":"progress","detail":"180 Ringing"})",
            R"(>{"type":"verb","verb":"transfer","id":"t1","state":"done","detail":""})",
            R"(>{"type":"verb","verb":"hang-up","id":"","state":"refused","detail":"the route does not allow it"})",
            R"(>{"type":"stop","reason":"caller-hangup"})"}));
}

TEST_F(PlainProtocol, SaysHowFarItHasPlayedWhileItPlays) {
    opened();
    host_.given_ = 160'000;
    Log told;
    for (int ms = 0; ms <= 1000; ms += 10) {
        if (ms <= 500) host_.played_ = static_cast<std::uint64_t>(ms) * 16;
        bot_->on_tick((5000 + ms) * base::kNsPerMs);
        for (std::string& line : host_.take()) told.push_back(std::move(line));
    }
    EXPECT_EQ(told,
              (Log{R"(>{"type":"played-to","ms":10})",
                   R"(>{"type":"played-to","ms":210})",
                   R"(>{"type":"played-to","ms":410})",
                   R"(>{"type":"played-to","ms":500})"}));
}

}  // namespace
}  // namespace offhook::ai
