#include "signalling/ringcentral/rc_provisioner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "http/loop_thread.h"
#include "http/scripted_server.h"
#include "state/folder.h"

namespace offhook::signalling::ringcentral {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScriptedServer;
using State = Provisioner::State;

constexpr const char* kToken =
    R"({"access_token":"at-1","expires_in":7199,"refresh_token":"rt-1",
        "refresh_token_expires_in":604799,"token_type":"bearer"})";
constexpr const char* kSipInfo =
    R"({"domain":"sip.example.com:5060","userName":"17205550100","password":"secret",
        "authorizationId":"801","outboundProxies":[{"region":"NA","proxyTLS":"na.example.com:5096"}]})";
constexpr const char* kProvision =
    R"({"sipInfo":[{"transport":"WSS","username":"17205550100*115","authorizationId":"802",
        "password":"secret","domain":"sip.example.com","outboundProxy":"sip1.example.com:8083"}]})";

struct Answer {
    int status = 200;
    std::string body;
    std::string headers{};
};

// Answers by what is asked; a queue of other answers for a path goes first.
class Rest {
public:
    Rest() : server_("", [this](const std::string& request) { return reply(request); }) {}

    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_.port());
    }
    void next(const std::string& path, Answer answer) {
        const std::lock_guard lock(mutex_);
        queued_[path].push_back(std::move(answer));
    }
    // Request lines, with the form or JSON behind them.
    [[nodiscard]] std::vector<std::string> asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    [[nodiscard]] std::vector<std::string> paths() {
        std::vector<std::string> all;
        for (const std::string& request : asked()) {
            const std::size_t from = request.find(' ') + 1;
            all.push_back(request.substr(from, request.find(' ', from) - from));
        }
        return all;
    }
    [[nodiscard]] bool wait_for(const std::string& path) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 10s, [&] {
            return !asked_.empty() && asked_.back().find(path) != std::string::npos;
        });
    }

private:
    ScriptedServer::Reply reply(const std::string& request) {
        const std::lock_guard lock(mutex_);
        const std::size_t from = request.find(' ') + 1;
        const std::string path = request.substr(from, request.find(' ', from) - from);
        asked_.push_back(request);
        changed_.notify_all();
        Answer answer{404, "{}"};
        if (path == "/restapi/oauth/token") answer = {200, kToken};
        if (path == "/restapi/oauth/revoke") answer = {200, ""};
        if (path == "/restapi/v1.0/account/~/device/7/sip-info") answer = {200, kSipInfo};
        if (path == "/restapi/v1.0/client-info/sip-provision") answer = {200, kProvision};
        if (auto& queue = queued_[path]; !queue.empty()) {
            answer = queue.front();
            queue.pop_front();
        }
        return {"HTTP/1.1 " + std::to_string(answer.status) + " X\r\nConnection: close\r\n" +
                answer.headers + "Content-Length: " + std::to_string(answer.body.size()) +
                "\r\n\r\n" + answer.body};
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::deque<Answer>> queued_;
    std::vector<std::string> asked_;
    ScriptedServer server_;  // last: its threads use the others
};

constexpr const char* kTokenPath = "/restapi/oauth/token";
constexpr const char* kRevokePath = "/restapi/oauth/revoke";
constexpr const char* kInfoPath = "/restapi/v1.0/account/~/device/7/sip-info";
constexpr const char* kProvisionPath = "/restapi/v1.0/client-info/sip-provision";

class ProvisionerTest : public ::testing::Test {
protected:
    ProvisionerTest() : directory_(*state::StateDirectory::open(folder_.path("s"))) {}
    void TearDown() override { stop(); }

