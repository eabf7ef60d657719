// [web] and [[web.ice_server]]: what can be said, and which errors are told how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/reference.h"
#include "config_file_test.h"

namespace offhook::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class WebConfig : public ConfigFileTest {
protected:
    static std::string turn(const std::string& lines) {
        return "[[web.ice_server]]\nurl = \"turn:turn.example.com:3478?transport=udp\"\n" + lines;
    }
};

TEST_F(WebConfig, works_without_a_word) {
    const auto loaded = load_text("");
    ASSERT_TRUE(loaded);
    const Web& web = loaded->config.web;
    EXPECT_EQ(web.codecs.front(), model::Codec::Opus);
    EXPECT_EQ(web.first_port, 0);
    EXPECT_TRUE(web.ice_server.empty());
    EXPECT_EQ(loaded->config.route.front().web_pipeline, "web");
    EXPECT_THAT(show(*loaded, false), HasSubstr("\n[web]\nworkers = 0\n"));
}

TEST_F(WebConfig, takes_servers_ports_and_codecs) {
    const auto loaded = load_text(
        "[web]\nports = \"31000-31998\"\ncodecs = [\"PCMU\", \"opus16\"]\nrelay_only = true\n"
        "addresses = [\"10.0.0.5\", \"fd00::5\"]\ndeny = [\"10.0.0.0/8\"]\nvanish_end_s = 0\n"
        "[[web.ice_server]]\nurl = \"stun:stun.example.com\"\n" +
        turn("username = \"offhook\"\ncredential_env = \"TURN_PASSWORD\"\n"));
    ASSERT_TRUE(loaded) << loaded.error().text();
    const Web& web = loaded->config.web;
    EXPECT_EQ(web.first_port, 31000);
    EXPECT_EQ(web.last_port, 31998);
    EXPECT_EQ(web.codecs, (std::vector{model::Codec::Pcmu, model::Codec::Opus16}));
    EXPECT_EQ(web.vanish_end_s, 0);
    ASSERT_EQ(web.ice_server.size(), 2U);
    EXPECT_FALSE(web.ice_server[0].is_turn());
    EXPECT_TRUE(web.ice_server[1].is_turn());
    EXPECT_EQ(web.ice_server[1].username, "offhook");
    EXPECT_EQ(loaded->origin_of("web.ice_server[1].username").where, file_ + ":12");
    EXPECT_THAT(show(*loaded, false),
                AllOf(HasSubstr("ports = \"31000-31998\""),
                      HasSubstr("[[web.ice_server]]\nurl = \"stun:stun.example.com\"")));
}

TEST_F(WebConfig, a_password_in_the_file_is_refused_and_not_repeated) {
    const std::string problem =
        problem_of(turn("username = \"offhook\"\ncredential = \"rosebud\"\n"));
    EXPECT_THAT(problem, HasSubstr("offhook.toml:4: web.ice_server[0].credential must not stand"));
    EXPECT_THAT(problem, HasSubstr("credential_file"));
    EXPECT_THAT(problem, Not(HasSubstr("rosebud")));
}

TEST_F(WebConfig, a_turn_server_needs_who_we_are_and_one_password) {
    EXPECT_THAT(problem_of(turn("")), HasSubstr("web.ice_server[0].username is missing"));
    EXPECT_THAT(problem_of(turn("username = \"u\"\n")),
                HasSubstr("web.ice_server[0].credential_file is missing"));
    EXPECT_THAT(problem_of(turn("username = \"u\"\ncredential_env = \"A\"\n"
                                "credential_file = \"/a\"\n")),
                HasSubstr("keep one of credential_file, credential_env, credential_credential"));
    EXPECT_THAT(problem_of("[[web.ice_server]]\nurl = \"stun:a\"\nusername = \"u\"\n"),
                HasSubstr("for turn: and turns: only"));
    EXPECT_THAT(problem_of("[[web.ice_server]]\n"), HasSubstr("web.ice_server[0].url is missing"));
}

TEST_F(WebConfig, urls_of_servers) {
    const auto problem = [this](const std::string& url) {
        return problem_of("[[web.ice_server]]\nurl = \"" + url +
                          "\"\nusername = \"u\"\ncredential_env = \"A\"\n");
    };
    for (const char* good : {"turn:a", "turn:1.2.3.4:5?transport=tcp", "turns:[::1]:443"})
        EXPECT_EQ(problem(good), "no problem") << good;
    for (const char* bad : {"a:3478",
                            "turn://a",
                            "turn:",
                            "turn:a:0",
                            "turn:a?transport=sctp",
                            "turns:a?transport=udp",
                            "stun:a?transport=udp",
                            "http:a"})
        EXPECT_THAT(problem(bad), HasSubstr("must be stun:HOST:PORT")) << bad;
}

