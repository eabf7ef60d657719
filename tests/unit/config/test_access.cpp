#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "config/load.h"

namespace offhook {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kDigest(64, 'a');

class AccessConfig : public ::testing::Test {
protected:
    void SetUp() override { path_ = ::testing::TempDir() + "offhook-access.toml"; }
    void TearDown() override { std::remove(path_.c_str()); }

    base::Result<config::Loaded> load(const std::string& text) {
        std::ofstream(path_) << text;
        config::LoadRequest request;
        request.file = path_;
        return config::load(request);
    }
    std::string problem_of(const std::string& text) {
        const auto loaded = load(text);
        return loaded ? "no problem" : loaded.error().message;
    }
    static std::string token(const std::string& more) {
        return "[[token]]\nname = \"ops\"\n" + more;
    }

    std::string path_;
};

TEST_F(AccessConfig, ATokenIsItsDigest) {
    const auto loaded = load(token(
        "user = \"Anna Ö.\"\nscopes = [\"read\", \"operate\"]\nsha256 = \"" + kDigest + "\"\n"));
    ASSERT_TRUE(loaded) << loaded.error().text();
    ASSERT_EQ(loaded->config.token.size(), 1U);
    EXPECT_EQ(loaded->config.token[0].user, "Anna Ö.");
    EXPECT_EQ(loaded->config.token[0].sha256, kDigest);
    EXPECT_EQ(loaded->config.token[0].scopes, (std::vector<std::string>{"read", "operate"}));
}

TEST_F(AccessConfig, TheTokenItselfIsRefusedAndNotRepeated) {
    EXPECT_THAT(problem_of(token("scopes = [\"read\"]\ntoken = \"oht1.very-secret\"\n")),
                AllOf(HasSubstr("token_file"), Not(HasSubstr("very-secret"))));
    EXPECT_THAT(problem_of("[http]\njoin_key = \"very-secret\"\n"),
                AllOf(HasSubstr("join_key_file"), Not(HasSubstr("very-secret"))));
}

TEST_F(AccessConfig, ATokenHasScopesAndOneSource) {
    const std::string scopes = "scopes = [\"read\"]\n";
    const std::string digest = "sha256 = \"" + kDigest + "\"\n";
    EXPECT_EQ(problem_of(token(scopes + digest)), "no problem");
    EXPECT_EQ(problem_of(token(scopes + "token_file = \"/etc/offhook/token\"\n")), "no problem");
    EXPECT_THAT(problem_of(token(digest)), HasSubstr("scopes is missing"));
    EXPECT_THAT(problem_of(token("scopes = []\n" + digest)), HasSubstr("1 to 6"));
    EXPECT_THAT(problem_of(token("scopes = [\"write\"]\n" + digest)), HasSubstr("is none of read"));
    EXPECT_THAT(problem_of(token(scopes)), HasSubstr("offhook token new"));
    EXPECT_THAT(problem_of(token(scopes + digest + "token_env = \"TOKEN\"\n")),
                HasSubstr("not the only source"));
    EXPECT_THAT(problem_of(token(scopes + "sha256 = \"" + std::string(64, 'A') + "\"\n")),
                HasSubstr("64 hex digits"));
    EXPECT_THAT(problem_of(token(scopes + digest) + token(scopes + digest)),
                HasSubstr("is the name of another [[token]]"));
    EXPECT_THAT(problem_of("[token]\nname = \"x\"\n"), HasSubstr("write [[token]]"));
}

TEST_F(AccessConfig, ListeningBeyondLoopbackTakesAWishAndAToken) {
    const std::string listen = "[http]\nlisten = \"0.0.0.0:5000\"\n";
    const std::string wish = "allow_remote = true\n";
    const std::string ops = token("scopes = [\"read\"]\nsha256 = \"" + kDigest + "\"\n");
    EXPECT_THAT(problem_of(listen), AllOf(HasSubstr("[[token]]"), HasSubstr("offhook token new")));
    EXPECT_THAT(problem_of(listen + wish), HasSubstr("[[token]]")) << "the wish is not enough";
    EXPECT_THAT(problem_of(listen + ops), HasSubstr("allow_remote"));
    EXPECT_EQ(problem_of(listen + wish + ops), "no problem");
    EXPECT_EQ(problem_of("[http]\nlisten = \"[::1]:5000\"\n"), "no problem");
}

TEST_F(AccessConfig, ProxiesAndOriginsAreExact) {
    const auto loaded = load(
        "[http]\nproxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\norigins = "
        "[\"https://app.example.com\"]\n");
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->config.http.proxies.size(), 2U);
    EXPECT_THAT(problem_of("[http]\nproxies = [\"10.0.0.1/8\"]\n"), HasSubstr("http.proxies"));
    EXPECT_THAT(problem_of("[http]\nproxies = [\"nginx\"]\n"), HasSubstr("http.proxies"));
    EXPECT_THAT(problem_of("[http]\norigins = [\"*\"]\n"), HasSubstr("http.origins"));
    EXPECT_THAT(problem_of("[http]\norigins = [\"null\"]\n"), HasSubstr("http.origins"));
    EXPECT_THAT(problem_of("[http]\njoin_key_file = \"/a\"\njoin_key_env = \"B\"\n"),
                HasSubstr("not the only source"));
}

}  // namespace
}  // namespace offhook