    ProvisionerSettings settings(Kind kind = Kind::Tls) {
        ProvisionerSettings made;
        made.account = "office";
        made.app.server = rest_.url();
        made.app.client_id = "app id";
        made.app.client_secret = base::Secret("app:secret");
        made.app.jwt = base::Secret("ey.J+w/t");
        made.kind = kind;
        made.device_id = kind == Kind::Tls ? "7" : "";
        made.first_retry = 10ms;
        made.max_retry = 40ms;
        return made;
    }
    void start(ProvisionerSettings settings) {
        loop_.run([&] {
            auto made = Provisioner::create(
                std::move(settings), directory_, [this](const Provisioner& p) { note(p); });
            ASSERT_TRUE(made) << made.error().text();
            provisioner_ = *std::move(made);
            provisioner_->start();
        });
    }
    void stop() {
        loop_.run([&] { provisioner_.reset(); });
    }
    bool wait_for(State state) {
        std::unique_lock lock(mutex_);
        const bool came = changed_.wait_for(lock, 10s, [&] { return last_ == state; });
        last_.reset();  // the next wait is for the next change
        return came;
    }
    template <class F>
    auto with(F fn) {
        return loop_.run([&] { return fn(*provisioner_); });
    }

    state::Folder folder_;
    Rest rest_;
    state::StateDirectory directory_;
    testing::LoopThread loop_;
    std::unique_ptr<Provisioner> provisioner_;
    std::vector<std::chrono::milliseconds> pauses_;

private:
    void note(const Provisioner& p) {
        const std::lock_guard lock(mutex_);
        last_ = p.state();
        if (p.state() == State::Waiting) pauses_.push_back(p.next_try_in());
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<State> last_;
};

TEST_F(ProvisionerTest, AsksForADeviceWithAJwtAndGivesTheTokenBack) {
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    with([](Provisioner& p) {
        EXPECT_EQ(p.credentials()->user, "17205550100");
        EXPECT_EQ(p.credentials()->proxy, "na.example.com:5096");
        EXPECT_EQ(p.credentials()->device_id, "7");
        EXPECT_EQ(p.sentence(), "");
    });
    ASSERT_TRUE(rest_.wait_for(kRevokePath));
    EXPECT_THAT(rest_.paths(), ElementsAre(kTokenPath, kInfoPath, kRevokePath));
    const std::string token = rest_.asked()[0];
    EXPECT_THAT(token, HasSubstr("Authorization: Basic YXBwIGlkOmFwcDpzZWNyZXQ=\r\n"));
    EXPECT_THAT(token, HasSubstr("Content-Type: application/x-www-form-urlencoded\r\n"));
    EXPECT_THAT(token,
                HasSubstr("\r\n\r\ngrant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A"
                          "jwt-bearer&assertion=ey.J%2Bw%2Ft&client_id=app%20id"));
    EXPECT_THAT(rest_.asked()[1], HasSubstr("Authorization: Bearer at-1\r\n"));
    EXPECT_THAT(rest_.asked()[2], HasSubstr("token=at-1"));
}

TEST_F(ProvisionerTest, AsksForAWebPhone) {
    start(settings(Kind::Wss));
    ASSERT_TRUE(wait_for(State::Ready));
    with([](Provisioner& p) { EXPECT_EQ(p.credentials()->authorization_id, "802"); });
    ASSERT_TRUE(rest_.wait_for(kRevokePath));
    EXPECT_THAT(rest_.paths(), ElementsAre(kTokenPath, kProvisionPath, kRevokePath));
    EXPECT_THAT(rest_.asked()[1], HasSubstr("\r\n\r\n{\"sipInfo\":[{\"transport\":\"WSS\"}]}"));
}

TEST_F(ProvisionerTest, ARestartAsksNothing) {
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    ASSERT_TRUE(rest_.wait_for(kRevokePath));
    stop();
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    with([](Provisioner& p) { EXPECT_EQ(p.credentials()->user, "17205550100"); });
    EXPECT_EQ(rest_.asked().size(), 3U);
}

TEST_F(ProvisionerTest, ABrokenFileMeansAskingAnew) {
    ASSERT_TRUE(directory_.write("ringcentral-office", "{\"version\":1,"));
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    EXPECT_GE(rest_.asked().size(), 2U);
    EXPECT_THAT(*directory_.read("ringcentral-office"), HasSubstr("17205550100"));
}

TEST_F(ProvisionerTest, TroubleIsTriedAgainWithGrowingPauses) {
    for (int i = 0; i < 3; ++i) rest_.next(kInfoPath, {503, "{}"});
    rest_.next(kTokenPath, {500, ""});
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    ASSERT_EQ(pauses_.size(), 4U);
    const std::vector<int> expected{10, 20, 40, 40};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_GE(pauses_[i].count(), expected[i] * 8 / 10);
        EXPECT_LE(pauses_[i].count(), expected[i] * 12 / 10);
    }
    ASSERT_TRUE(rest_.wait_for(kRevokePath));
    // The token was good all the time: it was asked for once after it had come.
    EXPECT_THAT(
        rest_.paths(),
        ElementsAre(
            kTokenPath, kTokenPath, kInfoPath, kInfoPath, kInfoPath, kInfoPath, kRevokePath));
}

