#include "ai/protocols/openai.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ai/protocols/base64.h"
#include "fake_host.h"

namespace offhook::ai {
namespace {

using ::testing::ElementsAre;
using testing::FakeHost;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kCreate = R"({"type":"response.create","event_id":"offhook-response"})";
constexpr std::int64_t kMs = 1'000'000;

class OpenAiTest : public ::testing::Test {
protected:
    FakeHost host_;
    std::unique_ptr<BotProtocol> bot_;
    std::int64_t now_ns_ = 1'000 * kMs;

    OpenAiTest() {
        host_.bot.ai.protocol = config::AiProtocol::OpenAi;
        host_.bot.ai.url = "wss://api.example/v1/realtime?model=m";
        host_.bot.ai.session.greets = false;
    }
    void make() {
        bot_ = make_protocol(host_);
        ASSERT_NE(bot_, nullptr);
        host_.protocol = bot_.get();
    }
    void open() {
        bot_->on_open({});
        pass(10);
        bot_->on_text(R"({"type":"session.created","event_id":"e1","session":{"id":"s"}})");
        bot_->on_text(R"({"type":"session.updated","event_id":"e2","session":{}})");
    }
    void live() {
        make();
        open();
        host_.take();
    }
    void pass(std::int64_t ms) {
        for (; ms > 0; ms -= 10) bot_->on_tick(now_ns_ += 10 * kMs);
    }
    void sound(const std::string& item,
               std::size_t bytes,
               const std::string& response = "r1",
               const char* type = "response.output_audio.delta") {
        std::string base64;
        append_base64(std::vector<std::byte>(bytes, std::byte{0x55}), base64);
        bot_->on_text(std::string(R"({"type":")") + type + R"(","event_id":"e","response_id":")" +
                      response + R"(","item_id":")" + item +
                      R"(","output_index":0,"content_index":0,"delta":")" + base64 + R"("})");
    }
    void respond(const std::string& id = "r1") {
        bot_->on_text(R"({"type":"response.created","response":{"id":")" + id + R"("}})");
    }
    void done(const std::string& id = "r1", const std::string& status = "completed") {
        bot_->on_text(R"({"type":"response.done","response":{"id":")" + id + R"(","status":")" +
                      status + R"(","output":[]}})");
    }
    void starts() {
        bot_->on_text(
            R"({"type":"input_audio_buffer.speech_started","audio_start_ms":10,"item_id":"u"})");
    }
    void stops() {
        bot_->on_text(
            R"({"type":"input_audio_buffer.speech_stopped","audio_end_ms":90,"item_id":"u"})");
    }
    void error(const std::string& fields) {
        bot_->on_text(R"({"type":"error","event_id":"e","error":{)" + fields + "}}");
    }
};

