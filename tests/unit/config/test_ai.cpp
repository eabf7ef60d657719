// [[ai]], [[prompt]], [ai_listen] and what routes say of bots: what can be said, and which errors are
// told how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "config/bot_url.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/reference.h"

namespace offhook::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AiConfig : public ::testing::Test {
protected:
    AiConfig() {
        std::string name = ::testing::TempDir() + "offhook-ai-XXXXXX";
        if (mkdtemp(name.data()) != nullptr) folder_ = name;
        file_ = folder_ + "/offhook.toml";
        wave_ = folder_ + "/hello.wav";
        std::ofstream(wave_) << "RIFF";
    }
    ~AiConfig() override {
        ::unlink(file_.c_str());
        ::unlink(wave_.c_str());
        ::rmdir(folder_.c_str());
    }
    base::Result<Loaded> load_text(const std::string& text) {
        std::ofstream(file_) << text;
        LoadRequest request;
        request.file = file_;
        request.port_range_file = "/nonexistent";
        return load(request);
    }
    std::string problem_of(const std::string& text) {
        const auto loaded = load_text(text);
        return loaded ? "no problem" : loaded.error().text();
    }
    /// An [[ai]] with these lines.
    static std::string bot(const std::string& lines, const std::string& protocol = "plain") {
        const std::string url =
            protocol == "audiosocket" ? "tcp://127.0.0.1:9092" : "ws://127.0.0.1/";
        return "[[ai]]\nname = \"bot\"\nprotocol = \"" + protocol + "\"\n" +
               (lines.find("url") == std::string::npos ? "url = \"" + url + "\"\n" : "") + lines;
    }
    std::string folder_, file_, wave_;
};

TEST_F(AiConfig, takes_a_bot_with_all_that_belongs_to_it) {
    const std::string text =
        "[ai_listen]\nport = 9000\n"
        "[[prompt]]\nname = \"hello\"\nfile = \"" +
        wave_ + "\"\n" +
        bot("url = \"wss://bots.example.com/media?x=1\"\nbearer_env = \"TOKEN\"\n"
            "on_close = \"reconnect\"\nframe_ms = 40\nsample_rate_hz = 16000\n"
            "proxy = \"http://10.0.0.1:3128\"\n"
            "[[ai.header]]\nname = \"X-Tenant\"\nvalue = \"blue\"\n"
            "[[ai.header]]\nname = \"X-Api-Key\"\nvalue_env = \"KEY\"\n"
            "[[ai.parameter]]\nname = \"caller\"\nvalue = \"${from}\"\n") +
        "[[ai]]\nname = \"second\"\n"
        "[[route]]\nname = \"all\"\nai = \"bot\"\ngreeting = \"hello\"\nbarge_in = \"detect\"\n"
        "verbs = [\"hang-up\", \"dtmf\"]\nreconnect_s = 10\nlost_prompt = \"hello\"\n"
        "fallback = [\"ai:second\", \"transfer:sip:100@pbx.example.com\", \"prompt:hello\"]\n";
    const auto loaded = load_text(text);
    ASSERT_TRUE(loaded) << loaded.error().text();
    const Config& config = loaded->config;
    EXPECT_EQ(config.ai_listen.port, 9000);
    ASSERT_EQ(config.ai.size(), 2U);
    const Ai& ai = config.ai[0];
    EXPECT_EQ(ai.protocol, AiProtocol::Plain);
    EXPECT_EQ(ai.frame_ms, 40);
    EXPECT_EQ(ai.sample_rate_hz, 16000);
    EXPECT_EQ(ai.on_close, "reconnect");
    EXPECT_EQ(ai.encoding, "");
    ASSERT_EQ(ai.header.size(), 2U);
    EXPECT_EQ(ai.header[1].value_env, "KEY");
    ASSERT_EQ(ai.parameter.size(), 1U);
    EXPECT_EQ(ai.parameter[0].value, "${from}");
    EXPECT_TRUE(config.ai[1].header.empty());
    const Route& route = config.route[0];
    EXPECT_EQ(route.greeting, "hello");
    EXPECT_EQ(route.verbs.size(), 2U);
    EXPECT_EQ(route.fallback.size(), 3U);
    EXPECT_EQ(loaded->origin_of("ai[0].header[1].value_env").where, file_ + ":20");

    const std::string shown = show(*loaded, false);
    EXPECT_THAT(shown,
                AllOf(HasSubstr("[[ai.header]]\nname = \"X-Api-Key\""),
                      HasSubstr("encoding = \"default\"\nsample_rate_hz = 16000\n"),
                      HasSubstr("[[prompt]]\nname = \"hello\"")));
    const auto again = load_text(shown);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(show(*again, false), shown);
}