TEST_F(ProvisionerTest, RetryAfterIsHonoured) {
    rest_.next(kInfoPath, {429, "{}", "Retry-After: 1\r\n"});
    start(settings());
    ASSERT_TRUE(wait_for(State::Waiting));
    const auto began = std::chrono::steady_clock::now();
    EXPECT_GE(pauses_.at(0), 1000ms);
    with([](Provisioner& p) { EXPECT_THAT(p.sentence(), HasSubstr("asked too often")); });
    ASSERT_TRUE(wait_for(State::Ready));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 900ms);
}

TEST_F(ProvisionerTest, AServerThatIsNotThereIsTriedAgain) {
    ProvisionerSettings nowhere = settings();
    {
        const ScriptedServer gone("", [](const std::string&) { return ScriptedServer::Reply{}; });
        nowhere.app.server = "http://127.0.0.1:" + std::to_string(gone.port());
    }
    start(nowhere);
    ASSERT_TRUE(wait_for(State::Waiting));
    ASSERT_TRUE(wait_for(State::Waiting));
    with([](Provisioner& p) { EXPECT_THAT(p.sentence(), HasSubstr("cannot reach 127.0.0.1")); });
}

TEST_F(ProvisionerTest, WhatCannotPassStops) {
    rest_.next(kTokenPath, {400, R"({"error":"invalid_grant"})"});
    start(settings());
    ASSERT_TRUE(wait_for(State::Failed));
    with([](Provisioner& p) {
        EXPECT_THAT(p.sentence(), HasSubstr("does not accept the JWT"));
        EXPECT_FALSE(p.credentials());
    });
    stop();
    rest_.next(kInfoPath, {403, R"({"errorCode":"CMN-401"})"});
    start(settings());
    ASSERT_TRUE(wait_for(State::Failed));
    with([](Provisioner& p) { EXPECT_THAT(p.sentence(), HasSubstr("VoIP Calling")); });
    EXPECT_TRUE(rest_.wait_for(kRevokePath));
    EXPECT_TRUE(pauses_.empty());
    EXPECT_FALSE(directory_.read("ringcentral-office"));
}

TEST_F(ProvisionerTest, WhatAPersonMendedIsFoundGoodLater) {
    rest_.next(kInfoPath, {403, R"({"errorCode":"CMN-401"})"});
    ProvisionerSettings patient = settings();
    patient.failed_pause = 50ms;
    start(patient);
    ASSERT_TRUE(wait_for(State::Failed));
    ASSERT_TRUE(wait_for(State::Ready));
    with([](Provisioner& p) { EXPECT_EQ(p.next_try_in(), 0ms); });
    EXPECT_TRUE(pauses_.empty());
}

TEST_F(ProvisionerTest, ARefusedTokenIsRefreshedOnce) {
    rest_.next(kInfoPath, {401, R"({"errorCode":"OAU-213"})"});
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    const auto asked = rest_.asked();
    EXPECT_THAT(asked[2], HasSubstr("grant_type=refresh_token&refresh_token=rt-1"));
    EXPECT_TRUE(pauses_.empty());
}