TEST_F(OpenAiTest, GaSessionIsConfiguredBeforeTheFirstSound) {
    host_.bot.instructions = "Be \"short\".";
    host_.bot.ai.session.greets = true;
    host_.bot.may_transfer = true;
    make();
    EXPECT_THAT(bot_->opening().headers, IsEmpty());
    EXPECT_EQ(bot_->opening().url, host_.bot.ai.url);
    EXPECT_EQ(bot_->on_close(), OnClose::Reconnect);
    EXPECT_EQ(bot_->sample_rate_hz(), 8000U);
    bot_->on_open({});
    EXPECT_THAT(host_.said, IsEmpty());
    bot_->on_text(R"({"type":"session.created","session":{}})");
    EXPECT_THAT(
        host_.take(),
        ElementsAre(
            R"({"type":"session.update","event_id":"offhook-session","session":{"type":"realtime",)"
            R"("output_modalities":["audio"],"instructions":"Be \"short\".",)"
            R"("audio":{"input":{"format":{"type":"audio/pcmu"},)"
            R"("transcription":{"model":"gpt-4o-mini-transcribe"},"turn_detection":)"
            R"({"type":"server_vad","create_response":true,"interrupt_response":true}},)"
            R"("output":{"format":{"type":"audio/pcmu"},"voice":"marin"}},)"
            R"("tools":[{"type":"function","name":"transfer","description":"Hand the caller over to somebody else.",)"
            R"("parameters":{"type":"object","properties":{"target":{"type":"string",)"
            R"("description":"Extension, phone number or SIP URI."}},"required":["target"]}}],)"
            R"("tool_choice":"auto"}})"));
    bot_->on_text(R"({"type":"session.updated","session":{}})");
    EXPECT_THAT(host_.take(), ElementsAre(kCreate, "[ready]"));
    bot_->on_frame(std::vector<std::int16_t>{0, 0, 0}, {});
    EXPECT_THAT(host_.take(),
                ElementsAre(R"({"type":"input_audio_buffer.append","audio":"////"})"));
}

TEST_F(OpenAiTest, BetaHasItsOwnNames) {
    host_.bot.ai.session.beta = true;
    host_.bot.ai.session.transcription = "";
    host_.bot.ai.session.turn_detection = "semantic_vad";
    host_.bot.ai.encoding = "pcma";
    host_.bot.barge_in = BargeInPolicy::Off;
    make();
    EXPECT_THAT(bot_->opening().headers,
                ElementsAre(std::pair<std::string, std::string>("OpenAI-Beta", "realtime=v1")));
    bot_->on_open({});
    bot_->on_text(R"({"type":"session.created"})");
    EXPECT_THAT(
        host_.take(),
        ElementsAre(R"({"type":"session.update","event_id":"offhook-session","session":{)"
                    R"("modalities":["text","audio"],"input_audio_format":"g711_alaw",)"
                    R"("output_audio_format":"g711_alaw","turn_detection":{"type":"semantic_vad",)"
                    R"("create_response":true,"interrupt_response":false},"voice":"marin"}})"));
    bot_->on_text(R"({"type":"session.updated"})");
    sound("i1", 160, "r1", "response.audio.delta");
    EXPECT_EQ(host_.given(), 160U);
}

TEST_F(OpenAiTest, PcmIsAt24kHz) {
    host_.bot.ai.encoding = "pcm";
    host_.bot.ai.session.turn_detection = "none";
    make();
    EXPECT_EQ(bot_->sample_rate_hz(), 24000U);
    bot_->on_open({});
    bot_->on_text(R"({"type":"session.created"})");
    EXPECT_THAT(host_.take().at(0),
                ::testing::AllOf(HasSubstr(R"("format":{"type":"audio/pcm","rate":24000})"),
                                 HasSubstr(R"("turn_detection":null)")));
    bot_->on_text(R"({"type":"session.updated"})");
    // A sample may be cut between two messages.
    sound("i1", 3);
    sound("i1", 3);
    EXPECT_EQ(host_.heard, (std::vector<std::int16_t>{0x5555, 0x5555, 0x5555}));
    sound("i1", 1);
    sound("i2", 2);
    EXPECT_EQ(host_.given(), 4U);
}

TEST_F(OpenAiTest, AnInterruptionIsTruncatedAtWhatWasHeard) {
    live();
    respond();
    sound("i1", 8000);
    host_.leave(1237);
    starts();
    EXPECT_THAT(
        host_.take(),
        ElementsAre(
            "[caller speaks]",
            "[clear]",
            R"({"type":"conversation.item.truncate","item_id":"i1","content_index":0,"audio_end_ms":154})"));
    sound("i1", 800);        // of the item that is cut
    sound("i2", 800);        // of the response that is cancelled
    sound("i3", 800, "r2");  // of another one
    EXPECT_EQ(host_.given(), 8800U);
    done("r1", "cancelled");
    stops();
    EXPECT_THAT(host_.take(), ElementsAre("[caller stops]"));
}

TEST_F(OpenAiTest, ItemsThatWereNotHeardAtAllAreTruncatedToNothing) {
    live();
    respond();
    sound("i0", 1600);
    sound("i1", 1600);
    sound("i2", 1600);
    done();
    host_.leave(1600 + 1599);
    pass(10);
    starts();
    EXPECT_THAT(
        host_.take(),
        ElementsAre(
            "[caller speaks]",
            "[clear]",
            R"({"type":"conversation.item.truncate","item_id":"i1","content_index":0,"audio_end_ms":199})",
            R"({"type":"conversation.item.truncate","item_id":"i2","content_index":0,"audio_end_ms":0})"));
}

TEST_F(OpenAiTest, NothingIsTruncatedWhenNothingPlays) {
    live();
    respond();
    sound("i1", 800);
    done();
    host_.leave(800);
    starts();
    EXPECT_THAT(host_.take(), ElementsAre("[caller speaks]"));
}

TEST_F(OpenAiTest, ARouteWithoutBargeInPlaysOn) {
    host_.bot.barge_in = BargeInPolicy::Off;
    live();
    respond();
    sound("i1", 800);
    starts();
    EXPECT_THAT(host_.take(), ElementsAre("[caller speaks]"));
    sound("i1", 800);
    EXPECT_EQ(host_.queued(), 1600U);
}

TEST_F(OpenAiTest, OurDetectorAsksTheirs) {
    host_.bot.barge_in = BargeInPolicy::Detect;
    live();
    respond();
    sound("i1", 8000);
    host_.leave(800);
    bot_->on_barge_in(800);
    pass(500);
    EXPECT_THAT(host_.take(), IsEmpty());
    starts();
    EXPECT_THAT(
        host_.take(),
        ElementsAre(
            "[caller speaks]",
            "[barge-in]",
            R"({"type":"response.cancel","event_id":"offhook-cancel","response_id":"r1"})",
            R"({"type":"conversation.item.truncate","item_id":"i1","content_index":0,"audio_end_ms":100})"));
    error(R"("type":"invalid_request_error","code":"response_cancel_not_active","message":"x")");
    EXPECT_THAT(host_.complaints, IsEmpty());
}

TEST_F(OpenAiTest, WhatTheirDetectorDoesNotHearIsTakenBack) {
    host_.bot.barge_in = BargeInPolicy::Detect;
    live();
    sound("i1", 8000);
    bot_->on_barge_in(0);
    pass(820);
    EXPECT_THAT(host_.take(), ElementsAre("[no barge-in]"));
    bot_->on_barge_in(0);
    bot_->on_lost();
    EXPECT_THAT(host_.take(), ElementsAre("[no barge-in]"));
}

TEST_F(OpenAiTest, WithoutTheirDetectorOursEndsTheTurn) {
    host_.bot.ai.session.turn_detection = "none";
    host_.bot.barge_in = BargeInPolicy::Detect;
    live();
    bot_->on_caller_speech(true, 100);
    bot_->on_caller_speech(false, 900);
    EXPECT_THAT(host_.take(), ElementsAre(R"({"type":"input_audio_buffer.commit"})", kCreate));
}

TEST_F(OpenAiTest, DigitsAreOneLineOfText) {
    live();
    bot_->on_digit('1', 100);
    pass(1000);
    bot_->on_digit('2', 100);
    pass(1000);
    EXPECT_THAT(host_.take(), IsEmpty());
    pass(600);
    EXPECT_THAT(
        host_.take(),
        ElementsAre(
            R"({"type":"conversation.item.create","item":{"id":"offhook_1","type":"message",)"
            R"("role":"user","content":[{"type":"input_text","text":"The caller pressed these keys of the phone: 12"}]}})",
            kCreate));
    respond();
    bot_->on_digit('9', 100);
    bot_->on_digit('#', 100);
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("of the phone: 9#")));
    done();
    EXPECT_THAT(host_.take(), ElementsAre(kCreate));
}