TEST_F(AiConfig, every_default_passes_its_own_check) {
    Ai::Header header{.name = "X-A"};
    for (const auto& key : ai_header_keys()) EXPECT_EQ(key.set(header, key.get(header)), "");
    Ai::Parameter parameter{.name = "a"};
    for (const auto& key : ai_parameter_keys())
        EXPECT_EQ(key.set(parameter, key.get(parameter)), "");
    Prompt prompt{.name = "a"};
    for (const auto& key : prompt_keys()) EXPECT_EQ(key.set(prompt, key.get(prompt)), "");
}

TEST_F(AiConfig, a_url_has_to_fit_its_protocol) {
    EXPECT_THAT(problem_of("[[ai]]\nname = \"bot\"\nprotocol = \"plain\"\n"),
                HasSubstr("ai[0].url is missing: where the bot is"));
    EXPECT_THAT(problem_of(bot("url = \"tcp://127.0.0.1:1\"\n")),
                HasSubstr("must begin with ws:// or wss:// for protocol = \"plain\""));
    EXPECT_THAT(problem_of(bot("url = \"ws://127.0.0.1:1\"\n", "audiosocket")),
                HasSubstr("must begin with tcp:// for protocol = \"audiosocket\""));
    EXPECT_THAT(problem_of("[[ai]]\nname = \"e\"\nurl = \"ws://127.0.0.1:1\"\n"),
                HasSubstr("echo is built in and connects to nothing"));
    for (const char* bad : {"http://a",
                            "ws://",
                            "ws://a b",
                            "ws://a:0",
                            "ws://a:65536",
                            "ws://[::1",
                            "ws://::1",
                            "a:80",
                            "tcp://a",
                            "tcp://a:1/x",
                            "ws://a/#b",
                            "ws://user:rosebud@a/"})
        EXPECT_THAT(problem_of(bot("url = \"" + std::string(bad) + "\"\n")),
                    HasSubstr("offhook.toml:4: ai[0].url"))
            << bad;
}

TEST_F(AiConfig, private_addresses_have_to_be_meant) {
    for (const char* host : {"10.1.2.3",
                             "172.16.0.1",
                             "192.168.0.1",
                             "169.254.169.254",
                             "100.64.0.1",
                             "[fc00::1]",
                             "[fe80::1]"}) {
        const std::string lines = "url = \"ws://" + std::string(host) + ":80/\"\n";
        EXPECT_THAT(problem_of(bot(lines)), HasSubstr("set allow_private = true")) << host;
        EXPECT_EQ(problem_of(bot(lines + "allow_private = true\n")), "no problem") << host;
    }
    for (const char* host : {"127.0.0.1", "localhost", "[::1]", "8.8.8.8", "bots.example.com"})
        EXPECT_EQ(problem_of(bot("url = \"ws://" + std::string(host) + "/\"\n")), "no problem")
            << host;
}

