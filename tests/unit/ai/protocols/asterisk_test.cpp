#include "ai/protocols/asterisk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "fake_host.h"

namespace offhook::ai {
namespace {

using ::testing::ElementsAre;
using testing::FakeHost;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kStart =
    "MEDIA_START connection_id:c-0123456789ab channel:WebSocket/my-bot/c-0123456789ab "
    "channel_id:c-0123456789ab format:ulaw optimal_frame_size:160 ptime:20";

class AsteriskTest : public ::testing::Test {
protected:
    FakeHost host_;
    std::unique_ptr<BotProtocol> bot_;

    AsteriskTest() {
        host_.bot.ai.name = "my bot";
        host_.bot.ai.protocol = config::AiProtocol::Asterisk;
        host_.bot.ai.url = "ws://bot:9000/media";
    }
    void start() {
        bot_ = make_protocol(host_);
        ASSERT_NE(bot_, nullptr);
        host_.protocol = bot_.get();
        bot_->on_open({});
        host_.take();
    }
    void sound(std::size_t n, unsigned char value = 0x55) {
        bot_->on_binary(std::vector<std::byte>(n, std::byte{value}));
    }
    /// Ten milliseconds, twice.
    void tick() {
        bot_->on_tick(0);
        bot_->on_tick(10'000'000);
    }
};

TEST_F(AsteriskTest, TheFirstWordIsMediaStart) {
    bot_ = make_protocol(host_);
    bot_->on_open({});
    EXPECT_THAT(host_.said, ElementsAre(kStart, "[ready]"));
    EXPECT_EQ(bot_->sample_rate_hz(), 8000U);
    EXPECT_EQ(bot_->on_close(), OnClose::HangUp);
}

TEST_F(AsteriskTest, OpensWithTheSubprotocolAndTheParametersAsQuery) {
    host_.facts.parameters = {{"caller", "+49 30/1"}, {"id", "a&b"}};
    bot_ = make_protocol(host_);
    EXPECT_EQ(bot_->opening().subprotocol, "media");
    EXPECT_EQ(bot_->opening().url, "ws://bot:9000/media?caller=%2B49%2030%2F1&id=a%26b");
    host_.bot.ai.url = "ws://bot/?a=1";
    EXPECT_EQ(bot_->opening().url, "ws://bot/?a=1&caller=%2B49%2030%2F1&id=a%26b");
}

TEST_F(AsteriskTest, FormatsAreNamedAsInAsterisk) {
    struct Row {
        const char* encoding;
        int rate;
        const char* words;
        std::uint32_t sample_rate;
    };
    for (const Row& row : {Row{"", 0, "format:ulaw optimal_frame_size:160 ", 8000},
                           Row{"", 8000, "format:ulaw optimal_frame_size:160 ", 8000},
                           Row{"pcmu", 0, "format:ulaw optimal_frame_size:160 ", 8000},
                           Row{"pcma", 0, "format:alaw optimal_frame_size:160 ", 8000},
                           Row{"pcm", 8000, "format:slin optimal_frame_size:320 ", 8000},
                           Row{"pcm", 0, "format:slin16 optimal_frame_size:640 ", 16000},
                           Row{"", 16000, "format:slin16 optimal_frame_size:640 ", 16000},
                           Row{"pcm", 24000, "format:slin24 optimal_frame_size:960 ", 24000}}) {
        host_.bot.ai.encoding = row.encoding;
        host_.bot.ai.sample_rate_hz = row.rate;
        bot_ = make_protocol(host_);
        bot_->on_open({});
        EXPECT_THAT(host_.take().front(), HasSubstr(row.words));
        EXPECT_EQ(bot_->sample_rate_hz(), row.sample_rate);
    }
}

TEST_F(AsteriskTest, JsonCarriesTheVariables) {
    host_.bot.ai.control = "json";
    host_.facts.parameters = {{"topic", "a \"b\""}};
    bot_ = make_protocol(host_);
    bot_->on_open({.attempt = 2,
                   .gap_ms = 1500.4,
                   .played_ms = 4000,
                   .replay_ms = 900,
                   .marks = {"m1", "m2"},
                   .dropped = {"m3"}});
    EXPECT_EQ(host_.said.front(),
              R"({"event":"MEDIA_START","connection_id":"c-0123456789ab",)"
              R"("channel":"WebSocket/my-bot/c-0123456789ab","channel_id":"c-0123456789ab",)"
              R"("format":"ulaw","optimal_frame_size":160,"ptime":20,"channel_variables":{)"
              R"("topic":"a \"b\"","MEDIA_WEBSOCKET_CONNECTION_ID":"c-0123456789ab",)"
              R"("MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE":"160","OFFHOOK_DIRECTION":"inbound",)"
              R"("OFFHOOK_FROM":"100","OFFHOOK_TO":"200","OFFHOOK_ATTEMPT":"2",)"
              R"("OFFHOOK_GAP_MS":"1500","OFFHOOK_PLAYED_MS":"4000","OFFHOOK_REPLAY_MS":"900",)"
              R"("OFFHOOK_MARKS":"m1,m2","OFFHOOK_DROPPED":"m3"}})");
}

TEST_F(AsteriskTest, TheCallerIsRawBytes) {
    start();
    bot_->on_frame(std::vector<std::int16_t>(160, 0), {});
    ASSERT_EQ(host_.bytes.size(), 1U);
    EXPECT_EQ(host_.bytes[0], std::vector<std::byte>(160, std::byte{0xff}));
    host_.bot.ai.encoding = "pcm";
    start();
    bot_->on_frame(std::vector<std::int16_t>{1, -2, 0x1234}, {});
    EXPECT_EQ(testing::hex(host_.bytes[1]), "01 00 fe ff 34 12");
}

TEST_F(AsteriskTest, WithoutBufferingWhatFillsNoFrameIsDropped) {
    start();
    sound(170);
    EXPECT_EQ(host_.given(), 160U);
    sound(150);
    sound(10);
    EXPECT_EQ(host_.given(), 160U);
    sound(480);
    EXPECT_EQ(host_.given(), 640U);
    EXPECT_THAT(host_.said, IsEmpty());
}

TEST_F(AsteriskTest, BufferingKeepsTheRestAndPadsTheLast) {
    start();
    bot_->on_text("START_MEDIA_BUFFERING");
    std::size_t sent = 0;
    for (const std::size_t n : {7U, 100U, 300U, 1U, 159U}) {
        sound(n);
        sent += n;
        EXPECT_EQ(host_.given(), sent / 160 * 160) << sent;
    }
    bot_->on_text("STOP_MEDIA_BUFFERING greeting 1");
    EXPECT_EQ(host_.given(), 640U);
    // 567 bytes of one level, then silence.
    EXPECT_NE(host_.heard[566], 0);
    EXPECT_EQ(host_.heard[567], 0);
    EXPECT_THAT(host_.said, IsEmpty());
    host_.leave(639);
    EXPECT_THAT(host_.said, IsEmpty());
    host_.leave(1);
    EXPECT_THAT(host_.take(), ElementsAre("MEDIA_BUFFERING_COMPLETED greeting 1"));
    bot_->on_text("STOP_MEDIA_BUFFERING");
    EXPECT_THAT(host_.take(), ElementsAre("MEDIA_BUFFERING_COMPLETED"));
}

TEST_F(AsteriskTest, AMarkComesBackWhenWhatWasBeforeItHasLeft) {
    start();
    bot_->on_text("MARK_MEDIA first");
    EXPECT_THAT(host_.take(), ElementsAre("MEDIA_MARK_PROCESSED first"));
    sound(320);
    bot_->on_text("MARK_MEDIA second");
    bot_->on_text("MARK_MEDIA");
    sound(160);
    host_.leave(319);
    EXPECT_THAT(host_.take(), IsEmpty());
    host_.leave(1);
    EXPECT_THAT(host_.take(), ElementsAre("MEDIA_MARK_PROCESSED second", "MEDIA_MARK_PROCESSED"));
}

TEST_F(AsteriskTest, AFlushTakesMarksWithoutAWordAndEndsBulkAndPause) {
    start();
    bot_->on_text("START_MEDIA_BUFFERING");
    bot_->on_text("PAUSE_MEDIA");
    sound(1000);
    bot_->on_text("MARK_MEDIA lost");
    bot_->on_text("FLUSH_MEDIA");
    EXPECT_THAT(host_.take(), ElementsAre("[pause]", "[clear]", "[resume]"));
    EXPECT_EQ(host_.queued(), 0U);
    bot_->on_text("GET_STATUS");
    EXPECT_THAT(host_.take(),
                ElementsAre("STATUS channel_id:c-0123456789ab queue_length:0 xon_level:800 "
                            "xoff_level:900 queue_full:false bulk_media:false media_paused:false"));
    sound(120);  // the remainder from before does not complete it
    EXPECT_EQ(host_.queued(), 0U);
}

TEST_F(AsteriskTest, AMarkAfterAFlushOfTheSameNameIsSeen) {
    start();
    sound(160);
    bot_->on_text("MARK_MEDIA m");
    bot_->on_text("FLUSH_MEDIA");
    sound(160);
    bot_->on_text("MARK_MEDIA m");
    host_.take();
    host_.leave(160);
    EXPECT_THAT(host_.take(), ElementsAre("MEDIA_MARK_PROCESSED m"));
}

TEST_F(AsteriskTest, TheQueueSaysStopAndGo) {
    start();
    sound(160 * 899);
    EXPECT_THAT(host_.take(), IsEmpty());
    sound(160);
    EXPECT_THAT(host_.take(), ElementsAre("MEDIA_XOFF"));
    sound(160 * 99);
    EXPECT_THAT(host_.take(), IsEmpty());
    EXPECT_EQ(host_.queued(), 160U * 999);
    sound(160 * 20);  // a message that begins below the limit is taken whole
    EXPECT_EQ(host_.queued(), 160U * 1019);
    sound(160);  // dropped, without a word to the bot
    EXPECT_EQ(host_.queued(), 160U * 1019);
    EXPECT_THAT(host_.take(), IsEmpty());
    EXPECT_EQ(host_.complaints.size(), 1U);
    host_.leave(160 * 219);
    tick();
    EXPECT_THAT(host_.take(), IsEmpty());
    host_.leave(160);
    tick();
    tick();
    EXPECT_THAT(host_.take(), ElementsAre("MEDIA_XON"));
}

TEST_F(AsteriskTest, LevelsShrinkWithTheQueue) {
    host_.bot.ai.queue_s = 10;
    start();
    sound(160 * 450);
    bot_->on_text("GET_STATUS");
    EXPECT_THAT(host_.take(),
                ElementsAre("MEDIA_XOFF",
                            "STATUS channel_id:c-0123456789ab queue_length:450 xon_level:400 "
                            "xoff_level:450 queue_full:true bulk_media:false media_paused:false"));
    sound(160 * 400);  // no more than fits
    EXPECT_EQ(host_.queued(), 160U * 500);
}

TEST_F(AsteriskTest, DrainedIsToldOnceAtTheNextEmptyTick) {
    start();
    sound(320);
    bot_->on_text("REPORT_QUEUE_DRAINED");
    tick();
    EXPECT_THAT(host_.take(), IsEmpty());
    host_.leave(320);
    tick();
    tick();
    EXPECT_THAT(host_.take(), ElementsAre("QUEUE_DRAINED"));
    bot_->on_text("PAUSE_MEDIA");
    bot_->on_text("REPORT_QUEUE_DRAINED");
    tick();
    EXPECT_THAT(host_.take(), ElementsAre("[pause]"));
    bot_->on_text("CONTINUE_MEDIA");
    tick();
    EXPECT_THAT(host_.take(), ElementsAre("[resume]", "QUEUE_DRAINED"));
}

TEST_F(AsteriskTest, DirectionsAreTheBots) {
    start();
    bot_->on_text("SET_MEDIA_DIRECTION in");
    sound(160);
    EXPECT_EQ(host_.given(), 0U);
    bot_->on_text("MARK_MEDIA m");
    EXPECT_THAT(host_.take(),
                ElementsAre("ERROR channel_id:c-0123456789ab error_text:MARK_MEDIA not supported "
                            "while media direction is 'in'"));
    bot_->on_text("SET_MEDIA_DIRECTION out");
    sound(160);
    EXPECT_EQ(host_.given(), 160U);
    bot_->on_frame(std::vector<std::int16_t>(160), {});
    EXPECT_THAT(host_.bytes, IsEmpty());
    bot_->on_text("SET_MEDIA_DIRECTION both");
    bot_->on_frame(std::vector<std::int16_t>(160), {});
    EXPECT_EQ(host_.bytes.size(), 1U);
    bot_->on_text("SET_MEDIA_DIRECTION up");
    EXPECT_THAT(host_.take(), ElementsAre(HasSubstr("ERROR channel_id:c-0123456789ab")));
}

TEST_F(AsteriskTest, HangUpIsAskedForAndARefusalIsAnEvent) {
    start();
    bot_->on_text(" HANGUP\n");
    EXPECT_THAT(host_.take(), ElementsAre("[hang-up]"));
    bot_->on_verb(host_.requests[0], "refused", "the route does not allow it");
    EXPECT_THAT(host_.take(),
                ElementsAre("ERROR channel_id:c-0123456789ab error_text:HANGUP refused: the route "
                            "does not allow it"));
    bot_->on_text("ANSWER");
    bot_->on_verb(host_.requests[0], "done", "");
    EXPECT_THAT(host_.take(), IsEmpty());
}

TEST_F(AsteriskTest, JsonCommandsAndEvents) {
    host_.bot.ai.control = "json";
    start();
    bot_->on_text(R"({ "command" : "MARK_MEDIA",  "correlation_id":"greeting-1"})");
    bot_->on_text(R"({"command":"STOP_MEDIA_BUFFERING"})");
    bot_->on_text(R"({"command":"REPORT_QUEUE_DRAINED"})");
    tick();
    bot_->on_digit('#', 80);
    bot_->on_text(R"({"command":"GET_STATUS"})");
    bot_->on_text(R"({"command":"SET_MEDIA_DIRECTION","direction":"in"})");
    bot_->on_text(R"({"command":"PAUSE_MEDIA"})");
    bot_->on_text(R"({"command":)");
    EXPECT_THAT(
        host_.take(),
        ElementsAre(
            R"({"event":"MEDIA_MARK_PROCESSED","channel_id":"c-0123456789ab","correlation_id":"greeting-1"})",
            R"({"event":"MEDIA_BUFFERING_COMPLETED","channel_id":"c-0123456789ab","correlation_id":""})",
            R"({"event":"QUEUE_DRAINED","channel_id":"c-0123456789ab"})",
            R"({"event":"DTMF_END","channel_id":"c-0123456789ab","digit":"#"})",
            R"({"event":"STATUS","channel_id":"c-0123456789ab","queue_length":0,"xon_level":800,)"
            R"("xoff_level":900,"queue_full":false,"bulk_media":false,"media_paused":false})",
            R"({"event":"ERROR","channel_id":"c-0123456789ab","error_text":"PAUSE_MEDIA not supported while media direction is 'in'"})",
            R"({"event":"ERROR","channel_id":"c-0123456789ab","error_text":"Unable to parse JSON command"})"));
}

TEST_F(AsteriskTest, DigitsInPlainText) {
    start();
    bot_->on_digit('5', 120);
    EXPECT_THAT(host_.take(), ElementsAre("DTMF_END digit:5 channel_id:c-0123456789ab"));
}

TEST_F(AsteriskTest, UnknownAndLongCommandsAreIgnored) {
    start();
    bot_->on_text("JUMP\x1b[31m");
    bot_->on_text("mark_media m");
    bot_->on_text("MARK_MEDIA " + std::string(118, 'x'));
    bot_->on_text("");
    bot_->on_text("   ");
    EXPECT_THAT(host_.take(), IsEmpty());
    ASSERT_EQ(host_.complaints.size(), 3U);
    EXPECT_THAT(host_.complaints[0], HasSubstr("JUMP\\x1B[31m"));
    bot_->on_text("MARK_MEDIA " + std::string(117, 'x'));
    EXPECT_EQ(host_.take().size(), 1U);
}

TEST_F(AsteriskTest, ANewConnectionBeginsAnew) {
    start();
    bot_->on_text("START_MEDIA_BUFFERING");
    bot_->on_text("SET_MEDIA_DIRECTION out");
    bot_->on_text("PAUSE_MEDIA");
    sound(100);
    host_.take();
    bot_->on_lost();
    EXPECT_THAT(host_.take(), ElementsAre("[resume]"));
    bot_->on_open({.attempt = 2, .marks = {}, .dropped = {}});
    EXPECT_THAT(host_.take(), ElementsAre(kStart, "[ready]"));
    sound(160);
    EXPECT_EQ(host_.given(), 160U);
    bot_->on_frame(std::vector<std::int16_t>(160), {});
    EXPECT_EQ(host_.bytes.size(), 1U);
}

TEST_F(AsteriskTest, AnInterruptionIsTakenAsOne) {
    start();
    sound(320);
    bot_->on_barge_in(160);
    EXPECT_THAT(host_.take(), ElementsAre("[barge-in]"));
}

TEST_F(AsteriskTest, GarbageDoesNoHarm) {
    const std::vector<std::string> words{
        R"({"command":"MARK_MEDIA","correlation_id":"greeting-1"})",
        R"({"command":"SET_MEDIA_DIRECTION","direction":"both"})",
        "STOP_MEDIA_BUFFERING id",
        "START_MEDIA_BUFFERING",
        "MARK_MEDIA mark",
        "FLUSH_MEDIA",
        "GET_STATUS",
        "PAUSE_MEDIA",
        "CONTINUE_MEDIA",
        "REPORT_QUEUE_DRAINED"};
    start();
    std::mt19937 random(5);
    for (int i = 0; i < 10'000; ++i) {
        std::string text = words[random() % words.size()];
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
            if (text.empty()) text = " ";
        }
        bot_->on_text(text);
        sound(random() % 700);
        if (i % 3 == 0) host_.leave(random() % 1000);
        tick();
        EXPECT_LE(host_.queued(), 160U * 1000 + 700);
        host_.take();
        host_.heard.clear();
    }
}

}  // namespace
}  // namespace offhook::ai
