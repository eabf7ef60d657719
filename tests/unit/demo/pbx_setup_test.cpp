#include "demo/pbx_setup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "config/load.h"

namespace offhook {
namespace {

using base::ErrorCode;
using demo::PbxForm;
using demo::PbxSetup;
using demo::PbxVerdict;
using model::AccountInfo;
using model::AccountState;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::string kPassword = "correct \"horse\" \\ battery";

class PbxSetupTest : public testing::Test {
protected:
    PbxSetupTest() {
        std::string name = (fs::temp_directory_path() / "offhook-setup-XXXXXX").string();
        folder_ = mkdtemp(name.data());
    }
    ~PbxSetupTest() override { fs::remove_all(folder_); }

    PbxSetup make(std::chrono::milliseconds limit = 10s) {
        return PbxSetup(
            {.settings = {.setup_directory = (folder_ / "pbx").string(),
                          .setup_command = "scripts/run serve --config"},
             .context = g_main_context_default(),
             .set_account = [this](const config::Account& account,
                                   const base::Secret& password) -> base::Result<void> {
                 set_.push_back(account);
                 passwords_.push_back(password.reveal());
                 return {};
             },
             .remove_account = [this](const std::string& name) { removed_.push_back(name); },
             .limit = limit});
    }
    static PbxForm form() {
        PbxForm form;
        form.domain = "pbx.example.com";
        form.user = "200";
        form.password = base::Secret(kPassword);
        form.transport = "tls";
        return form;
    }
    static std::string text_of(const fs::path& path) {
        std::ifstream file(path);
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }
    static unsigned mode_of(const fs::path& path) {
        struct stat info {};
        EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
        return info.st_mode & 0777U;
    }