TEST_F(OpenAiTest, FunctionsAreVerbsAndTheirEndIsTold) {
    host_.bot.may_transfer = true;
    live();
    respond();
    bot_->on_text(
        R"({"type":"response.output_item.done","response_id":"r1","item":{"type":"function_call","id":"f","name":"transfer","call_id":"c1","arguments":"{\"target\":\"200\"}"}})");
    bot_->on_text(
        R"({"type":"response.function_call_arguments.done","name":"transfer","call_id":"c1","arguments":"{\"target\":\"200\"}"})");
    EXPECT_THAT(host_.take(), IsEmpty());
    bot_->on_text(
        R"({"type":"response.done","response":{"id":"r1","status":"completed","output":[)"
        R"({"type":"function_call","name":"transfer","call_id":"c1","arguments":"{\"target\":\"200\"}"},)"
        R"({"type":"function_call","name":"send_digits","call_id":"c2","arguments":"{\"digits\":\"5\"}"},)"
        R"({"type":"function_call","name":"format_disk","call_id":"c3","arguments":"{}"}]}})");
    EXPECT_THAT(
        host_.take(),
        ElementsAre(
            "[transfer 200 #c1 after speech]",
            "[dtmf 5 #c2]",
            R"({"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"c3",)"
            R"("output":"{\"status\":\"refused\",\"detail\":\"there is no such function, or not so\"}"}})",
            kCreate));
    respond("r2");
    bot_->on_verb(host_.requests[1], "refused", "not allowed");
    bot_->on_verb(host_.requests[0], "180 Ringing", "");
    bot_->on_verb(host_.requests[0], "done", "");
    bot_->on_verb(host_.requests[0], "done", "");
    EXPECT_THAT(
        host_.take(),
        ElementsAre(
            R"({"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"c2",)"
            R"("output":"{\"status\":\"refused\",\"detail\":\"not allowed\"}"}})",
            R"({"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"c1",)"
            R"("output":"{\"status\":\"done\"}"}})"));
    done("r2");
    EXPECT_THAT(host_.take(), ElementsAre(kCreate));
}

