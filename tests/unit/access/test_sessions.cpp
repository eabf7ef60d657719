#include <gtest/gtest.h>

#include <string>

#include "access/keyring.h"
#include "access/sessions.h"

namespace offhook {
namespace {

using access::Scope;
using access::Sessions;
using namespace std::chrono_literals;

class SessionsTest : public testing::Test {
protected:
    void pass(std::chrono::nanoseconds time) { now_ns_ += time.count(); }

    std::int64_t now_ns_ = 1'000'000'000;
    Sessions sessions_{{Scope::Read, Scope::Operate}, [this] { return now_ns_; }};
};

TEST_F(SessionsTest, ASecretIsGoodOnce) {
    const base::Secret once = sessions_.offer();
    EXPECT_TRUE(once.reveal().starts_with("oho1."));
    EXPECT_GE(once.reveal().size(), 48U);
    const auto token = sessions_.exchange(once.reveal());
    ASSERT_TRUE(token);
    EXPECT_TRUE(token->reveal().starts_with("ohs1."));
    EXPECT_FALSE(sessions_.exchange(once.reveal()));
    const auto who = sessions_.find(token->reveal());
    ASSERT_TRUE(who);
    EXPECT_TRUE(who->scopes.has(Scope::Operate));
    EXPECT_FALSE(who->scopes.has(Scope::Admin));
}

TEST_F(SessionsTest, NobodyGuessesEither) {
    const base::Secret once = sessions_.offer();
    EXPECT_FALSE(sessions_.exchange(""));
    EXPECT_FALSE(sessions_.exchange(once.reveal().substr(0, once.reveal().size() - 1)));
    EXPECT_FALSE(sessions_.exchange(once.reveal() + "x"));
    EXPECT_FALSE(sessions_.find(once.reveal()));
    EXPECT_NE(sessions_.offer().reveal(), sessions_.offer().reveal());
    EXPECT_TRUE(sessions_.exchange(once.reveal()));
}

TEST_F(SessionsTest, ASecretIsGoodForTenMinutes) {
    const base::Secret first = sessions_.offer();
    pass(10min - 1ns);
    const base::Secret second = sessions_.offer();
    EXPECT_TRUE(sessions_.exchange(first.reveal()));
    pass(10min);
    EXPECT_FALSE(sessions_.exchange(second.reveal()));
}

TEST_F(SessionsTest, ASessionEndsTwelveHoursAfterItWasShownLast) {
    const auto token = sessions_.exchange(sessions_.offer().reveal());
    ASSERT_TRUE(token);
    for (int i = 0; i < 3; ++i) {
        pass(12h - 1s);
        EXPECT_TRUE(sessions_.find(token->reveal())) << i;
    }
    pass(12h);
    EXPECT_FALSE(sessions_.find(token->reveal()));
    EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(SessionsTest, OfTooManyTheOldestGoes) {
    const base::Secret oldest = sessions_.offer();
    for (std::size_t i = 0; i < Sessions::kMaxOffers; ++i) static_cast<void>(sessions_.offer());
    EXPECT_FALSE(sessions_.exchange(oldest.reveal()));

    const auto first = sessions_.exchange(sessions_.offer().reveal());
    for (std::size_t i = 0; i < Sessions::kMaxSessions; ++i)
        ASSERT_TRUE(sessions_.exchange(sessions_.offer().reveal()));
    EXPECT_EQ(sessions_.size(), Sessions::kMaxSessions);
    EXPECT_FALSE(sessions_.find(first->reveal()));
}

http::Request from(const std::string& remote, const std::string& bearer = {}) {
    http::Request request;
    request.method = "POST";
    request.path = "/api/v1/session";
    request.remote = remote;
    if (!bearer.empty()) request.headers["authorization"] = "Bearer " + bearer;
    return request;
}

TEST_F(SessionsTest, ASessionIsATokenWhereTokensAreAskedFor) {
    access::Keyring keyring(
        {{.name = "ops", .user = "ops", .sha256 = std::string(64, '0'), .scopes = {}}},
        {.sessions = &sessions_, .monotonic_ns = [this] { return now_ns_; }});
    const auto token =
        keyring.open_session(from("192.0.2.1:4000"), keyring.offer_session()->reveal());
    ASSERT_TRUE(token);
    http::Request good = from("192.0.2.1:4000", token->reveal());
    EXPECT_FALSE(keyring.refuse(good, Scope::Operate));
    const auto refused = keyring.refuse(good, Scope::Admin);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 403);
    http::Request bad = from("192.0.2.1:4000", token->reveal() + "x");
    EXPECT_EQ(keyring.refuse(bad, Scope::Read)->status, 401);
    EXPECT_TRUE(keyring.caller(good, "demo"));
}

TEST_F(SessionsTest, WrongSecretsShutAnAddressOut) {
    access::Keyring keyring({},
                            {.sessions = &sessions_, .monotonic_ns = [this] { return now_ns_; }});
    const base::Secret once = sessions_.offer();
    for (int i = 0; i < 10; ++i) {
        const auto wrong = keyring.open_session(from("192.0.2.1:4000"), "oho1.guess");
        ASSERT_FALSE(wrong);
        EXPECT_EQ(wrong.error().code, base::ErrorCode::Denied);
    }
    const auto late = keyring.open_session(from("192.0.2.1:4001"), once.reveal());
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, base::ErrorCode::LimitReached);
    EXPECT_TRUE(keyring.open_session(from("192.0.2.2:4000"), once.reveal()));
}

TEST(KeyringWithoutSessions, GivesNone) {
    access::Keyring keyring({});
    EXPECT_FALSE(keyring.offer_session());
    EXPECT_FALSE(keyring.open_session(from("127.0.0.1:4000"), "oho1.anything"));
}

}  // namespace
}  // namespace offhook
