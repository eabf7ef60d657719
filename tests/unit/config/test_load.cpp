#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

namespace offhook::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Load : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = ::testing::TempDir() + "offhook-config-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
        put("ports", "32768 60999\n");
        request_.port_range_file = folder_ + "/ports";
    }
    void TearDown() override {
        ::unlink((folder_ + "/ports").c_str());
        ::unlink((folder_ + "/offhook.toml").c_str());
        ::rmdir(folder_.c_str());
    }
    void put(const std::string& name, const std::string& text) {
        std::ofstream(folder_ + "/" + name) << text;
    }
    base::Result<Loaded> load_file(const std::string& text) {
        put("offhook.toml", text);
        request_.file = folder_ + "/offhook.toml";
        return load(request_);
    }
    std::string problem_of(const std::string& text) {
        const auto loaded = load_file(text);
        return loaded ? "no problem" : loaded.error().text();
    }
    std::string folder_;
    LoadRequest request_;
};

TEST_F(Load, NothingGivenIsTheDefaults) {
    const auto loaded = load(request_);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.http.listen, "127.0.0.1:5000");
    EXPECT_EQ(loaded->config.route.at(0).ai, "echo");
    EXPECT_EQ(loaded->origin_of("http.listen").where, "built-in");
}

TEST_F(Load, PrecedenceAndOrigin) {
    request_.environment = {{"OFFHOOK_RTP__TIMEOUT_S", "20"}, {"OFFHOOK_DRAIN__TIMEOUT_S", "21"}};
    request_.sets = {"drain.timeout_s=31", "drain.timeout_s=32"};
    const auto loaded =
        load_file("[rtp]\ntimeout_s = 10\nopus_complexity = 3\n[drain]\ntimeout_s = 11\n");
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->config.rtp.opus_complexity, 3);
    EXPECT_THAT(loaded->origin_of("rtp.opus_complexity").where, HasSubstr("offhook.toml:3"));
    EXPECT_EQ(loaded->config.rtp.timeout_s, 20);
    EXPECT_EQ(loaded->origin_of("rtp.timeout_s").where, "OFFHOOK_RTP__TIMEOUT_S");
    EXPECT_EQ(loaded->config.drain.timeout_s, 32);
    EXPECT_EQ(loaded->origin_of("drain.timeout_s").where, "--set drain.timeout_s");
}

TEST_F(Load, UnknownNamesHaveAPlaceAndTheNearest) {
    EXPECT_THAT(problem_of("[sip]\nlisen = []\n"),
                HasSubstr("offhook.toml:2: unknown key sip.lisen; did you mean \"listen\"?"));
    EXPECT_THAT(problem_of("\n[spi]\n"),
                HasSubstr("offhook.toml:2: unknown section [spi]; did you mean \"sip\"?"));
    EXPECT_THAT(
        problem_of("htp = 1\n"),
        HasSubstr("offhook.toml:1: \"htp\" stands before any [section]; did you mean \"http\"?"));
    EXPECT_THAT(problem_of("[[ai]]\nname = \"x\"\nprotcol = \"echo\"\n"),
                HasSubstr("offhook.toml:3: unknown key ai[0].protcol; did you mean \"protocol\"?"));
    EXPECT_THAT(problem_of("[ai]\nname = \"x\"\n"), HasSubstr("write [[ai]]"));
    EXPECT_THAT(problem_of("[[sip]]\n"), HasSubstr("write [sip]"));
    EXPECT_THAT(problem_of("[sip.listen]\nx = 1\n"),
                HasSubstr("sip.listen: must be a list of strings, not a table"));
}

TEST_F(Load, ValuesOutOfRangeNameKeyValueAndRange) {
    EXPECT_THAT(problem_of("[sip]\nanswer_delay_ms = 60001\n"),
                HasSubstr("offhook.toml:2: sip.answer_delay_ms = 60001: must be 0 to 60000 ms"));
    EXPECT_THAT(problem_of("[http]\nlisten = 5000\n"),
                HasSubstr("http.listen = 5000: must be a string, not a whole number"));
    EXPECT_THAT(problem_of("[log]\nlevel = \"loud\"\n"),
                HasSubstr("must be one of debug, info, warning, error"));
}