TEST_F(AiConfig, keys_of_another_protocol_are_told) {
    EXPECT_THAT(problem_of(bot("dialect = \"telnyx\"\n")),
                HasSubstr("ai[0].dialect is for protocol = \"twilio\" only"));
    EXPECT_THAT(problem_of(bot("voice = \"cedar\"\n")),
                HasSubstr("for protocol = \"openai\" only"));
    EXPECT_THAT(problem_of(bot("dialect = \"shout\"\n", "twilio")),
                HasSubstr("must be one of twilio"));
    EXPECT_THAT(problem_of("[[ai]]\nname = \"e\"\nframe_ms = 40\n"),
                HasSubstr("ai[0].frame_ms is for bots"));
    EXPECT_THAT(problem_of(bot("frame_ms = 30\n")), HasSubstr("must be one of 20, 40"));
    EXPECT_THAT(problem_of(bot("sample_rate_hz = 44100\n")), HasSubstr("8000, 16000, 24000"));
    EXPECT_THAT(problem_of(bot("encoding = \"pcmu\"\n")), HasSubstr("must be pcm"));
    EXPECT_THAT(problem_of(bot("encoding = \"pcmu\"\nsample_rate_hz = 16000\n", "asterisk")),
                HasSubstr("must be 8000"));
    EXPECT_THAT(problem_of(bot("ca_file = \"/a.pem\"\n")), HasSubstr("for wss:// only"));
    EXPECT_THAT(problem_of(bot("proxy = \"https://a:1\"\n")),
                HasSubstr("must be http://HOST:PORT"));
    EXPECT_THAT(problem_of(bot("proxy = \"http://a\"\n")), HasSubstr("must be http://HOST:PORT"));
}

TEST_F(AiConfig, bots_that_come_to_us_need_a_door) {
    const std::string text = "[[ai]]\nname = \"bot\"\nprotocol = \"asterisk\"\ndial = false\n";
    EXPECT_THAT(problem_of(text), HasSubstr("ai[0].dial = false needs ai_listen.port"));
    EXPECT_EQ(problem_of("[ai_listen]\nport = 1234\n" + text), "no problem");
    EXPECT_THAT(problem_of("[ai_listen]\nport = 1234\n" + text + "url = \"ws://127.0.0.1/\"\n"),
                HasSubstr("is for dial = true"));
    EXPECT_THAT(problem_of("[ai_listen]\naddress = \"0.0.0.0\"\n"),
                HasSubstr("ai_listen.address is reachable from other machines"));
    EXPECT_EQ(problem_of("[ai_listen]\naddress = \"0.0.0.0\"\nallow_remote = true\n"),
              "no problem");
}

TEST_F(AiConfig, secrets_stay_outside) {
    for (const char* key : {"bearer", "password", "signature"}) {
        const std::string problem =
            problem_of(bot(std::string(key) + " = \"rosebud\"\n", "twilio"));
        EXPECT_THAT(problem, HasSubstr(std::string(key) + " must not stand in the configuration"));
        EXPECT_THAT(problem, Not(HasSubstr("rosebud")));
    }
    EXPECT_THAT(
        problem_of(bot("[[ai.header]]\nname = \"Authorization\"\nvalue = \"Bearer rosebud\"\n")),
        AllOf(HasSubstr("ai[0].header[0].value must not stand"), Not(HasSubstr("rosebud"))));
    EXPECT_THAT(problem_of(bot("bearer_env = \"A\"\nbearer_file = \"/a\"\n")),
                HasSubstr("keep one of bearer_file, bearer_env, bearer_credential"));
    EXPECT_THAT(problem_of(bot("user = \"u\"\n")), HasSubstr("ai[0].password_file is missing"));
    EXPECT_THAT(problem_of(bot("password_env = \"A\"\n")), HasSubstr("ai[0].user is missing"));
    EXPECT_THAT(problem_of(bot("user = \"u\"\npassword_env = \"A\"\nbearer_env = \"B\"\n")),
                HasSubstr("exclude each other"));
    EXPECT_THAT(problem_of(bot("url = \"wss://api.example.com/\"\n", "openai")),
                HasSubstr("ai[0].bearer_file is missing: name the API key"));
}

