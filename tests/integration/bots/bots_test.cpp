#include "bots.h"

#include <cstring>
#include <fstream>
#include <sstream>

namespace offhook::harness {
namespace {

TEST_F(Bots, TwilioToNodesWs) {
    start_node("ws");
    if (!is_started()) return;
    std::ofstream(folder_ / "token") << "12345";
    std::filesystem::permissions(folder_ / "token", std::filesystem::perms::owner_read);
    check("twilio", {"--signature-file", (folder_ / "token").string(), "--parameter", "shop=7"});
    judge_passed();
    EXPECT_EQ(state("interruption"), "ok");
    EXPECT_EQ(state("marks"), "ok");
    EXPECT_NE(find_bytes(judge_stream(0), sweep_bytes(8000, Encoding::Pcmu)), kNowhere);
    judge_second_stream();
    judge_closes();
    EXPECT_NE(texts(0, kConnected)[1].find(R"("customParameters":{"shop":"7",)"),
              std::string::npos);
    // A second of sound stood before the first mark, and the last one went with `clear`.
    const double first_ms = time_got({R"("event":"mark")", R"({"name":"first"})"});
    EXPECT_GE(first_ms - time_of("answer"), 980);
    EXPECT_LE(first_ms - time_of("answer"), 1500);
    const double second_ms = time_got({R"("event":"mark")", R"({"name":"second"})"});
    EXPECT_GE(second_ms, time_of("clear"));
    EXPECT_LE(second_ms - time_of("clear"), 150);
    const std::string signature = run(
        {"sh", "-c", "printf %s '" + url_ + "' | openssl dgst -sha1 -hmac 12345 -binary | base64"});
    EXPECT_NE(log_[0].line.find("\"signature\":\"" + signature.substr(0, signature.find('\n'))),
              std::string::npos)
        << log_[0].line;
    EXPECT_NE(time_got({R"("event":"dtmf")", R"("dtmf":{"track":"inbound_track","digit":"5"})"}),
              NAN);
}

TEST_F(Bots, TwilioToAnNpmPackageThatKeepsTheSound) {
    start_node("saver");
    if (!is_started()) return;
    check("twilio", {"--patience", "1"});
    EXPECT_EQ(exit_code_, 1);  // it says nothing
    EXPECT_EQ(state("sound-of-the-bot"), "failed");
    EXPECT_EQ(state("sound-to-the-bot"), "ok");
    EXPECT_EQ(state("end"), "ok");
    judge_stream(0);
    // The second connection's file took the place of the first: it has what that one heard.
    const Bytes said = judge_stream(1);
    std::ifstream file(folder_ / "said.wav", std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    const std::string wav = content.str();
    constexpr std::size_t kHeader = 58;
    ASSERT_EQ(wav.size(), kHeader + said.size());
    EXPECT_EQ(std::memcmp(wav.data() + kHeader, said.data(), said.size()), 0);
    EXPECT_FALSE(std::isnan(time_of("saved")));
}

TEST_F(Bots, TwilioToOpenAisTransport) {
    start_node("openai");
    if (!is_started()) return;
    check("twilio");
    judge_passed();
    EXPECT_EQ(state("interruption"), "ok");
    judge_stream(0);
    judge_closes();
    // All that the caller said came through the package to the service behind it.
    Bytes appended;
    double played_ms = NAN;
    double since_answer_ms = NAN;
    for (const BotLine& line : log_) {
        const auto entry = Message::read(line.line);
        ASSERT_TRUE(entry);
        Bytes bytes;
        if (const auto audio = entry->text("audio"); audio && ai::decode_base64(*audio, bytes))
            appended.insert(appended.end(), bytes.begin(), bytes.end());
        if (line.note == "truncate") played_ms = entry->number("audio_end_ms").value_or(NAN);
        if (line.note == "speech_started" && std::isnan(since_answer_ms))
            since_answer_ms = entry->number("since_answer").value_or(NAN);
    }
    EXPECT_NE(find_bytes(appended, sweep_bytes(8000, Encoding::Pcmu)), kNowhere);
    // It counts the marks that came back, one for each 100 ms, and adds 50: that is what has really
    // played, of 5 s that it gave in one burst.
    EXPECT_GT(since_answer_ms, 900);
    EXPECT_NEAR(played_ms, since_answer_ms, 250);
}

TEST_F(Bots, TelnyxToNodesWs) {
    start_node("telnyx");
    if (!is_started()) return;
    check("twilio", {"--dialect", "telnyx", "--encoding", "pcma"});
    judge_passed();
    const std::vector<std::string> all = texts(0, R"({"event":"connected")");
    ASSERT_GT(all.size(), 100U);
    EXPECT_EQ(all[0], R"({"event":"connected","version":"1.0.0"})");
    EXPECT_NE(all[1].find(R"("media_format":{"encoding":"PCMA","sample_rate":8000,"channels":1})"),
              std::string::npos)
        << all[1];
    Bytes sound;
    for (std::size_t i = 1; i < all.size(); ++i) {
        const auto message = Message::read(all[i]);
        ASSERT_TRUE(message) << all[i];
        EXPECT_EQ(message->text("sequence_number"), std::to_string(i));
        EXPECT_EQ(message->text("stream_id").value_or("").size(), 36U);
        Bytes bytes;
        const auto payload = message->text("media.payload");
        EXPECT_TRUE(!payload || ai::decode_base64(*payload, bytes));
        sound.insert(sound.end(), bytes.begin(), bytes.end());
    }
    EXPECT_NE(find_bytes(sound, sweep_bytes(8000, Encoding::Pcma)), kNowhere);
    EXPECT_GE(time_got({R"("event":"mark")", R"({"name":"first"})"}) - time_of("answer"), 980);
}

TEST_F(Bots, JambonzToNodesWs) {
    start_node("jambonz");
    if (!is_started()) return;
    check("twilio", {"--dialect", "jambonz", "--parameter", "shop=7"});
    judge_passed();
    EXPECT_EQ(state("interruption"), "ok");
    const std::vector<std::string> all = texts(0, R"({"callSid":)");
    ASSERT_GE(all.size(), 4U);
    EXPECT_NE(all[0].find(R"("sampleRate":8000,"mixType":"mono","metadata":{"shop":"7"})"),
              std::string::npos)
        << all[0];
    Bytes sound;
    for (const BotLine& line : log_)
        sound.insert(sound.end(), line.sound.begin(), line.sound.end());
    EXPECT_NE(find_bytes(sound, sweep_bytes(8000, Encoding::Pcm)), kNowhere);
    const double first_ms =
        time_got({R"({"type":"mark","data":{"name":"first","event":"playout"}})"});
    EXPECT_GE(first_ms - time_of("answer"), 980);
    const double second_ms =
        time_got({R"({"type":"mark","data":{"name":"second","event":"cleared"}})"});
    EXPECT_LE(second_ms - time_of("clear"), 150);
    EXPECT_FALSE(std::isnan(time_got({R"({"event":"dtmf","dtmf":"5","duration":"100"})"})));
    judge_closes();
}

TEST_F(Bots, TwilioToPython) {
    start_python("twilio_bot.py");
    if (!is_started()) return;
    check("twilio");
    judge_passed();
    EXPECT_EQ(state("interruption"), "ok");
    EXPECT_NE(find_bytes(judge_stream(0), sweep_bytes(8000, Encoding::Pcmu)), kNowhere);
    judge_second_stream();
    judge_closes();
    EXPECT_FALSE(std::isnan(time_of("stop")));
    const double mark_ms = time_got({R"("event":"mark")", R"({"name":"second-1"})"});
    EXPECT_GE(mark_ms - time_of("answer"), 980);
}

TEST_F(Bots, PlainToPython) {
    start_python("plain_bot.py", {"--schema", bot_setting("OFFHOOK_PLAIN_SCHEMA")});
    if (!is_started()) return;
    check("plain", {"--sample-rate", "24000"});
    judge_passed();
    for (const char* name : {"interruption", "barge-in", "marks", "verbs", "unknown-types"})
        EXPECT_EQ(state(name), "ok") << name;
    judge_closes();
    for (const BotLine& line : log_)
        EXPECT_EQ(line.note.find("schema"), std::string::npos) << line.line;
    const std::vector<std::string> all = texts(0, R"({"type":"start")");
    ASSERT_GT(all.size(), 10U);
    EXPECT_NE(all[0].find(
                  R"("audio":{"encoding":"s16le","sample_rate":24000,"channels":1,"frame_ms":20})"),
              std::string::npos);
    EXPECT_EQ(all.back(), R"({"type":"stop","reason":"caller-hangup"})");
    Bytes sound;
    for (const BotLine& line : log_) {
        if (line.sound.empty()) continue;
        EXPECT_EQ(line.sound.size(), 960U);
        sound.insert(sound.end(), line.sound.begin(), line.sound.end());
    }
    EXPECT_NE(find_bytes(sound, sweep_bytes(24000, Encoding::Pcm)), kNowhere);
    const double first_ms = time_got({R"("name":"first","state":"played","played_ms":1000)"});
    EXPECT_GE(first_ms - time_of("answer"), 980);
    const double second_ms = time_got({R"("name":"second","state":"cleared")"});
    EXPECT_LE(second_ms - time_of("clear"), 150);
    EXPECT_FALSE(
        std::isnan(time_got({R"({"type":"verb","verb":"transfer","id":"t1","state":"refused")"})));
    EXPECT_FALSE(std::isnan(time_got({R"({"type":"dropped","from_ms":)"})));
    EXPECT_FALSE(std::isnan(time_got({R"({"type":"played-to","ms":)"})));
    EXPECT_FALSE(std::isnan(time_got({R"({"type":"dtmf","digit":"5","duration_ms":100})"})));
    const std::vector<std::string> again = texts(1, R"({"type":"start")");
    ASSERT_GE(again.size(), 4U);
    EXPECT_NE(again[0].find(R"("connection":{"attempt":2,"gap_ms":500,)"), std::string::npos);
    EXPECT_EQ(again[1], R"({"type":"replay","state":"begin","ms":1000})");
    EXPECT_EQ(again[2], R"({"type":"replay","state":"end"})");
}

TEST_F(Bots, ThereIsNone) {
    start_python("twilio_bot.py");
    if (!is_started()) return;
    bot_->stop();
    check("twilio");
    EXPECT_EQ(exit_code_, 1);
    EXPECT_EQ(state("handshake"), "failed");
    EXPECT_EQ(result_->size("checks"), 1U);
    EXPECT_NE(result_->text("checks.0.advice").find("start the bot"), std::string::npos);
}

}  // namespace
}  // namespace offhook::harness