TEST_F(ProvisionerTest, ARefusedRefreshTokenFallsBackToTheJwt) {
    rest_.next(kInfoPath, {401, "{}"});
    rest_.next(kTokenPath, {200, kToken});
    rest_.next(kTokenPath, {400, R"({"error":"invalid_grant"})"});
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    const auto asked = rest_.asked();
    EXPECT_THAT(asked[2], HasSubstr("grant_type=refresh_token"));
    EXPECT_THAT(asked[3], HasSubstr("jwt-bearer"));
}

TEST_F(ProvisionerTest, TokensRefusedAgainAndAgainAreNoStorm) {
    for (int i = 0; i < 20; ++i) rest_.next(kInfoPath, {401, "{}"});
    start(settings());
    ASSERT_TRUE(wait_for(State::Waiting));
    ASSERT_TRUE(wait_for(State::Waiting));
    EXPECT_LE(rest_.asked().size(), 8U);
}

TEST_F(ProvisionerTest, AnExpiredTokenIsNotUsedAgain) {
    rest_.next(kTokenPath, {200, R"({"access_token":"short","expires_in":30})"});
    rest_.next(kInfoPath, {500, ""});
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    EXPECT_THAT(rest_.asked()[1], HasSubstr("Bearer short"));
    EXPECT_THAT(rest_.asked()[2], HasSubstr("jwt-bearer"));
    EXPECT_THAT(rest_.asked()[3], HasSubstr("Bearer at-1"));
}

TEST_F(ProvisionerTest, CredentialsThatWereGoodAreReplacedWhenRefused) {
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    ASSERT_TRUE(rest_.wait_for(kRevokePath));
    with([](Provisioner& p) {
        p.on_accepted();
        p.on_refused();
        EXPECT_FALSE(p.credentials());
    });
    ASSERT_TRUE(wait_for(State::Ready));
    ASSERT_TRUE(rest_.wait_for(kRevokePath));
    EXPECT_EQ(rest_.asked().size(), 6U);
    // The new ones were never good: no third time.
    with([](Provisioner& p) { p.on_refused(); });
    ASSERT_TRUE(wait_for(State::Failed));
    with([](Provisioner& p) { EXPECT_THAT(p.sentence(), HasSubstr("a moment ago")); });
    EXPECT_EQ(rest_.asked().size(), 6U);
}

TEST_F(ProvisionerTest, KeptCredentialsThatAreRefusedAreReplaced) {
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    ASSERT_TRUE(rest_.wait_for(kRevokePath));
    stop();
    start(settings());
    ASSERT_TRUE(wait_for(State::Ready));
    with([](Provisioner& p) { p.on_refused(); });
    EXPECT_FALSE(directory_.read("ringcentral-office") &&
                 with([](Provisioner& p) { return p.state() == State::Failed; }));
    ASSERT_TRUE(wait_for(State::Ready));
    EXPECT_GE(rest_.asked().size(), 5U);
}

TEST_F(ProvisionerTest, MayBeDestroyedByWhatItTells) {
    rest_.next(kTokenPath, {400, R"({"error":"invalid_grant"})"});
    std::promise<void> gone;
    loop_.run([&] {
        auto made = Provisioner::create(settings(), directory_, [&](const Provisioner&) {
            provisioner_.reset();
            gone.set_value();
        });
        provisioner_ = *std::move(made);
        provisioner_->start();
    });
    EXPECT_EQ(gone.get_future().wait_for(10s), std::future_status::ready);
}

TEST_F(ProvisionerTest, SecretsAreInNoSentence) {
    rest_.next(kTokenPath,
               {400, R"({"error":"invalid_grant","error_description":"bad assertion"})"});
    start(settings());
    ASSERT_TRUE(wait_for(State::Failed));
    with([](Provisioner& p) {
        for (const char* secret : {"ey.J", "app:secret", "at-1"}) {
            EXPECT_THAT(p.sentence(), ::testing::Not(HasSubstr(secret)));
        }
    });
}

}  // namespace
}  // namespace offhook::signalling::ringcentral
