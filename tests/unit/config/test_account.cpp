// [[account]]: what is asked of it, and what nobody may write into it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/reference.h"
#include "config_file_test.h"

namespace offhook::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AccountConfig : public ConfigFileTest {
protected:
    /// A good account, with lines added.
    static std::string account(const std::string& lines = {}) {
        return "[[account]]\nname = \"desk\"\nuser = \"200\"\ndomain = \"pbx.example.com\"\n" +
               lines;
    }
};

TEST_F(AccountConfig, the_least_that_is_needed) {
    const auto loaded = load_text(account());
    ASSERT_TRUE(loaded) << loaded.error().text();
    ASSERT_EQ(loaded->config.account.size(), 1U);
    const Account& desk = loaded->config.account.front();
    EXPECT_EQ(desk.user, "200");
    EXPECT_EQ(desk.transport, "udp");
    EXPECT_EQ(desk.answer_delay_ms, -1);
    EXPECT_FALSE(desk.allow_outbound);
    EXPECT_TRUE(loaded->config.sip.listen.empty()) << "nothing listens unasked";
    EXPECT_THAT(show(*loaded, false), HasSubstr("[[account]]\nname = \"desk\""));
}

TEST_F(AccountConfig, what_listens_is_said_or_there_is_an_account) {
    EXPECT_EQ(load_text("")->config.sip.listen.size(), 2U);
    const auto both = load_text("[sip]\nlisten = [\"udp:127.0.0.1:0\"]\n" + account());
    ASSERT_TRUE(both);
    EXPECT_EQ(both->config.sip.listen.size(), 1U);
    EXPECT_THAT(problem_of("[sip]\nlisten = []\n"), HasSubstr("nobody could call"));
}

TEST_F(AccountConfig, a_password_in_the_file_is_refused_and_not_repeated) {
    const std::string problem = problem_of(account("password = \"rosebud\"\n"));
    EXPECT_THAT(problem, HasSubstr("offhook.toml:5: account[0].password must not stand"));
    EXPECT_THAT(problem, HasSubstr("password_file"));
    EXPECT_THAT(problem, Not(HasSubstr("rosebud")));
    EXPECT_THAT(problem_of(account("password_file = \"/x\"\npassword_env = \"X\"\n")),
                HasSubstr("keep one of"));
}

TEST_F(AccountConfig, what_is_missing_or_wrong_is_told_with_its_place) {
    EXPECT_THAT(problem_of("[[account]]\nname = \"desk\"\n"),
                HasSubstr("account[0].user is missing: the extension"));
    EXPECT_THAT(problem_of("[[account]]\nname = \"desk\"\nuser = \"200\"\n"),
                HasSubstr("account[0].domain is missing"));
    EXPECT_THAT(problem_of(account() + account()), HasSubstr("name of another [[account]]"));
    EXPECT_THAT(problem_of(account("outbound_prox = \"x\"\n")),
                HasSubstr("did you mean \"outbound_proxy\"?"));
    EXPECT_THAT(problem_of(account("transport = \"sctp\"\n")), HasSubstr("udp, tcp, tls, ws, wss"));
    EXPECT_THAT(problem_of(account("allow_outbound = true\n")), HasSubstr("needs outbound_allow"));
    EXPECT_THAT(problem_of(account("route = \"defalt\"\n")),
                HasSubstr("is not the name of a [[route]]; did you mean \"default\"?"));
    EXPECT_THAT(
        problem_of(account() + "[[route]]\nname = \"r\"\nai = \"echo\"\naccount = \"dsk\"\n"),
        HasSubstr("is not the name of an [[account]]; did you mean \"desk\"?"));
    EXPECT_EQ(
        problem_of(account() + "[[route]]\nname = \"r\"\nai = \"echo\"\naccount = \"desk\"\n"),
        "no problem");
}