    fs::path folder_;
    std::vector<config::Account> set_;
    std::vector<std::string> passwords_, removed_;
};

TEST_F(PbxSetupTest, TriesAndTellsHowItFared) {
    PbxSetup setup = make();
    std::vector<PbxVerdict> verdicts;
    ASSERT_TRUE(
        setup.test(form(), [&](const PbxVerdict& verdict) { verdicts.push_back(verdict); }));
    ASSERT_EQ(set_.size(), 1U);
    EXPECT_EQ(set_[0].domain, "pbx.example.com");
    EXPECT_EQ(set_[0].transport, "tls");
    EXPECT_EQ(passwords_[0], kPassword);
    EXPECT_EQ(setup.test(form(), {}).error().code, ErrorCode::Conflict);

    AccountInfo info;
    info.name = set_[0].name;
    info.state = AccountState::Registering;
    EXPECT_TRUE(setup.seen(info));
    EXPECT_TRUE(verdicts.empty());
    info.state = AccountState::Waiting;
    info.last_status = 403;
    info.last_answer = "403 Forbidden: the registrar does not let 200 register from here";
    EXPECT_TRUE(setup.seen(info));
    ASSERT_EQ(verdicts.size(), 1U);
    EXPECT_FALSE(verdicts[0].is_registered);
    EXPECT_EQ(verdicts[0].cause, "forbidden");
    EXPECT_EQ(verdicts[0].sentence, info.last_answer);
    EXPECT_EQ(removed_, (std::vector<std::string>{set_[0].name}));

    // What it says while it leaves is no verdict, and of another account it is not ours.
    info.state = AccountState::Unregistered;
    EXPECT_TRUE(setup.seen(info));
    info.name = "office";
    EXPECT_FALSE(setup.seen(info));
    EXPECT_EQ(verdicts.size(), 1U);
    EXPECT_TRUE(setup.test(form(), {}));
    EXPECT_NE(set_[1].name, set_[0].name);
}

TEST_F(PbxSetupTest, SilenceIsAVerdictAsWell) {
    PbxSetup setup = make(20ms);
    std::optional<PbxVerdict> verdict;
    ASSERT_TRUE(setup.test(form(), [&](const PbxVerdict& told) { verdict = told; }));
    while (!verdict) g_main_context_iteration(nullptr, TRUE);
    EXPECT_EQ(verdict->cause, "timeout");
    EXPECT_EQ(removed_.size(), 1U);
}

TEST_F(PbxSetupTest, WhoLeavesTakesTheAccountAlong) {
    PbxSetup setup = make();
    ASSERT_TRUE(setup.test(form(), [](const PbxVerdict&) { FAIL(); }));
    setup.cancel();
    EXPECT_EQ(removed_.size(), 1U);
}

TEST(PbxVerdictOf, NamesTheCause) {
    const auto cause = [](AccountState state, int status, const std::string& answer) {
        AccountInfo info;
        info.state = state;
        info.last_status = status;
        info.last_answer = answer;
        const auto verdict = demo::verdict_of(info);
        return verdict ? verdict->cause : "";
    };
    const auto failed = [&](int status, const std::string& answer) {
        return cause(AccountState::Waiting, status, answer);
    };
    EXPECT_EQ(cause(AccountState::Registered, 200, "registered for 300 s"), "registered");
    EXPECT_EQ(cause(AccountState::Connecting, 0, ""), "");
    EXPECT_EQ(cause(AccountState::Registering, 401, "401 Unauthorized"), "");
    EXPECT_EQ(failed(401, "401 Unauthorized: user or password are wrong; check"), "wrong-password");
    EXPECT_EQ(cause(AccountState::Failed, 403, "403 Forbidden: no"), "forbidden");
    EXPECT_EQ(failed(404, "404 Not Found: the registrar has no user 200"), "unknown-user");
    EXPECT_EQ(failed(408, "cannot find nosuch.invalid"), "unknown-host");
    EXPECT_EQ(failed(408, "no connection with 127.0.0.1:1: Connection refused"),
              "connection-refused");
    EXPECT_EQ(failed(408, "the certificate of pbx was refused: it is for a and not for \"b\""),
              "tls-name");
    EXPECT_EQ(failed(408, "the certificate of pbx was refused: it is self-signed"),
              "tls-certificate");
    EXPECT_EQ(failed(408, "pbx does not speak TLS: check port and transport"), "no-tls");
    EXPECT_EQ(failed(408, "no answer to REGISTER in 5 s"), "timeout");
    EXPECT_EQ(failed(503, "503 Service Unavailable: the registrar is in trouble"), "refused");
}

TEST(PbxProblemOf, NamesTheField) {
    const auto field = [](auto change) {
        PbxForm form;
        form.domain = "pbx.example.com";
        form.user = "200";
        change(form);
        const auto problem = demo::problem_of(form);
        return problem ? problem->field : "";
    };
    EXPECT_EQ(field([](PbxForm&) {}), "");
    EXPECT_EQ(field([](PbxForm& form) { form.domain.clear(); }), "domain");
    EXPECT_EQ(field([](PbxForm& form) { form.domain = "a b"; }), "domain");
    EXPECT_EQ(field([](PbxForm& form) { form.user = "2\"00"; }), "user");
    EXPECT_EQ(field([](PbxForm& form) { form.transport = "sctp"; }), "transport");
    EXPECT_EQ(field([](PbxForm& form) { form.outbound_proxy = "x\ny"; }), "outbound_proxy");
    EXPECT_EQ(field([](PbxForm& form) { form.password = base::Secret("a\nb"); }), "password");
    EXPECT_EQ(field([](PbxForm& form) { form.password = base::Secret(std::string("a\0b", 3)); }),
              "password");
    EXPECT_EQ(field([](PbxForm& form) { form.password = base::Secret(std::string(257, 'x')); }),
              "password");
}

TEST_F(PbxSetupTest, WritesWhatTheDaemonTakes) {
    const PbxSetup setup = make();
    const auto written = setup.write(form());
    ASSERT_TRUE(written) << written.error().text();
    EXPECT_FALSE(written->has_replaced);
    EXPECT_EQ(written->command, "scripts/run serve --config " + written->config_file);
    EXPECT_EQ(text_of(written->password_file), kPassword);
    EXPECT_EQ(mode_of(written->password_file), 0600U);
    EXPECT_EQ(mode_of(fs::path(written->config_file).parent_path()), 0700U);
    EXPECT_EQ(text_of(written->config_file).find("horse"), std::string::npos);
    const auto loaded = config::load({.file = written->config_file, .environment = {}, .sets = {}});
    ASSERT_TRUE(loaded) << loaded.error().text();
    ASSERT_EQ(loaded->config.account.size(), 1U);
    const config::Account& account = loaded->config.account[0];
    EXPECT_EQ(account.user, "200");
    EXPECT_EQ(account.transport, "tls");
    EXPECT_EQ(account.password_file, written->password_file);

    PbxForm other = form();
    other.user = "201";
    const auto again = setup.write(other);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->has_replaced);
    EXPECT_NE(text_of(again->config_file).find("\"201\""), std::string::npos);
    EXPECT_NE(text_of(again->config_file + ".old").find("\"200\""), std::string::npos);
}

TEST_F(PbxSetupTest, LeavesNothingBehindWhenItFails) {
    const PbxSetup setup = make();
    PbxForm bad = form();
    bad.ca_file = "/nonexistent/authority.pem";
    const auto refused = setup.write(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    EXPECT_TRUE(!fs::exists(folder_ / "pbx") || fs::is_empty(folder_ / "pbx"));

    std::ofstream(folder_ / "pbx-file") << "x";
    PbxSetup blocked({.settings = {.setup_directory = (folder_ / "pbx-file").string()},
                      .context = g_main_context_default(),
                      .set_account = {},
                      .remove_account = {}});
    EXPECT_FALSE(blocked.write(form()));
    PbxSetup nowhere({.settings = {},
                      .context = g_main_context_default(),
                      .set_account = {},
                      .remove_account = {}});
    EXPECT_EQ(nowhere.write(form()).error().code, ErrorCode::Conflict);
}

}  // namespace
}  // namespace offhook