TEST_F(AiConfig, headers_and_parameters) {
    const auto header = [this](const std::string& lines) {
        return problem_of(bot("[[ai.header]]\n" + lines));
    };
    EXPECT_THAT(header("value = \"x\"\n"), HasSubstr("ai[0].header[0].name is missing"));
    EXPECT_THAT(header("name = \"X-A\"\n"), HasSubstr("ai[0].header[0].value is missing"));
    EXPECT_THAT(header("name = \"X A\"\nvalue = \"x\"\n"), HasSubstr("name of an HTTP header"));
    EXPECT_THAT(header("name = \"Sec-WebSocket-Key\"\nvalue = \"x\"\n"),
                HasSubstr("handshake itself"));
    EXPECT_THAT(header("name = \"X-A\"\nvalue = \"a\\r\\nb: c\"\n"), HasSubstr("printable ASCII"));
    EXPECT_THAT(header("nam = \"X-A\"\n"), HasSubstr("did you mean \"name\"?"));
    EXPECT_THAT(problem_of(bot("[[ai.parameter]]\nname = \"a\"\nvalue = \"${pin}\"\n")),
                HasSubstr("knows ${from}, ${to}, ${call_id}, ${account} and ${route}"));
    EXPECT_THAT(problem_of(bot("[ai.header]\nname = \"X-A\"\n")),
                HasSubstr("write [[ai.header]]: there can be several"));
}

TEST_F(AiConfig, routes_name_what_there_is) {
    const std::string prompt = "[[prompt]]\nname = \"hello\"\nfile = \"" + wave_ + "\"\n";
    const auto route = [&](const std::string& lines) {
        return problem_of(prompt + bot("") + "[[route]]\nname = \"r\"\nai = \"bot\"\n" + lines);
    };
    EXPECT_THAT(route("greeting = \"helo\"\n"),
                HasSubstr("route[0].greeting = \"helo\": is not the name of a [[prompt]]; did you "
                          "mean \"hello\"?"));
    EXPECT_THAT(route("lost_prompt = \"x\"\n"), HasSubstr("route[0].lost_prompt"));
    EXPECT_THAT(route("verbs = [\"hangup\"]\n"),
                HasSubstr("must be one of hang-up, transfer, dtmf, prompt, hold"));
    EXPECT_THAT(route("barge_in = \"maybe\"\n"), HasSubstr("must be one of off, bot, detect"));
    EXPECT_THAT(route("fallback = [\"call:x\"]\n"),
                HasSubstr("must be ai:NAME, prompt:NAME, transfer:TARGET or hang-up"));
    EXPECT_THAT(route("fallback = [\"ai:boot\"]\n"),
                HasSubstr("has \"ai:boot\": there is no such [[ai]]; did you mean \"bot\"?"));
    EXPECT_THAT(route("fallback = [\"ai:bot\"]\n"), HasSubstr("that is the route's ai itself"));
    EXPECT_THAT(route("fallback = [\"prompt:x\"]\n"), HasSubstr("there is no such [[prompt]]"));
    EXPECT_THAT(route("fallback = [\"hang-up\", \"prompt:hello\"]\n"),
                HasSubstr("nothing behind it"));
    EXPECT_EQ(route("fallback = [\"transfer:100\", \"prompt:hello\"]\n"), "no problem");
    EXPECT_THAT(problem_of("[[prompt]]\nname = \"a\"\n"), HasSubstr("prompt[0].file is missing"));
    EXPECT_THAT(problem_of("[[prompt]]\nname = \"a\"\nfile = \"/nowhere\"\n"),
                HasSubstr("cannot be read"));
    EXPECT_THAT(problem_of(prompt + prompt),
                HasSubstr("is the name of another [[prompt]] already"));
}

TEST(BotUrl, IsTakenApart) {
    const auto url = parse_bot_url("wss://bots.example.com/a/b?token=x");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->scheme, "wss");
    EXPECT_EQ(url->host, "bots.example.com");
    EXPECT_EQ(url->port, 443);
    EXPECT_EQ(url->target, "/a/b?token=x");
    EXPECT_EQ(url->where(), "bots.example.com:443");
    EXPECT_EQ(parse_bot_url("ws://[::1]:9/")->where(), "[::1]:9");
    EXPECT_EQ(parse_bot_url("ws://[::1]")->where(), "[::1]:80");
    EXPECT_EQ(parse_bot_url("tcp://10.0.0.1:9092")->where(), "10.0.0.1:9092");
    EXPECT_FALSE(parse_bot_url("ws://a" + std::string(2048, 'a')));
}

}  // namespace
}  // namespace offhook::config
