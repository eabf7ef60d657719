#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "ai/protocols/message.h"
#include "base/utf8.h"
#include "recording_host.h"

namespace offhook::ai {
namespace {

struct Bot {
    const char* name;
    config::AiProtocol protocol;
    const char* dialect;
    std::vector<std::string> words;  ///< each is understood
};

const std::vector<std::string> kTwilioWords{
    R"({"event":"media","streamSid":"MZ01","media":{"payload":"fn5+fn5+fn5+/w=="}})",
    R"({"event":"mark","streamSid":"MZ01","mark":{"name":"utt-7"}})",
    R"({"event":"clear","streamSid":"MZ01"})"};

const Bot kBots[] = {
    {"twilio", config::AiProtocol::Twilio, "twilio", kTwilioWords},
    {"telnyx", config::AiProtocol::Twilio, "telnyx", kTwilioWords},
    {"exotel", config::AiProtocol::Twilio, "exotel", kTwilioWords},
    {"jambonz",
     config::AiProtocol::Twilio,
     "jambonz",
     {R"({"type":"playAudio","data":{"audioContent":"AwAEAA==","sampleRate":8000,"id":"p1"}})",
      R"({"type":"mark","data":{"name":"m"}})",
      R"({"type":"killAudio"})",
      R"({"type":"disconnect"})"}},
    {"plain",
     config::AiProtocol::Plain,
     "",
     {R"({"type":"mark","name":"m1"})",
      R"({"type":"barge-in","accept":true})",
      R"({"type":"hangup","after_speech":true,"id":"h1"})",
      R"({"type":"transfer","target":"sip:a@b","id":"t"})",
      R"({"type":"dtmf","digits":"12#"})",
      R"({"type":"hold","on":true})"}},
};

char any_character(std::mt19937& random) {
    // Mostly letters: what is not UTF-8 never comes this far.
    return static_cast<char>(random() % 8 == 0 ? random() : ' ' + random() % 95);
}

std::string mutated(std::string text, std::mt19937& random) {
    for (auto n = random() % 3 + 1; n > 0 && !text.empty(); --n) {
        const std::size_t at = random() % text.size();
        switch (random() % 4) {
            case 0:
                text[at] = any_character(random);
                break;
            case 1:
                text.erase(at, random() % 16);
                break;
            case 2:
                text.insert(at, text, random() % text.size(), random() % 32);
                break;
            default:
                text.insert(at, std::string(random() % 700, any_character(random)));
        }
    }
    return text;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto c = base::decode_utf8(text);
        if (c.length == 0) return false;
        text.remove_prefix(c.length);
    }
    return true;
}

/// What is sent stays JSON, and what goes to the log printable, whatever a bot says.
class Garbage : public testing::TestWithParam<Bot> {};

TEST_P(Garbage, IsIgnored) {
    RecordingHost host;
    host.settings_.ai.protocol = GetParam().protocol;
    host.settings_.ai.dialect = GetParam().dialect;
    const auto bot = make_protocol(host);
    bot->on_open({});
    std::mt19937 random(7);
    std::size_t understood = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto& words = GetParam().words;
        const std::string text = mutated(words[random() % words.size()], random);
        // The link lets nothing else through as text.
        if (is_utf8(text)) bot->on_text(text);
        if (i % 3 == 0) bot->on_binary(std::as_bytes(std::span(text)));
        auto log = host.take();
        for (const std::string& line : log)
            if (line.starts_with("mark "))
                bot->on_mark(line.substr(5), BotProtocol::MarkEnd::Played, 0);
        for (std::string& line : host.take()) log.push_back(std::move(line));
        for (const std::string& line : log) {
            if (line.starts_with(">")) {
                EXPECT_TRUE(Message::read(std::string_view(line).substr(1))) << line;
            } else if (line.starts_with("complain: ")) {
                EXPECT_TRUE(is_utf8(line)) << line;
                EXPECT_EQ(line.find_first_of("\x1b\n\r"), std::string::npos) << line;
                EXPECT_LE(line.size(), 400U);
            } else {
                ++understood;
            }
        }
        host.heard_.clear();
    }
    EXPECT_GT(understood, 500U);
    for (const BotRequest& request : host.requests_) {
        EXPECT_LE(request.argument.size(), 512U);
        EXPECT_LE(request.correlation.size(), 512U);
    }
    host.take();
    for (const std::string& word : GetParam().words) {
        bot->on_text(word);
        const auto log = host.take();
        ASSERT_FALSE(log.empty()) << word;
        EXPECT_FALSE(log.back().starts_with("complain")) << log.back();
    }
}

INSTANTIATE_TEST_SUITE_P(All, Garbage, testing::ValuesIn(kBots), [](const auto& bot) {
    return std::string(bot.param.name);
});

}  // namespace
}  // namespace offhook::ai