TEST_F(AccountConfig, ringcentral_says_what_it_needs) {
    const auto with = [](const std::string& lines) {
        return "[[account]]\nname = \"rc\"\nkind = \"ringcentral\"\n" + lines;
    };
    const std::string app =
        "client_id = \"id\"\nclient_secret_file = \"/s\"\njwt_credential = \"jwt\"\n";
    const auto phone = load_text(with(app + "device_id = \"6007\"\n"));
    ASSERT_TRUE(phone) << phone.error().text();
    EXPECT_EQ(phone->config.account.front().transport, "tls");
    EXPECT_EQ(phone->config.account.front().ringcentral.server, "https://platform.ringcentral.com");
    EXPECT_EQ(problem_of(with(app + "transport = \"wss\"\n")), "no problem");

    const std::string nothing = problem_of(with(""));
    EXPECT_THAT(nothing, HasSubstr("account[0].client_id is missing"));
    EXPECT_THAT(nothing, HasSubstr("client_secret_file, client_secret_env"));
    EXPECT_THAT(nothing, HasSubstr("jwt_file, jwt_env"));
    EXPECT_THAT(nothing, HasSubstr("account[0].device_id is missing"));
    EXPECT_THAT(problem_of(with(app + "transport = \"udp\"\n")), HasSubstr("must be \"tls\""));
    EXPECT_THAT(problem_of(with(app + "transport = \"wss\"\ndevice_id = \"6007\"\n")),
                HasSubstr("offhook.toml:8: account[0].device_id is for transport"));
    EXPECT_THAT(problem_of(with(app + "device_id = \"6007\"\njwt_env = \"J\"\n")),
                HasSubstr("keep one of jwt_file"));
    EXPECT_THAT(problem_of(with(app + "device_id = \"6007\"\nuser = \"200\"\n")),
                HasSubstr("account[0].user comes from RingCentral"));
    EXPECT_THAT(problem_of(with(app + "device_id = \"6007\"\ninsecure = true\n")),
                HasSubstr("account[0].insecure is not for RingCentral"));
    EXPECT_THAT(problem_of(account("client_id = \"id\"\n")),
                HasSubstr("account[0].client_id is for kind = \"ringcentral\" only"));
    for (const std::string bad : {"http://platform.ringcentral.com",
                                  "https://platform.ringcentral.com/",
                                  "https://",
                                  "platform.ringcentral.com"}) {
        EXPECT_THAT(problem_of(with(app + "server = \"" + bad + "\"\n")),
                    HasSubstr("must be https://host"))
            << bad;
    }
    const std::string secret = problem_of(with(app + "jwt = \"rosebud\"\n"));
    EXPECT_THAT(secret, HasSubstr("account[0].jwt must not stand"));
    EXPECT_THAT(secret, HasSubstr("jwt_file"));
    EXPECT_THAT(secret, Not(HasSubstr("rosebud")));
}

TEST_F(AccountConfig, hosts_with_and_without_ports) {
    for (const std::string good : {"pbx.example.com",
                                   "pbx.example.com:5080",
                                   "192.0.2.1",
                                   "192.0.2.1:5060",
                                   "2001:db8::1",
                                   "[2001:db8::1]:5061"}) {
        EXPECT_EQ(problem_of(account("outbound_proxy = \"" + good + "\"\n")), "no problem") << good;
    }
    for (const std::string bad : {"sip:pbx.example.com",
                                  "wss://pbx.example.com/ws",
                                  "pbx example",
                                  "pbx:0",
                                  "pbx:70000",
                                  ":5060",
                                  "[pbx]:5060"}) {
        EXPECT_THAT(problem_of(account("outbound_proxy = \"" + bad + "\"\n")),
                    HasSubstr("must be HOST or HOST:PORT"))
            << bad;
    }
    EXPECT_THAT(problem_of("[[account]]\nname = \"a\"\nuser = \"2\"\ndomain = \"pbx:5060\"\n"),
                HasSubstr("without a port"));
    EXPECT_THAT(problem_of("[[account]]\nname = \"a\"\nuser = \"200@pbx\"\ndomain = \"pbx\"\n"),
                HasSubstr("account[0].user"));
}

}  // namespace
}  // namespace offhook::config