TEST_F(OpenAiTest, FunctionsOfACancelledResponseAreNotRun) {
    live();
    respond();
    bot_->on_text(
        R"({"type":"response.output_item.done","item":{"type":"function_call","name":"hang_up","call_id":"c1","arguments":"{}"}})");
    done("r1", "cancelled");
    respond("r2");
    done("r2");
    EXPECT_THAT(host_.requests, IsEmpty());
}

TEST_F(OpenAiTest, TheNextSessionIsToldWhatWasSaid) {
    live();
    bot_->on_text(
        R"({"type":"conversation.item.added","item":{"id":"u1","type":"message","role":"user","content":[]}})");
    respond();
    bot_->on_text(
        R"({"type":"conversation.item.added","item":{"id":"a1","type":"message","role":"assistant","content":[]}})");
    bot_->on_text(
        R"({"type":"response.output_audio_transcript.delta","item_id":"a1","delta":"It is "})");
    sound("a1", 1600);
    bot_->on_text(
        R"({"type":"response.output_audio_transcript.done","item_id":"a1","transcript":"It is ten past four."})");
    bot_->on_text(
        R"({"type":"conversation.item.input_audio_transcription.completed","item_id":"u1","transcript":"What time is it?"})");
    done();
    host_.leave(800);
    starts();
    bot_->on_hold(true);
    host_.take();
    bot_->on_lost();
    EXPECT_THAT(host_.take(), ElementsAre("[caller stops]"));
    open();
    const auto said = host_.take();
    ASSERT_EQ(said.size(), 5U);
    EXPECT_EQ(
        said[1],
        R"({"type":"conversation.item.create","item":{"id":"offhook_2","type":"message","role":"user",)"
        R"("content":[{"type":"input_text","text":"What time is it?"}]}})");
    EXPECT_EQ(
        said[2],
        R"({"type":"conversation.item.create","item":{"id":"offhook_3","type":"message","role":"assistant",)"
        R"("content":[{"type":"output_text","text":"It is ten"}]}})");
    EXPECT_EQ(
        said[3],
        R"({"type":"conversation.item.create","item":{"id":"offhook_4","type":"message","role":"system",)"
        R"("content":[{"type":"input_text","text":"The caller is on hold and hears nothing."}]}})");
    EXPECT_EQ(said[4], "[ready]");
    // What the service says of them is not another turn.
    bot_->on_text(
        R"({"type":"conversation.item.added","item":{"id":"offhook_2","type":"message","role":"user","content":[]}})");
    bot_->on_lost();
    open();
    EXPECT_EQ(host_.take().size(), 5U);
}

TEST_F(OpenAiTest, AnAnswerThatWasOwedIsAskedForAgain) {
    live();
    respond();
    bot_->on_lost();
    open();
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("session.update"), kCreate, "[ready]"));
    respond();
    done();
    bot_->on_lost();
    open();
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("session.update"), "[ready]"));
}

TEST_F(OpenAiTest, ASessionIsReplacedInAQuietMoment) {
    host_.bot.ai.session.limit_min = 1;
    live();
    pass(59'900);
    respond();
    pass(2000);
    sound("i1", 1600);
    done();
    pass(1000);
    EXPECT_THAT(host_.take(), IsEmpty());
    host_.leave(1600);
    pass(20);
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("[reconnect: The session nears")));
    bot_->on_lost();
    open();
    host_.take();
    pass(1000);
    EXPECT_THAT(host_.take(), IsEmpty());
    respond();  // and never quiet again
    pass(60'000 + 239'000 - 1000);
    EXPECT_THAT(host_.take(), IsEmpty());
    pass(2000);
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("[reconnect: ")));
}

TEST_F(OpenAiTest, ErrorsAreFinalWhenNothingElseWouldHelp) {
    live();
    error(R"("type":"invalid_request_error","code":"invalid_api_key","message":"No \u0007key")");
    EXPECT_THAT(host_.take(), ElementsAre("[fail for good: The service refuses us: No \\x07key]"));
    make();
    bot_->on_open({});
    bot_->on_text(R"({"type":"session.created"})");
    host_.take();
    error(
        R"("type":"invalid_request_error","code":"unknown_parameter","message":"Unknown parameter: 'session.modalities'.","event_id":"offhook-session")");
    EXPECT_THAT(host_.take(),
                ElementsAre(HasSubstr("[fail for good: The service does not take the session")));
    live();
    error(R"("type":"invalid_request_error","code":"session_expired","message":"Your session")");
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("[reconnect: ")));
    live();
    error(R"("type":"invalid_request_error","code":"x","message":"something else")");
    EXPECT_THAT(host_.take(), IsEmpty());
    EXPECT_THAT(host_.complaints, ElementsAre("says: something else"));
}

