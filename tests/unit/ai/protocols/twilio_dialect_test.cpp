#include "ai/protocols/twilio_dialect.h"

#include <gtest/gtest.h>

#include "ai/protocols/base64.h"
#include "ai/protocols/message.h"
#include "ai/protocols/twilio_ids.h"
#include "recording_host.h"

namespace offhook::ai {
namespace {

using Log = std::vector<std::string>;
using Samples = std::vector<std::int16_t>;

class Dialects : public testing::Test {
protected:
    RecordingHost host_;
    std::unique_ptr<BotProtocol> bot_;

    void start(const char* dialect) {
        host_.settings_.ai.protocol = config::AiProtocol::Twilio;
        host_.settings_.ai.dialect = dialect;
        bot_ = make_protocol(host_);
        bot_->on_open({});
    }
    /// What was sent, the ids as X.
    Log told() {
        Log out;
        for (const std::string& line : host_.take()) {
            std::string text;
            int hex = 0;
            for (const char c : line + " ") {
                const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
                hex = is_hex ? hex + 1 : 0;
                text += c;
                if (!is_hex) continue;
                if (hex == 32) text.replace(text.size() - 32, 32, "X");
                if (hex > 32) text.pop_back();
            }
            text.pop_back();
            out.push_back(text);
        }
        return out;
    }
};

TEST_F(Dialects, Telnyx) {
    start("telnyx");
    bot_->on_frame(Samples(160), {});
    bot_->on_digit('1', 80);
    bot_->on_mark("m", BotProtocol::MarkEnd::Played, 0);
    bot_->on_end(model::EndReason::CallerHangup);
    Log log = told();
    ASSERT_EQ(log.size(), 7U);
    EXPECT_EQ(log[0], R"(>{"event":"connected","version":"1.0.0"})");
    EXPECT_EQ(log[1],
              R"(>{"event":"start","sequence_number":"1","stream_id":"X","start":{"user_id":"X",)"
              R"("call_control_id":"v3:X","from":"+15550100","to":"100","custom_parameters":{)"
              R"("from":"+15550100","to":"100","call_id":"c-0123456789ab","direction":"inbound"},)"
              R"("media_format":{"encoding":"PCMU","sample_rate":8000,"channels":1}}})");
    EXPECT_EQ(log[2], "ready");
    EXPECT_TRUE(log[3].starts_with(
        R"(>{"event":"media","sequence_number":"2","stream_id":"X","media":{"track":"inbound","chunk":"1","timestamp":"20","payload":")"));
    EXPECT_EQ(log[4],
              R"(>{"event":"dtmf","sequence_number":"3","stream_id":"X","dtmf":{"digit":"1"}})");
    EXPECT_EQ(log[5],
              R"(>{"event":"mark","sequence_number":"4","stream_id":"X","mark":{"name":"m"}})");
    EXPECT_EQ(
        log[6],
        R"(>{"event":"stop","sequence_number":"5","stream_id":"X","stop":{"user_id":"X","call_control_id":"v3:X"}})");
}

TEST_F(Dialects, TelnyxInAlawOrPcm) {
    host_.settings_.ai.encoding = "pcma";
    start("telnyx");
    EXPECT_NE(told()[1].find(R"("encoding":"PCMA","sample_rate":8000)"), std::string::npos);
    host_.settings_.ai.encoding = "pcm";
    host_.settings_.ai.sample_rate_hz = 16000;
    start("telnyx");
    EXPECT_EQ(bot_->sample_rate_hz(), 16000U);
    EXPECT_NE(told()[1].find(R"("encoding":"L16","sample_rate":16000)"), std::string::npos);
    bot_->on_text(R"({"event":"media","media":{"payload":"AgH+/w=="}})");
    EXPECT_EQ(host_.heard_, (Samples{0x0102, -2}));
}

TEST_F(Dialects, ExotelSpeaksInTenthsOfASecond) {
    start("exotel");
    Log log = told();
    EXPECT_EQ(log[0], R"(>{"event":"connected"})");
    EXPECT_EQ(log[1],
              R"(>{"event":"start","sequence_number":"1","stream_sid":"MZX","start":{)"
              R"("stream_sid":"MZX","account_sid":"ACX","call_sid":"CAX","from":"+15550100",)"
              R"("to":"100","custom_parameters":{"from":"+15550100","to":"100",)"
              R"("call_id":"c-0123456789ab","direction":"inbound"},"media_format":{)"
              R"("encoding":"audio/x-raw","sample_rate":"8000","bit_rate":"16"}}})");
    for (int i = 0; i < 10; ++i) bot_->on_frame(Samples(160, 1), {});
    log = told();
    ASSERT_EQ(log.size(), 2U);
    EXPECT_TRUE(log[1].starts_with(
        R"(>{"event":"media","sequence_number":"3","stream_sid":"MZX","media":{"chunk":"2","timestamp":"200","payload":"AQAB)"))
        << log[1];
    EXPECT_EQ(log[1].size() - log[1].find("AQAB") - 3, base64_length(1600));
    bot_->on_digit('5', 90);
    bot_->on_frame(Samples(160, 1), {});
    bot_->on_end(model::EndReason::CallerHangup);
    log = told();
    ASSERT_EQ(log.size(), 3U);
    EXPECT_NE(log[0].find(R"("dtmf":{"digit":"5","duration":"90"})"), std::string::npos);
    EXPECT_NE(log[1].find(R"("timestamp":"220")"), std::string::npos);  // the rest goes before
    EXPECT_NE(log[2].find(R"("reason":"caller-hangup")"), std::string::npos);
}

TEST_F(Dialects, ExotelsRateIsInTheUrl) {
    host_.settings_.ai.sample_rate_hz = 16000;
    start("exotel");
    EXPECT_EQ(bot_->opening().url, "wss://bot.example/media?sample-rate=16000");
    host_.settings_.ai.url += "?a=1";
    EXPECT_EQ(bot_->opening().url, "wss://bot.example/media?a=1&sample-rate=16000");
}

TEST_F(Dialects, SignalWireIsTwilio) {
    start("signalwire");
    const Log signalwire = told();
    start("twilio");
    EXPECT_EQ(signalwire, told());
    start("no such");
    EXPECT_EQ(signalwire, told());
}

TEST_F(Dialects, ADialectKeepsItsEncodingWhereItHasNotTheOtherOne) {
    host_.settings_.ai.encoding = "pcma";
    start("exotel");
    EXPECT_NE(told()[1].find(R"("encoding":"audio/x-raw")"), std::string::npos);
}

TEST_F(Dialects, Jambonz) {
    host_.settings_.ai.sample_rate_hz = 16000;
    host_.call_.parameters = {{"shop", "7"}};
    start("jambonz");
    EXPECT_EQ(bot_->opening().subprotocol, "audio.jambonz.org");
    EXPECT_EQ(
        told(),
        (Log{R"(>{"callSid":"X","accountSid":"X","direction":"inbound","from":"+15550100",)"
             R"("to":"100","callId":"c-0123456789ab","callStatus":"in-progress","sipStatus":200,)"
             R"("sampleRate":16000,"mixType":"mono","metadata":{"shop":"7"}})",
             "ready"}));
    bot_->on_frame(Samples(320, 1), {});
    bot_->on_digit('2', 1600);
    bot_->on_mark("m", BotProtocol::MarkEnd::Played, 0);
    bot_->on_mark("n", BotProtocol::MarkEnd::Cleared, 0);
    EXPECT_EQ(told(),
              (Log{">640 bytes",
                   R"(>{"event":"dtmf","dtmf":"2","duration":"1600"})",
                   R"(>{"type":"mark","data":{"name":"m","event":"playout"}})",
                   R"(>{"type":"mark","data":{"name":"n","event":"cleared"}})"}));
}

TEST_F(Dialects, JambonzCommands) {
    start("jambonz");
    host_.take();
    const std::byte sound[] = {std::byte{1}, std::byte{0}, std::byte{2}, std::byte{0}};
    bot_->on_binary(sound);
    bot_->on_text(R"({"type":"mark","data":{"name":"m"}})");
    bot_->on_text(R"({"type":"killAudio"})");
    bot_->on_text(R"({"type":"clearMarks"})");
    bot_->on_text(R"({"type":"disconnect"})");
    EXPECT_EQ(told(), (Log{"play 2", "mark m", "clear", "ask hang-up "}));
    bot_->on_text(
        R"({"type":"playAudio","data":{"audioContent":"AwAEAA==","audioContentType":"raw","sampleRate":8000,"id":"p1"}})");
    EXPECT_EQ(host_.heard_, (Samples{1, 2, 3, 4}));
    const Log log = host_.take();
    ASSERT_EQ(log.size(), 2U);
    bot_->on_mark(log[1].substr(5), BotProtocol::MarkEnd::Played, 4);
    EXPECT_EQ(told(), Log{R"(>{"type":"playDone","data":{"id":"p1"}})"});
    for (const char* text :
         {"{}",
          "x",
          R"({"type":"dance"})",
          R"({"type":"mark"})",
          R"({"type":"playAudio"})",
          R"({"type":"playAudio","data":{"audioContent":"AA==","sampleRate":24000}})",
          R"({"type":"playAudio","data":{"audioContent":"AA==","audioContentType":"mp3"}})"}) {
        bot_->on_text(text);
        const Log complaint = host_.take();
        ASSERT_EQ(complaint.size(), 1U) << text;
        EXPECT_TRUE(complaint[0].starts_with("complain: "));
    }
}

}  // namespace
}  // namespace offhook::ai