TEST_F(WebConfig, what_does_not_go_together_is_told) {
    EXPECT_THAT(problem_of("[web]\nrelay_only = true\n"),
                HasSubstr("offhook.toml:2: web.relay_only = true leaves no candidate"));
    EXPECT_THAT(problem_of("[web]\nports = \"29998-31000\"\n"), HasSubstr("overlaps rtp.ports"));
    EXPECT_THAT(problem_of("[web]\nports = \"31001-31000\"\n"), HasSubstr("must be empty or"));
    EXPECT_THAT(problem_of("[web]\ncodecs = [\"G722\"]\n"),
                HasSubstr("has \"G722\"; known are PCMU, PCMA, opus, opus16"));
    EXPECT_THAT(problem_of("[web]\naddresses = [\"0.0.0.0\"]\n"),
                HasSubstr("leave the list empty"));
    EXPECT_THAT(problem_of("[web]\ndeny = [\"10.0.0.1/8\"]\n"), HasSubstr("web.deny"));
    EXPECT_THAT(problem_of("[web.ice_server]\nurl = \"stun:a\"\n"),
                HasSubstr("write [[web.ice_server]]: there can be several"));
    EXPECT_THAT(problem_of("[[web.ice_servers]]\nurl = \"stun:a\"\n"),
                HasSubstr("did you mean \"web.ice_server\"?"));
}

TEST_F(WebConfig, doors_for_browsers) {
    const auto loaded = load_text(
        "[web]\nwhep = false\norigins = [\"https://app.example.com\", \"http://localhost:8080\"]\n"
        "token_env = \"JOIN_TOKEN\"\n");
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_TRUE(loaded->config.web.whip);
    EXPECT_FALSE(loaded->config.web.whep);
    EXPECT_EQ(loaded->config.web.origins.size(), 2U);
    EXPECT_EQ(loaded->config.web.token_env, "JOIN_TOKEN");
    for (const char* bad : {"*", "app.example.com", "https://", "https://a/", "ftp://a", "null"}) {
        EXPECT_THAT(problem_of("[web]\norigins = [\"" + std::string(bad) + "\"]\n"),
                    HasSubstr("must be https://HOST"))
            << bad;
    }
    EXPECT_THAT(problem_of("[web]\ntoken_env = \"A\"\ntoken_file = \"/a\"\n"),
                HasSubstr("keep one of token_file, token_env, token_credential"));
    const std::string problem = problem_of("[web]\ntoken = \"rosebud\"\n");
    EXPECT_THAT(problem, HasSubstr("web.token must not stand"));
    EXPECT_THAT(problem, Not(HasSubstr("rosebud")));
}

TEST_F(WebConfig, an_account_offers_rtp_unless_it_is_a_webphone) {
    const std::string sip = "[[account]]\nname = \"a\"\nuser = \"2\"\ndomain = \"b.example\"\n";
    EXPECT_EQ(load_text(sip)->config.account[0].media, model::LegKind::Phone);
    EXPECT_EQ(load_text(sip + "media = \"web\"\n")->config.account[0].media, model::LegKind::Web);
    EXPECT_THAT(problem_of(sip + "media = \"web\"\n[web]\nmax_legs = 0\n"),
                HasSubstr("account[0].media = \"web\" needs web.max_legs above 0"));

    const std::string rc =
        "[[account]]\nname = \"a\"\nkind = \"ringcentral\"\nclient_id = \"i\"\n"
        "client_secret_env = \"S\"\njwt_env = \"J\"\n";
    EXPECT_EQ(load_text(rc + "transport = \"wss\"\n")->config.account[0].media,
              model::LegKind::Web);
    EXPECT_EQ(load_text(rc + "device_id = \"1\"\n")->config.account[0].media,
              model::LegKind::Phone);
    EXPECT_THAT(problem_of(rc + "transport = \"wss\"\nmedia = \"rtp\"\n"),
                HasSubstr("account[0].media must be \"web\""));
    EXPECT_THAT(problem_of(rc + "device_id = \"1\"\nmedia = \"web\"\n"),
                HasSubstr("account[0].media = \"web\" is for transport = \"wss\""));
}

}  // namespace
}  // namespace offhook::config
