// What bots are made of: secrets and prompts read at start, one object for all calls alike.
#include "app/ai_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace offhook::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AiSettingsTest : public ::testing::Test {
protected:
    AiSettingsTest() {
        std::string name = ::testing::TempDir() + "offhook-bots-XXXXXX";
        if (mkdtemp(name.data()) != nullptr) folder_ = name;
        config_.ai = {{.name = "bot", .protocol = config::AiProtocol::Plain},
                      {.name = "spare", .protocol = config::AiProtocol::Twilio}};
        config_.route = {{.name = "r",
                          .ai = "bot",
                          .greeting = "hello",
                          .barge_in = "detect",
                          .verbs = {"hang-up", "dtmf"},
                          .reconnect_s = 7,
                          .lost_prompt = "hello",
                          .lost_prompt_s = 3,
                          .fallback = {"ai:spare", "transfer:sip:1@pbx", "prompt:hello"}},
                         {.name = "s", .ai = "bot", .barge_in = "off"}};
    }
    ~AiSettingsTest() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
        const std::string path = folder_ + "/" + name;
        std::ofstream(path, std::ios::binary) << text;
        ::chmod(path.c_str(), mode);
        return path;
    }
    /// 8 kHz, mono, 16 bits.
    static std::string wave(std::size_t samples) {
        const auto u32 = [](std::size_t n) {
            std::string out;
            for (int i = 0; i < 4; ++i) out += static_cast<char>(n >> (8 * i) & 0xff);
            return out;
        };
        const std::string format =
            std::string("\1\0\1\0", 4) + u32(8000) + u32(16000) + std::string("\2\0\20\0", 4);
        const std::string data(samples * 2, '\1');
        return "RIFF" + u32(36 + data.size()) + "WAVEfmt " + u32(16) + format + "data" +
               u32(data.size()) + data;
    }
    std::string problem() {
        auto loaded = AiSettings::load(config_);
        if (loaded) return "no problem";
        EXPECT_EQ(loaded.error().code, base::ErrorCode::InvalidArgument);
        return loaded.error().text();
    }

    config::Config config_;
    std::string folder_;
};

TEST_F(AiSettingsTest, SecretsPromptsAndTheRouteAreInOneObject) {
    config::Ai& ai = config_.ai[0];
    ai.bearer_file = write("token", "rosebud\n");
    ai.header = {{.name = "X-A", .value = "open"},
                 {.name = "X-B", .value_file = write("key", "sesame")}};
    ai.session.instructions_file = write("words", "Be brief.\n");
    config_.prompt = {{.name = "hello", .file = write("hello.wav", wave(800), 0644)}};
    auto loaded = AiSettings::load(config_);
    ASSERT_TRUE(loaded) << loaded.error().text();
    const auto bot = loaded->find({.route = config_.route[0], .ai = "bot"});
    ASSERT_TRUE(bot);
    EXPECT_EQ(bot->bearer.reveal(), "rosebud");
    EXPECT_TRUE(bot->password.empty());
    ASSERT_EQ(bot->headers.size(), 2U);
    EXPECT_EQ(bot->headers[0].second.reveal(), "open");
    EXPECT_EQ(bot->headers[1].second.reveal(), "sesame");
    EXPECT_EQ(bot->instructions, "Be brief.\n");
    ASSERT_TRUE(bot->prompts && bot->prompts->contains("hello"));
    EXPECT_EQ(bot->barge_in, ai::BargeInPolicy::Detect);
    EXPECT_TRUE(bot->may_hang_up && bot->may_send_digits);
    EXPECT_FALSE(bot->may_transfer || bot->may_play_prompt || bot->may_hold);
    EXPECT_EQ(bot->greeting, "hello");
    EXPECT_EQ(bot->reconnect_s, 7);
    EXPECT_EQ(bot->lost_prompt_s, 3);
    using Kind = ai::Fallback::Kind;
    ASSERT_EQ(bot->fallback.size(), 3U);
    EXPECT_EQ(bot->fallback[0].kind, Kind::Ai);
    EXPECT_EQ(bot->fallback[0].argument, "spare");
    EXPECT_EQ(bot->fallback[1].kind, Kind::Transfer);
    EXPECT_EQ(bot->fallback[1].argument, "sip:1@pbx");
    EXPECT_EQ(bot->fallback[2].kind, Kind::Prompt);
}

TEST_F(AiSettingsTest, AllCallsThatAskAlikeShareIt) {
    config_.route[0].greeting.clear();
    auto loaded = AiSettings::load(config_);
    ASSERT_TRUE(loaded) << loaded.error().text();
    const config::Route& r = config_.route[0];
    const auto bot = loaded->find({.route = r, .ai = "bot"});
    EXPECT_EQ(bot, loaded->find({.route = r, .ai = "bot"}));
    EXPECT_NE(bot, loaded->find({.route = config_.route[1], .ai = "bot"}));
    EXPECT_EQ(loaded->find({.route = config_.route[1], .ai = "bot"})->barge_in,
              ai::BargeInPolicy::Off);
    EXPECT_EQ(loaded->find({.route = r, .ai = "nobody"}), nullptr);
    // The AI that took over has the rest of the list before it, and greets nobody twice.
    config_.route[0].greeting = "hello";
    const auto next = loaded->find({.route = r, .ai = "spare", .fallbacks_used = 1});
    ASSERT_TRUE(next);
    EXPECT_EQ(next->fallback.size(), 2U);
    EXPECT_EQ(next->greeting, "");
    EXPECT_TRUE(loaded->find({.route = r, .ai = "spare", .fallbacks_used = 9})->fallback.empty());
}

TEST_F(AiSettingsTest, WhatIsMissingStopsTheStart) {
    config_.ai[0].bearer_file = folder_ + "/nowhere";
    EXPECT_THAT(problem(), AllOf(HasSubstr("ai \"bot\": the bearer token"), HasSubstr("nowhere")));
    config_.ai[0].bearer_file = write("open", "rosebud", 0644);
    EXPECT_THAT(problem(),
                AllOf(HasSubstr("ai \"bot\": the bearer token"), Not(HasSubstr("rosebud"))));
    config_.ai[0].bearer_file.clear();
    config_.ai[1].signature_env = "OFFHOOK_TEST_NO_SUCH_VARIABLE";
    EXPECT_THAT(problem(), HasSubstr("ai \"spare\": the auth token of signatures"));
    config_.ai[1].signature_env.clear();
    config_.ai[0].header = {{.name = "X-A", .value_file = folder_ + "/nowhere"}};
    EXPECT_THAT(problem(), HasSubstr("ai \"bot\": the value of header X-A"));
    config_.ai[0].header.clear();
    for (const std::string& path : {folder_ + "/nowhere",
                                    write("empty", ""),
                                    write("long", std::string(64 * 1024 + 1, 'a'))}) {
        config_.ai[0].session.instructions_file = path;
        EXPECT_THAT(problem(), HasSubstr("instructions_file " + path)) << path;
    }
    config_.ai[0].session.instructions_file.clear();
    config_.prompt = {{.name = "hello", .file = write("hello.wav", "RIFF")}};
    EXPECT_THAT(problem(), HasSubstr("prompt \"hello\""));
}

}  // namespace
}  // namespace offhook::app