TEST_F(Load, TellsEveryProblemAtOnce) {
    request_.sets = {"nosuch.key=1"};
    EXPECT_THAT(problem_of("[sip]\nx = 1\n[rtp]\ntimeout_s = -1\n"),
                AllOf(HasSubstr("sip.x"),
                      HasSubstr("rtp.timeout_s = -1"),
                      HasSubstr("unknown section \"nosuch\"")));
}

TEST_F(Load, EnvironmentErrors) {
    const auto problem = [&](const char* name, const char* value) {
        request_.environment = {{name, value}};
        const auto loaded = load(request_);
        return loaded ? std::string("no problem") : loaded.error().text();
    };
    EXPECT_THAT(problem("OFFHOOK_HTTP__LISTEN", "127.0.0.1:0"),
                HasSubstr("OFFHOOK_HTTP__LISTEN: http.listen = 127.0.0.1:0 is not a TOML value; a "
                          "text needs quotes: "
                          "\"127.0.0.1:0\""));
    EXPECT_THAT(problem("OFFHOOK_HTTP__LISTN", "1"), HasSubstr("did you mean \"listen\"?"));
    EXPECT_THAT(problem("OFFHOOK_HTPP__LISTEN", "1"), HasSubstr("did you mean \"http\"?"));
    EXPECT_THAT(problem("OFFHOOK_AI__NAME", "\"x\""), HasSubstr("only be given in the file"));
    EXPECT_EQ(problem("OFFHOOK_HTTP__LISTEN", "\"127.0.0.1:0\""), "no problem");
    EXPECT_EQ(problem("OFFHOOK_SIP__ALLOW", "[\"10.0.0.0/8\"]"), "no problem");
}

TEST_F(Load, SetErrors) {
    for (const char* bad :
         {"", "x", "http=1", "http.listen", ".=1", "=", "http.listen=", "route.ai=\"x\""}) {
        request_.sets = {bad};
        EXPECT_FALSE(load(request_)) << bad;
    }
}

TEST_F(Load, ArraysOfTablesReplaceTheBuiltInOnes) {
    auto loaded = load_file("[[ai]]\nname = \"bot\"\nprotocol = \"mute\"\n");
    ASSERT_TRUE(loaded) << loaded.error().text();
    ASSERT_EQ(loaded->config.ai.size(), 1U);
    EXPECT_EQ(loaded->config.ai[0].protocol, AiProtocol::Mute);
    EXPECT_EQ(loaded->config.route.at(0).ai, "bot");
    loaded = load_file(
        "[[route]]\nname = \"a\"\nto = \"1*\"\nai = \"echo\"\n[[route]]\nname = \"b\"\nai = "
        "\"echo\"\n");
    ASSERT_TRUE(loaded) << loaded.error().text();
    ASSERT_EQ(loaded->config.route.size(), 2U);
    EXPECT_EQ(loaded->config.route[0].to, "1*");
    EXPECT_EQ(loaded->config.route[1].name, "b");
}

TEST_F(Load, NamesMustFit) {
    EXPECT_THAT(problem_of("[[route]]\nname = \"a\"\nai = \"ecoh\"\n"),
                HasSubstr("offhook.toml:3: route[0].ai = \"ecoh\": is not the name of an [[ai]]; "
                          "did you mean \"echo\"?"));
    EXPECT_THAT(problem_of("[[route]]\nname = \"a\"\n"),
                HasSubstr("offhook.toml:1: route[0].ai is missing"));
    EXPECT_THAT(problem_of("[[ai]]\nprotocol = \"echo\"\n"), HasSubstr("ai[0].name is missing"));
    EXPECT_THAT(
        problem_of("[[ai]]\nname = \"x\"\n[[ai]]\nname = \"x\"\n"),
        HasSubstr("offhook.toml:4: ai[1].name = \"x\": is the name of another [[ai]] already"));
}

