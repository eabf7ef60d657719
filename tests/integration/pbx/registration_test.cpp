// Offhook registers at a real registrar, over every transport, and stays registered through what
// registrars and networks do.

#include <signal.h>

#include <filesystem>
#include <fstream>

#include "pbx/path_relay.h"
#include "pbx/proof.h"

namespace offhook::harness {
namespace {

using Transport = Pbx::Transport;

const std::vector<std::pair<std::string, Transport>> kTransports{{"udp", Transport::Udp},
                                                                 {"tcp", Transport::Tcp},
                                                                 {"tls", Transport::Tls},
                                                                 {"ws", Transport::Ws},
                                                                 {"wss", Transport::Wss}};

class RegistrationTest : public ProofTest {
protected:
    /// A PBX with a user for each transport, named after it.
    void start_pbx_for_all(Pbx::Options options) {
        options.users.clear();
        for (const auto& [name, transport] : kTransports) options.users.push_back({name});
        pbx_ = std::make_unique<Pbx>(folder_, options);
    }
    /// @param more  tables in front of the accounts
    void start_with(const std::string& accounts, const std::string& more = {}) {
        Daemon::Options options;
        options.more =
            "[state]\ndirectory = \"" + (folder_ / "state").string() + "\"\n" + more + accounts;
        daemon_ = std::make_unique<Daemon>(folder_, options);
    }
    [[nodiscard]] Json account(const std::string& name) {
        return daemon_->json("/api/v1/accounts/" + name);
    }
    testing::AssertionResult becomes(const std::string& name,
                                     const std::string& state,
                                     milliseconds limit = seconds(10)) {
        if (eventually(limit, nullptr, [&] { return account(name).text("state") == state; }))
            return testing::AssertionSuccess();
        return testing::AssertionFailure()
               << name << " is not " << state << ": " << daemon_->get("/api/v1/accounts").body;
    }
};

TEST_F(RegistrationTest, EveryTransportAndDigest) {
    struct Digest {
        std::string algorithm;
        bool has_qop;
    };
    for (const Digest& digest :
         {Digest{"MD5", true}, Digest{"MD5", false}, Digest{"SHA-256", true}}) {
        SCOPED_TRACE(digest.algorithm + (digest.has_qop ? "" : " without qop"));
        Pbx::Options options;
        options.name = "pbx-" + digest.algorithm + (digest.has_qop ? "" : "-plain");
        options.algorithm = digest.algorithm;
        options.has_qop = digest.has_qop;
        start_pbx_for_all(options);
        std::string accounts;
        for (const auto& [name, transport] : kTransports)
            accounts += pbx_->account(name, transport);
        start_with(accounts);
        for (const auto& [name, transport] : kTransports) {
            ASSERT_TRUE(becomes(name, "registered"));
            EXPECT_EQ(pbx_->contacts(name).size(), 1U) << name;
            const Json shown = account(name);
            EXPECT_TRUE(shown.text("flow").starts_with(name + ":127.0.0.1:")) << shown.text("flow");
            EXPECT_EQ(shown.number("last_status"), 200);
            EXPECT_EQ(shown.number("registrations"), 1);
            EXPECT_EQ(shown.number("failures"), 0);
            EXPECT_GT(shown.number("expires_in_s"), 50);
            EXPECT_LE(shown.number("next_try_in_s"), 51);
        }
        const Json health = Json(daemon_->get("/health").body);
        EXPECT_EQ(health.text("checks.accounts.detail"), "5 of 5 registered");

        // At the end the registrar knows nobody any more.
        daemon_->process().signal(SIGTERM);
        ASSERT_TRUE(daemon_->process().wait(seconds(10)));
        for (const auto& [name, transport] : kTransports)
            EXPECT_TRUE(pbx_->contacts(name).empty()) << name;
        daemon_.reset();
        pbx_.reset();
    }
}

TEST_F(RegistrationTest, WrongPasswordIsToldOnceAndTriedThreeTimes) {
    Pbx::Options options;
    options.users = {{"alice"}};
    pbx_ = std::make_unique<Pbx>(folder_, options);
    const std::string text = pbx_->account("alice", Transport::Tcp);
    const std::filesystem::path file = folder_ / "wrong.password";
    std::ofstream(file) << "open-sesame\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
    start_with(
        "[[account]]\nname = \"alice\"\nuser = \"alice\"\ndomain = \"pbx.test\"\n"
        "transport = \"tcp\"\noutbound_proxy = \"127.0.0.1:" +
        std::to_string(pbx_->port(Transport::Tcp)) + "\"\npassword_file = \"" + file.string() +
        "\"\n");
    ASSERT_TRUE(becomes("alice", "failed", seconds(15)));
    EXPECT_TRUE(stays_alive(daemon_->process(), seconds(3)));
    EXPECT_EQ(pbx_->wrong_passwords("alice"), 3U);
    EXPECT_EQ(daemon_->count_events("account.failed"), 1U);
    EXPECT_EQ(daemon_->count_events("account.lost"), 1U);
    const HttpAnswer health = daemon_->get("/health");
    EXPECT_EQ(health.status, 503);
    EXPECT_NE(health.body.find("account \\\"alice\\\" gave up: 401"), std::string::npos)
        << health.body;
    EXPECT_EQ(daemon_->process().output().find("open-sesame"), std::string::npos);
    EXPECT_EQ(health.body.find("open-sesame"), std::string::npos);
    EXPECT_GT(account("alice").number("next_try_in_s"), 1700);
}

TEST_F(RegistrationTest, StaleNoncesAndShortGrantsAreRefreshedInTime) {
    Pbx::Options options;
    options.nonce_expire = seconds(1);
    options.expires = seconds(4);
    start_pbx_for_all(options);
    std::string accounts;
    for (const auto& [name, transport] : kTransports) accounts += pbx_->account(name, transport);
    start_with(accounts);
    for (const auto& [name, transport] : kTransports) {
        ASSERT_TRUE(becomes(name, "registered"));
        EXPECT_TRUE(eventually(seconds(15), nullptr, [&, &user = name] {
            return pbx_->registrations(user) >= 4;
        })) << name;
        const Json shown = account(name);
        EXPECT_EQ(shown.text("state"), "registered");
        EXPECT_EQ(shown.number("failures"), 0) << shown.text("last_answer");
        EXPECT_EQ(shown.number("flow_losses"), 0);
        EXPECT_EQ(pbx_->contacts(name).size(), 1U);
        EXPECT_EQ(pbx_->wrong_passwords(name), 0U);
    }
    EXPECT_EQ(daemon_->count_events("account.registered"), kTransports.size());
    EXPECT_EQ(daemon_->count_events("account.lost"), 0U);
}

TEST_F(RegistrationTest, IntervalTooBriefIsAskedForAnew) {
    Pbx::Options options;
    options.users = {{"alice"}};
    options.min_expires = seconds(90);
    options.expires = seconds(600);
    pbx_ = std::make_unique<Pbx>(folder_, options);
    start_with(pbx_->account("alice", Transport::Tcp) + "expires_s = 30\n");
    ASSERT_TRUE(becomes("alice", "registered"));
    EXPECT_GT(account("alice").number("expires_in_s"), 85);
    EXPECT_EQ(account("alice").number("failures"), 0);
}

TEST_F(RegistrationTest, RefusalsSayWhatToDo) {
    struct Case {
        int status;
        std::string state, words;
    };
    for (const Case& one : {Case{603, "waiting", "every place this user may register is taken"},
                            Case{403, "failed", "does not let alice register from here"},
                            Case{404, "failed", "has no user alice at pbx.test"},
                            Case{400, "waiting", "the registrar refused"},
                            Case{500, "waiting", "in trouble"}}) {
        SCOPED_TRACE(one.status);
        Pbx::Options options;
        options.users = {{"alice"}};
        options.name = "pbx-" + std::to_string(one.status);
        pbx_ = std::make_unique<Pbx>(folder_, options);
        pbx_->answer_registers_with(one.status);
        start_with(pbx_->account("alice", Transport::Udp));
        ASSERT_TRUE(becomes("alice", one.state, seconds(15)));
        const Json shown = account("alice");
        EXPECT_EQ(shown.number("last_status"), one.status);
        EXPECT_NE(shown.text("last_answer").find(one.words), std::string::npos)
            << shown.text("last_answer");
        if (one.status == 603) {
            EXPECT_GE(shown.number("next_try_in_s"), 55);
            EXPECT_LE(shown.number("next_try_in_s"), 120);
        }
        daemon_.reset();
        pbx_.reset();
    }
}

TEST_F(RegistrationTest, RetryAfterIsHonouredAndNotExceeded) {
    Pbx::Options options;
    options.users = {{"alice"}};
    pbx_ = std::make_unique<Pbx>(folder_, options);
    pbx_->answer_registers_with(503, seconds(3));
    start_with(pbx_->account("alice", Transport::Tls));
    ASSERT_TRUE(becomes("alice", "waiting"));
    const auto since = Clock::now();
    pbx_->answer_registers();
    ASSERT_TRUE(becomes("alice", "registered", seconds(7)));
    EXPECT_GE(Clock::now() - since, milliseconds(2500));
    EXPECT_LE(Clock::now() - since, seconds(6));
    EXPECT_EQ(account("alice").number("flow_losses"), 0) << "the connection was kept";
}

TEST_F(RegistrationTest, CutPathsAreBackWithinThreeSecondsWithoutOldContacts) {
    Pbx::Options options;
    options.keeps_one_contact = false;
    start_pbx_for_all(options);
    std::map<std::string, std::unique_ptr<TcpRelay>> relays;
    std::string accounts;
    for (const auto& [name, transport] : kTransports) {
        if (transport == Transport::Udp) continue;
        relays[name] = std::make_unique<TcpRelay>(pbx_->port(transport));
        accounts += pbx_->account(name, transport, relays[name]->port());
    }
    start_with(accounts);
    for (const auto& [name, relay] : relays) ASSERT_TRUE(becomes(name, "registered"));
    for (const auto& [name, relay] : relays) relay->set(Path::Cut);
    for (const auto& [name, relay] : relays) ASSERT_TRUE(becomes(name, "waiting", seconds(3)));
    ASSERT_TRUE(stays_alive(daemon_->process(), seconds(4)));
    const auto since = Clock::now();
    for (const auto& [name, relay] : relays) relay->set(Path::Open);
    for (const auto& [name, relay] : relays) EXPECT_TRUE(becomes(name, "registered", seconds(3)));
    EXPECT_LE(Clock::now() - since, seconds(3));
    for (const auto& [name, relay] : relays) {
        EXPECT_TRUE(eventually(
            seconds(3), nullptr, [&, &user = name] { return pbx_->contacts(user).size() == 1; }))
            << name << " has " << pbx_->contacts(name).size();
        EXPECT_EQ(account(name).number("flow_losses"), 1);
    }
    EXPECT_EQ(daemon_->count_events("account.lost"), relays.size());
}

TEST_F(RegistrationTest, SilentRegistrarIsLeftAndFoundAgain) {
    Pbx::Options options;
    options.expires = seconds(6);
    start_pbx_for_all(options);
    std::string accounts;
    for (const auto& [name, transport] : kTransports) accounts += pbx_->account(name, transport);
    start_with(accounts);
    for (const auto& [name, transport] : kTransports) ASSERT_TRUE(becomes(name, "registered"));
    pbx_->ignore_registers();
    for (const auto& [name, transport] : kTransports) {
        EXPECT_TRUE(eventually(seconds(15), nullptr, [&, &user = name] {
            return account(user).number("last_status") == 408;
        })) << name;
        EXPECT_NE(account(name).text("last_answer").find("no answer to REGISTER"),
                  std::string::npos);
    }
    pbx_->answer_registers();
    const auto since = Clock::now();
    for (const auto& [name, transport] : kTransports)
        EXPECT_TRUE(becomes(name, "registered", seconds(6))) << name;
    // A REGISTER that the registrar swallowed before it came back may take its 5 s.
    EXPECT_LE(Clock::now() - since, milliseconds(6500));
}

TEST_F(RegistrationTest, BackupTakesOverAndThePrimaryComesBack) {
    Pbx::Options options;
    options.users = {{"alice"}};
    pbx_ = std::make_unique<Pbx>(folder_, options);
    TcpRelay primary(pbx_->port(Transport::Tcp));
    start_with(pbx_->account("alice", Transport::Tcp, primary.port()) +
               "backup_proxy = \"127.0.0.1:" + std::to_string(pbx_->port(Transport::Tcp)) +
               "\"\nswitch_back_s = 2\n");
    ASSERT_TRUE(becomes("alice", "registered"));
    EXPECT_EQ(account("alice").text("proxy"), "primary");
    primary.set(Path::Cut);
    EXPECT_TRUE(eventually(seconds(5), nullptr, [&] {
        return account("alice").text("proxy") == "backup" &&
               account("alice").text("state") == "registered";
    })) << daemon_->get("/api/v1/accounts").body;
    primary.set(Path::Open);
    EXPECT_TRUE(eventually(seconds(6), nullptr, [&] {
        return account("alice").text("proxy") == "primary" &&
               account("alice").text("state") == "registered";
    })) << daemon_->get("/api/v1/accounts").body;
    // From one proxy to the other without a gap, and one contact in the end.
    EXPECT_EQ(daemon_->count_events("account.lost"), 1U);
    EXPECT_TRUE(
        eventually(seconds(3), nullptr, [&] { return pbx_->contacts("alice").size() == 1; }));
}

TEST_F(RegistrationTest, CertificatesAreCheckedAndInsecureIsComplainedAbout) {
    Pbx::Options options;
    options.users = {{"wrong"}, {"blind"}};
    pbx_ = std::make_unique<Pbx>(folder_, options);
    start_with(pbx_->account("wrong", Transport::Tls) + "tls_name = \"other.test\"\n" +
               pbx_->account("blind", Transport::Wss) +
               "tls_name = \"other.test\"\ninsecure = true\n");
    ASSERT_TRUE(becomes("blind", "registered"));
    ASSERT_TRUE(becomes("wrong", "waiting"));
    EXPECT_NE(account("wrong").text("last_answer").find("certificate"), std::string::npos)
        << account("wrong").text("last_answer");
    EXPECT_TRUE(pbx_->contacts("wrong").empty());
    const std::string health = daemon_->get("/health").body;
    EXPECT_NE(health.find("account \\\"blind\\\" takes any certificate"), std::string::npos)
        << health;
    EXPECT_EQ(daemon_->count_events("account.insecure"), 1U);
}

TEST_F(RegistrationTest, CallsTakeTheRouteAndTheDelayOfTheirAccount) {
    Pbx::Options options;
    options.users = {{"desk"}, {"night"}};
    pbx_ = std::make_unique<Pbx>(folder_, options);
    start_with(pbx_->account("desk", Transport::Tcp) +
                   "route = \"named\"\nanswer_delay_ms = 700\n" +
                   pbx_->account("night", Transport::Udp),
               "[[route]]\nname = \"night-only\"\naccount = \"night\"\nai = \"echo\"\n"
               "[[route]]\nname = \"rest\"\nai = \"echo\"\n"
               "[[route]]\nname = \"named\"\nai = \"echo\"\n");
    ASSERT_TRUE(becomes("desk", "registered"));
    ASSERT_TRUE(becomes("night", "registered"));
    for (const auto& [user, route] :
         std::map<std::string, std::string>{{"desk", "named"}, {"night", "night-only"}}) {
        const auto caller = call(user, seconds(2));
        const auto answered = daemon_->wait_event("call.answered");
        ASSERT_TRUE(answered) << user;
        EXPECT_EQ(answered->text("route"), route);
        if (user == "desk") {
            EXPECT_GE(answered->number("after_ms"), 690);
        } else {
            EXPECT_LT(answered->number("after_ms"), 300);
        }
        expect_ended_by_caller(*caller);
        EXPECT_TRUE(daemon_->wait_live_calls(0));
    }
}

TEST_F(RegistrationTest, InstanceIdOutlivesTheProcess) {
    Pbx::Options options;
    options.users = {{"alice"}};
    pbx_ = std::make_unique<Pbx>(folder_, options);
    std::string first;
    for (int i = 0; i < 2; ++i) {
        start_with(pbx_->account("alice", Transport::Udp));
        ASSERT_TRUE(becomes("alice", "registered"));
        std::ifstream in(folder_ / "state" / "instance-alice");
        std::string id;
        in >> id;
        EXPECT_EQ(id.size(), 36U);
        EXPECT_NE(pbx_->log().find(id), std::string::npos);
        if (i == 0) first = id;
        EXPECT_EQ(id, first);
        daemon_.reset();
    }
}

}  // namespace
}  // namespace offhook::harness