TEST_F(OpenAiTest, ARateLimitIsWaitedOut) {
    live();
    const auto fail_once = [&](const char* code) {
        respond();
        bot_->on_text(
            std::string(
                R"({"type":"response.done","response":{"id":"r1","status":"failed","status_details":{"type":"failed","error":{"type":"x","code":")") +
            code + R"("}}}})");
    };
    fail_once("rate_limit_exceeded");
    pass(980);
    EXPECT_THAT(host_.take(), IsEmpty());
    pass(20);
    EXPECT_THAT(host_.take(), ElementsAre(kCreate));
    fail_once("rate_limit_exceeded");
    pass(1980);
    EXPECT_THAT(host_.take(), IsEmpty());
    pass(20);
    EXPECT_THAT(host_.take(), ElementsAre(kCreate));
    error(R"("type":"rate_limit_error","code":"","message":"slow","event_id":"offhook-response")");
    pass(3980);
    EXPECT_THAT(host_.take(), IsEmpty());
    pass(20);
    EXPECT_THAT(host_.take(), ElementsAre(kCreate));
    fail_once("server_error");
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("[fail: The service could not answer")));
    live();
    fail_once("insufficient_quota");
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("[fail for good: ")));
}

TEST_F(OpenAiTest, AResponseThatIsUnderWayIsWaitedFor) {
    live();
    bot_->on_digit('#', 1);
    host_.take();
    error(
        R"("type":"invalid_request_error","code":"conversation_already_has_active_response","message":"x","event_id":"offhook-response")");
    pass(100);
    EXPECT_THAT(host_.take(), IsEmpty());
    done("other");
    EXPECT_THAT(host_.take(), ElementsAre(kCreate));
}

TEST_F(OpenAiTest, AServiceThatSaysNothingIsGivenUp) {
    make();
    bot_->on_open({});
    pass(10'030);
    pass(10'000);
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("[fail: The service did not accept")));
}

TEST_F(OpenAiTest, GarbageDoesNoHarm) {
    host_.bot.ai.encoding = "pcm";
    host_.bot.barge_in = BargeInPolicy::Detect;
    make();
    const std::vector<std::string> events{
        R"({"type":"session.created","session":{}})",
        R"({"type":"session.updated","session":{}})",
        R"({"type":"response.created","response":{"id":"r1"}})",
        R"({"type":"response.output_audio.delta","response_id":"r1","item_id":"i1","content_index":0,"delta":"AAAAAAAAAAAAAAA="})",
        R"({"type":"response.output_audio_transcript.delta","item_id":"i1","delta":"words words words"})",
        R"({"type":"conversation.item.added","item":{"id":"i1","type":"message","role":"assistant"}})",
        R"({"type":"input_audio_buffer.speech_started","item_id":"u"})",
        R"({"type":"input_audio_buffer.speech_stopped","item_id":"u"})",
        R"({"type":"response.output_item.done","item":{"type":"function_call","name":"transfer","call_id":"c1","arguments":"{\"target\":\"200\"}"}})",
        R"({"type":"response.done","response":{"id":"r1","status":"completed","output":[]}})",
        R"({"type":"error","error":{"type":"rate_limit_error","code":"x","message":"y"}})"};
    std::mt19937 random(11);
    for (int i = 0; i < 10'000; ++i) {
        if (i % 50 == 0) {
            bot_->on_lost();
            bot_->on_open({});
            bot_->on_text(events[0]);
            bot_->on_text(events[1]);
        }
        std::string text = events[random() % events.size()];
        for (unsigned n = random() % 4; n > 0; --n) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
                case 0:
                    text[at] = static_cast<char>(random());
                    break;
                case 1:
                    text.erase(at, random() % 8);
                    break;
                default:
                    text.insert(at, text.substr(random() % text.size(), 20));
            }
            if (text.empty()) text = "{}";
        }
        bot_->on_text(text);
        if (random() % 5 == 0) bot_->on_barge_in(host_.played());
        if (random() % 7 == 0) bot_->on_digit('1', 100);
        for (const auto& request : std::exchange(host_.requests, {}))
            bot_->on_verb(request, "done", "");
        host_.leave(random() % 50);
        pass(10);
        EXPECT_LE(host_.take().size(), 100U);
    }
}

}  // namespace
}  // namespace offhook::ai