TEST_F(Load, Channels) {
    const auto loaded = load_file(
        "[[channel]]\nname = \"sales\"\nai = \"echo\"\nmax_members = 4\n"
        "[[route]]\nname = \"in\"\nchannel = \"sales\"\n");
    ASSERT_TRUE(loaded) << loaded.error().text();
    ASSERT_EQ(loaded->config.channel.size(), 1U);
    EXPECT_EQ(loaded->config.channel[0].policy, "everybody");
    EXPECT_EQ(loaded->config.channel[0].max_members, 4);
    EXPECT_EQ(loaded->config.route[0].channel, "sales");
    EXPECT_TRUE(loaded->config.route[0].ai.empty()) << "nobody needs one that is not used";

    EXPECT_THAT(problem_of("[[channel]]\n"), HasSubstr("channel[0].name is missing"));
    EXPECT_THAT(problem_of("[[channel]]\nname = \"a\"\n[[channel]]\nname = \"a\"\n"),
                HasSubstr("another [[channel]] already"));
    EXPECT_THAT(problem_of("[[channel]]\nname = \"call-1\"\n"), HasSubstr("supervised calls"));
    EXPECT_THAT(problem_of("[[channel]]\nname = \"a\"\nai = \"ecko\"\n"),
                AllOf(HasSubstr("not the name of an [[ai]]"), HasSubstr("echo")));
    EXPECT_THAT(problem_of("[[channel]]\nname = \"a\"\npolicy = \"call\"\n"),
                HasSubstr("everybody, supervised"));
    EXPECT_THAT(problem_of("[[channel]]\nname = \"a\"\nmax_members = 65\n"), HasSubstr("1 to 64"));
    EXPECT_THAT(problem_of("[[route]]\nname = \"in\"\nchannel = \"sales\"\n"),
                HasSubstr("not the name of a [[channel]]"));
}

TEST_F(Load, PortsInTheEphemeralRange) {
    EXPECT_THAT(problem_of("[rtp]\nports = \"30000-39999\"\n"),
                AllOf(HasSubstr("offhook.toml:2: rtp.ports = \"30000-39999\": overlaps the "
                                "kernel's ephemeral range "
                                "32768-60999"),
                      HasSubstr("\"20000-29999\"")));
    EXPECT_EQ(problem_of("[rtp]\nports = \"30000-32767\"\n"), "no problem");
    EXPECT_EQ(problem_of("[rtp]\nports = \"61000-65535\"\n"), "no problem");
    put("ports", "1024 60999\n");
    EXPECT_THAT(problem_of(""),
                AllOf(HasSubstr("built-in: rtp.ports"), HasSubstr("\"61000-65535\"")));
    put("ports", "1024 65535\n");
    EXPECT_THAT(problem_of(""), HasSubstr("no port is outside it"));
}

TEST_F(Load, ListeningBeyondLoopbackMustBeMeant) {
    EXPECT_THAT(problem_of("[rtp]\naddress = \"0.0.0.0\"\n"), HasSubstr("needs rtp.advertise"));
    EXPECT_EQ(problem_of("[rtp]\naddress = \"0.0.0.0\"\nstun = \"stun.example.com\"\n"),
              "no problem");
    EXPECT_EQ(problem_of("[rtp]\naddress = \"0.0.0.0\"\nadvertise = \"192.0.2.1\"\n"),
              "no problem");
}

TEST_F(Load, FilesThatCannotBeRead) {
    request_.file = folder_ + "/missing.toml";
    auto loaded = load(request_);
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().text(), AllOf(HasSubstr("missing.toml"), HasSubstr("No such file")));
    request_.file = folder_;
    EXPECT_FALSE(load(request_));
    EXPECT_THAT(problem_of("#" + std::string(2 << 20, 'x')), HasSubstr("larger than 1 MiB"));
    EXPECT_THAT(problem_of("[http\n"), HasSubstr("offhook.toml:1:"));
}

TEST_F(Load, HostileTextDoesNotReachTheTerminal) {
    const std::string problem = problem_of("[\"\\u001b[31m\"]\n[sip]\n\"a\\u202eb\" = 1\n");
    EXPECT_THAT(problem, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\u202e"))));
}

TEST_F(Load, ProcessEnvironmentTakesOnlyOurs) {
    setenv("OFFHOOK_HTTP__LISTEN", "\"127.0.0.1:0\"", 1);
    setenv("OFFHOOK_SINGLE", "x", 1);
    const auto found = process_environment();
    unsetenv("OFFHOOK_HTTP__LISTEN");
    unsetenv("OFFHOOK_SINGLE");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].first, "OFFHOOK_HTTP__LISTEN");
    EXPECT_EQ(found[0].second, "\"127.0.0.1:0\"");
}

}  // namespace
}  // namespace offhook::config
