#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "access/digest.h"
#include "access/keyring.h"

namespace offhook {
namespace {

using access::Keyring;
using access::Scope;
using base::ErrorCode;

constexpr std::int64_t kNowS = 1'795'000'000;
const std::string kReader(43, 'r');
const std::string kOperator(43, 'o');
const std::string kWeb(43, 'w');

access::Token token(const std::string& name, const std::string& text, access::Scopes scopes) {
    return {.name = name,
            .user = name + "-user",
            .sha256 = access::hex(access::sha256(text)),
            .scopes = scopes};
}

http::Request request_from(const std::string& remote, const std::string& bearer = {}) {
    http::Request request;
    request.method = "GET";
    request.path = "/api/v1/calls";
    request.request_id = "r-1";
    request.remote = remote;
    if (!bearer.empty()) request.headers["authorization"] = "Bearer " + bearer;
    return request;
}

std::vector<config::Cidr> blocks(const std::vector<std::string>& texts) {
    std::vector<config::Cidr> all;
    for (const std::string& text : texts) all.push_back(config::Cidr::parse(text).value());
    return all;
}

std::string header_of(const http::Response& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return {};
}

class KeyringTest : public ::testing::Test {
protected:
    access::KeyringSettings settings() {
        return {.web_sha256 = {},
                .proxies = {},
                .join_tokens = &join_tokens_,
                .monotonic_ns = [this] { return now_ns_; },
                .realtime_ns = [] { return base::realtime_ns(); }};
    }
    Keyring with_tokens(const std::vector<std::string>& proxies = {}) {
        access::KeyringSettings all = settings();
        all.proxies = blocks(proxies);
        return Keyring({token("reader", kReader, {Scope::Read}),
                        token("operator", kOperator, {Scope::Read, Scope::Operate})},
                       all);
    }
    Keyring without_tokens(const std::vector<std::string>& proxies = {}) {
        access::KeyringSettings all = settings();
        all.proxies = blocks(proxies);
        return Keyring({}, all);
    }
    std::string join_token(const std::string& channel = "sales",
                           model::MemberRole role = model::MemberRole::Speaker) {
        return join_tokens_
            .mint({.user = "anna",
                   .channel = channel,
                   .name = {},
                   .role = role,
                   .expires_s = base::realtime_ns() / base::kNsPerS + 60})
            .value();
    }
    static int status(const std::optional<http::Response>& response) {
        return response ? response->status : 0;
    }

    std::int64_t now_ns_ = base::kNsPerS;
    access::JoinTokens join_tokens_{base::Secret()};
};

TEST_F(KeyringTest, WithoutTokensThisMachineMayDoEverything) {
    Keyring keyring = without_tokens();
    for (const char* local :
         {"127.0.0.1:5000", "127.9.9.9:1", "[::1]:5000", "[::ffff:127.0.0.1]:5"}) {
        http::Request request = request_from(local);
        EXPECT_EQ(status(keyring.refuse(request, Scope::Admin)), 0) << local;
        EXPECT_EQ(request.user, "local");
        EXPECT_TRUE(request.may("barge"));
    }
}

TEST_F(KeyringTest, WithoutTokensNobodyElseMay) {
    Keyring keyring = without_tokens();
    for (const char* remote :
         {"192.0.2.1:5000", "[2001:db8::1]:5", "", "127.0.0.1.evil:1", "unix"}) {
        http::Request request = request_from(remote);
        EXPECT_EQ(status(keyring.refuse(request, Scope::Read)), 403) << remote;
        EXPECT_FALSE(request.may("read"));
    }
    for (const char* name : {"x-forwarded-for", "forwarded", "x-real-ip"}) {
        http::Request request = request_from("127.0.0.1:5000");
        request.headers[name] = "127.0.0.1";
        EXPECT_EQ(status(keyring.refuse(request, Scope::Read)), 403)
            << name << " tells of a proxy, whose clients are not of this machine";
    }
}

TEST_F(KeyringTest, WithTokensEverybodyShowsOne) {
    Keyring keyring = with_tokens();
    http::Request none = request_from("127.0.0.1:5000");
    const auto refused = keyring.refuse(none, Scope::Read);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 401);
    EXPECT_EQ(header_of(*refused, "WWW-Authenticate"), "Bearer");
    EXPECT_EQ(none.user, "");
    EXPECT_FALSE(none.may("read"));

    http::Request reader = request_from("192.0.2.1:5000", kReader);
    EXPECT_EQ(status(keyring.refuse(reader, Scope::Read)), 0);
    EXPECT_EQ(reader.user, "reader-user");
    EXPECT_TRUE(reader.may("read"));
    EXPECT_FALSE(reader.may("operate"));
    const auto scope = keyring.refuse(reader, Scope::Operate);
    ASSERT_TRUE(scope);
    EXPECT_EQ(scope->status, 403);
    EXPECT_NE(scope->body.find("operate"), std::string::npos);

    http::Request other = request_from("192.0.2.1:5000", kOperator);
    EXPECT_EQ(status(keyring.refuse(other, Scope::Operate)), 0);
    EXPECT_EQ(other.user, "operator-user");
}

TEST_F(KeyringTest, ATokenHasToBeTheWholeOne) {
    Keyring keyring = with_tokens();
    for (const std::string& bad : {kReader.substr(1),
                                   kReader + "r",
                                   kReader + " x",
                                   std::string(43, 'R'),
                                   std::string(9'000, 'r')}) {
        EXPECT_FALSE(keyring.identify(request_from("192.0.2.9:1", bad))) << bad;
    }
    for (const std::string& header : {"bearer " + kReader, "BEARER   " + kReader + " "}) {
        http::Request request = request_from("192.0.2.2:1");
        request.headers["authorization"] = header;
        EXPECT_TRUE(keyring.identify(request)) << header;
    }
    for (const std::string& header :
         {kReader, "Basic " + kReader, "Bearer" + kReader, std::string("Bearer")}) {
        http::Request request = request_from("192.0.2.3:1");
        request.headers["authorization"] = header;
        EXPECT_FALSE(keyring.identify(request)) << header;
    }
}

TEST_F(KeyringTest, TheDigestOfATokenIsNoToken) {
    Keyring keyring = with_tokens();
    EXPECT_FALSE(
        keyring.identify(request_from("192.0.2.1:1", access::hex(access::sha256(kReader)))));
}

TEST_F(KeyringTest, AdminIsEverything) {
    Keyring keyring({token("root", kOperator, {Scope::Admin})}, settings());
    for (const Scope each : {Scope::Read, Scope::Barge, Scope::Debug, Scope::Admin}) {
        http::Request request = request_from("192.0.2.1:1", kOperator);
        EXPECT_EQ(status(keyring.refuse(request, each)), 0);
        EXPECT_TRUE(request.may(access::name_of(each)));
    }
}

TEST_F(KeyringTest, TenWrongTokensInAMinuteShutOneAddressOut) {
    Keyring keyring = with_tokens();
    for (int i = 0; i < 10; ++i) {
        http::Request wrong = request_from("192.0.2.1:" + std::to_string(1000 + i), "guess");
        EXPECT_EQ(status(keyring.refuse(wrong, Scope::Read)), 401) << i;
        now_ns_ += base::kNsPerS;
    }
    http::Request right = request_from("192.0.2.1:7", kReader);
    const auto refused = keyring.refuse(right, Scope::Read);
    ASSERT_TRUE(refused) << "the right one has to wait as well";
    EXPECT_EQ(refused->status, 429);
    EXPECT_EQ(header_of(*refused, "Retry-After"), "50");

    http::Request other = request_from("192.0.2.2:7", kReader);
    EXPECT_EQ(status(keyring.refuse(other, Scope::Read)), 0);

    now_ns_ += 50 * base::kNsPerS;
    EXPECT_EQ(status(keyring.refuse(right, Scope::Read)), 0);
    EXPECT_EQ(keyring.counters().wrong, 10U);
    EXPECT_EQ(keyring.counters().shut_out, 1U);
}

TEST_F(KeyringTest, NineWrongTokensDoNot) {
    Keyring keyring = with_tokens();
    for (int minute = 0; minute < 3; ++minute) {
        for (int i = 0; i < 9; ++i) {
            EXPECT_FALSE(keyring.identify(request_from("192.0.2.1:1", "guess")));
        }
        EXPECT_TRUE(keyring.identify(request_from("192.0.2.1:1", kReader)));
        now_ns_ += 60 * base::kNsPerS;
    }
}

TEST_F(KeyringTest, AMissingTokenIsNoGuess) {
    Keyring keyring = with_tokens();
    for (int i = 0; i < 30; ++i) EXPECT_FALSE(keyring.identify(request_from("192.0.2.1:1")));
    EXPECT_TRUE(keyring.identify(request_from("192.0.2.1:1", kReader)));
    EXPECT_EQ(keyring.counters().missing, 30U);
}

TEST_F(KeyringTest, WrongTokensBehindAProxyCountForItsClient) {
    Keyring keyring = with_tokens({"127.0.0.1"});
    const auto by_proxy = [&](const std::string& client, const std::string& bearer) {
        http::Request request = request_from("127.0.0.1:5000", bearer);
        request.headers["x-forwarded-for"] = client;
        return keyring.identify(request);
    };
    for (int i = 0; i < 10; ++i) {
        EXPECT_FALSE(by_proxy(std::to_string(i) + ".1.1.1, 192.0.2.1", "guess"))
            << "what the client writes itself does not matter";
    }
    const auto shut_out = by_proxy("192.0.2.1", kReader);
    ASSERT_FALSE(shut_out);
    EXPECT_EQ(shut_out.error().code, ErrorCode::LimitReached);
    EXPECT_TRUE(by_proxy("192.0.2.2", kReader));
}

TEST_F(KeyringTest, AProxyThatIsNotConfiguredIsTheClient) {
    Keyring keyring = with_tokens();
    for (int i = 0; i < 10; ++i) {
        http::Request request = request_from("127.0.0.1:5000", "guess");
        request.headers["x-forwarded-for"] = "192.0.2." + std::to_string(i);
        EXPECT_FALSE(keyring.identify(request));
    }
    EXPECT_FALSE(keyring.identify(request_from("127.0.0.1:5000", kReader)));
}

TEST_F(KeyringTest, ARouteThatIsOpenTellsWhoMaySeeMore) {
    Keyring keyring = with_tokens();
    http::Request stranger = request_from("192.0.2.1:1");
    EXPECT_EQ(status(keyring.gate(stranger, "read?")), 0);
    EXPECT_FALSE(stranger.may("read"));
    http::Request wrong = request_from("192.0.2.1:1", "guess");
    EXPECT_EQ(status(keyring.gate(wrong, "read?")), 0);
    EXPECT_FALSE(wrong.may("read"));
    http::Request reader = request_from("192.0.2.1:1", kReader);
    EXPECT_EQ(status(keyring.gate(reader, "read?")), 0);
    EXPECT_TRUE(reader.may("read"));
    EXPECT_EQ(reader.user, "reader-user");
    http::Request local = request_from("127.0.0.1:1");
    EXPECT_EQ(status(keyring.gate(local, "read?")), 0);
    EXPECT_TRUE(local.may("read"));
    EXPECT_FALSE(local.may("operate"));
}

TEST_F(KeyringTest, TheGateClosesAScopeThatIsNone) {
    Keyring keyring = with_tokens();
    http::Request request = request_from("192.0.2.1:1", kOperator);
    EXPECT_EQ(status(keyring.gate(request, "opreate")), 403);
    EXPECT_EQ(status(keyring.gate(request, "operate")), 0);
    EXPECT_EQ(status(keyring.gate(request, "")), 0);
    EXPECT_FALSE(request.may("operate")) << "nobody asked on this route";
}

TEST_F(KeyringTest, AVisitorOfAJoinTokenIsWhoItSays) {
    Keyring keyring = with_tokens();
    const auto anna = keyring.visitor(request_from("192.0.2.1:1"), join_token());
    ASSERT_TRUE(anna) << anna.error().text();
    ASSERT_TRUE(anna->grant);
    EXPECT_EQ(anna->subject.user, "anna");
    EXPECT_EQ(anna->grant->channel, "sales");
    EXPECT_FALSE(anna->subject.scopes.has(Scope::Read)) << "nothing but this";
    http::Request api = request_from("192.0.2.1:1", join_token());
    EXPECT_EQ(status(keyring.refuse(api, Scope::Read)), 403);

    const auto boss = keyring.visitor(request_from("192.0.2.1:1"), kOperator);
    ASSERT_TRUE(boss);
    EXPECT_FALSE(boss->grant);
    EXPECT_TRUE(boss->subject.scopes.has(Scope::Operate));
    EXPECT_FALSE(keyring.visitor(request_from("192.0.2.1:1"), ""));
    EXPECT_FALSE(keyring.visitor(request_from("127.0.0.1:1"), ""));
}

TEST_F(KeyringTest, AForgedJoinTokenIsAGuessAnExpiredOneIsNot) {
    access::KeyringSettings late = settings();
    late.realtime_ns = [] { return base::realtime_ns() + 70 * base::kNsPerS; };
    Keyring keyring({token("reader", kReader, {Scope::Read})}, late);
    for (int i = 0; i < 20; ++i) {
        const auto expired = keyring.visitor(request_from("192.0.2.1:1"), join_token());
        ASSERT_FALSE(expired);
        EXPECT_EQ(expired.error().code, ErrorCode::Timeout);
    }
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(keyring.visitor(request_from("192.0.2.1:1"), "ohj1.e30.AAAA").error().code,
                  ErrorCode::Denied);
    }
    EXPECT_EQ(keyring.visitor(request_from("192.0.2.1:1"), kReader).error().code,
              ErrorCode::LimitReached);
    EXPECT_TRUE(keyring.retry_after(request_from("192.0.2.1:1")));
}

TEST_F(KeyringTest, WithoutTokensAVisitorOfThisMachineIsLocal) {
    Keyring keyring = without_tokens();
    const auto local = keyring.visitor(request_from("127.0.0.1:1"), "");
    ASSERT_TRUE(local);
    EXPECT_EQ(local->subject.user, "local");
    EXPECT_EQ(keyring.visitor(request_from("192.0.2.1:1"), "").error().code,
              ErrorCode::Unavailable);
    EXPECT_FALSE(keyring.visitor(request_from("127.0.0.1:1"), "ohj1.e30.AAAA"))
        << "who shows a join token is taken by it";
}

TEST_F(KeyringTest, CallersShowAnyOfThreeTokens) {
    access::KeyringSettings all = settings();
    all.web_sha256 = access::hex(access::sha256(kWeb));
    Keyring keyring(
        {token("reader", kReader, {Scope::Read}), token("operator", kOperator, {Scope::Operate})},
        all);
    const auto code = [&](const base::Result<access::Visitor>& visitor) {
        return visitor ? std::string("ok") : std::string(base::name_of(visitor.error().code));
    };
    const http::Request bare = request_from("192.0.2.1:1");
    EXPECT_EQ(code(keyring.caller(bare, "sales", kWeb)), "ok");
    EXPECT_EQ(code(keyring.caller(request_from("192.0.2.1:1", kWeb), "sales")), "ok");
    EXPECT_EQ(code(keyring.caller(bare, "sales", kOperator)), "ok");
    EXPECT_EQ(code(keyring.caller(bare, "sales", kReader)), "unsupported");
    EXPECT_EQ(code(keyring.caller(bare, "sales", join_token())), "ok");
    EXPECT_EQ(code(keyring.caller(bare, "other", join_token())), "unsupported");
    EXPECT_EQ(code(keyring.caller(bare, "sales", join_token("sales", model::MemberRole::Listen))),
              "unsupported");
    EXPECT_EQ(code(keyring.caller(bare, "sales")), "denied");
    EXPECT_EQ(keyring.refusal(bare, keyring.caller(bare, "sales", kReader).error()).status, 403);
    http::Request api = request_from("192.0.2.1:1", kWeb);
    EXPECT_EQ(status(keyring.refuse(api, Scope::Read)), 403) << "the doors alone";
}

TEST_F(KeyringTest, ATokenOfTheDoorsAloneLeavesTheApiToThisMachine) {
    access::KeyringSettings all = settings();
    all.web_sha256 = access::hex(access::sha256(kWeb));
    Keyring keyring({}, all);
    http::Request local = request_from("127.0.0.1:1");
    EXPECT_EQ(status(keyring.refuse(local, Scope::Operate)), 0);
    EXPECT_FALSE(keyring.caller(local, "sales"));
    EXPECT_TRUE(keyring.caller(local, "sales", kWeb));
    EXPECT_TRUE(keyring.caller(request_from("192.0.2.1:1"), "sales", kWeb));
    http::Request remote = request_from("192.0.2.1:1", kWeb);
    EXPECT_EQ(status(keyring.refuse(remote, Scope::Read)), 403);
}

TEST_F(KeyringTest, ASocketWithoutOriginShowsItsTokenAtOnce) {
    Keyring keyring = with_tokens();
    http::Request page = request_from("192.0.2.1:1");
    page.headers["origin"] = "https://app.example.com";
    EXPECT_EQ(status(keyring.refuse_socket(page)), 0);
    EXPECT_EQ(status(keyring.refuse_socket(request_from("127.0.0.1:1"))), 401);
    EXPECT_EQ(status(keyring.refuse_socket(request_from("127.0.0.1:1", "guess"))), 401);
    EXPECT_EQ(status(keyring.refuse_socket(request_from("192.0.2.1:1", kReader))), 0);
    EXPECT_EQ(status(keyring.refuse_socket(request_from("192.0.2.1:1", join_token()))), 0);

    Keyring open = without_tokens();
    EXPECT_EQ(status(open.refuse_socket(request_from("127.0.0.1:1"))), 0);
    EXPECT_EQ(status(open.refuse_socket(page)), 403);
}

TEST(Failures, AreBoundedAndForgetTheOldest) {
    std::int64_t now_ns = 0;
    access::Failures failures([&] { return now_ns; });
    for (int i = 0; i < 10; ++i) failures.count("192.0.2.1");
    now_ns = 1;
    for (std::size_t i = 0; i < access::Failures::kMaxAddresses - 1; ++i)
        failures.count("a" + std::to_string(i));
    EXPECT_TRUE(failures.shut_out("192.0.2.1"));
    EXPECT_EQ(failures.size(), access::Failures::kMaxAddresses);
    failures.count("one more");
    EXPECT_EQ(failures.size(), access::Failures::kMaxAddresses);
    EXPECT_FALSE(failures.shut_out("192.0.2.1")) << "it began first";
    now_ns = access::Failures::kWindow.count() * base::kNsPerS + 1;
    failures.count("later");
    EXPECT_EQ(failures.size(), 1U) << "all others are over";
}

TEST(Failures, CountForTheWholeSubnetOfIpv6) {
    access::Failures failures([] { return 0; });
    for (int i = 0; i < 10; ++i) failures.count("2001:db8:0:1::" + std::to_string(i));
    EXPECT_TRUE(failures.shut_out("2001:db8:0:1:ffff::1"));
    EXPECT_FALSE(failures.shut_out("2001:db8:0:2::1"));
    EXPECT_EQ(failures.size(), 1U);
}

class ProxiesTest : public ::testing::Test {
protected:
    access::Client client(const std::string& remote,
                          const std::string& x_forwarded_for,
                          const std::string& forwarded = {}) {
        http::Request request = request_from(remote);
        if (!x_forwarded_for.empty()) request.headers["x-forwarded-for"] = x_forwarded_for;
        if (!forwarded.empty()) request.headers["forwarded"] = forwarded;
        return proxies_.client_of(request);
    }
    access::Proxies proxies_{blocks({"127.0.0.1", "10.0.0.0/8", "fd00::/8"})};
};

TEST_F(ProxiesTest, TheLastHopThatIsNoProxyIsTheClient) {
    EXPECT_EQ(client("127.0.0.1:1", "192.0.2.1").forwarded_for, "192.0.2.1");
    EXPECT_EQ(client("127.0.0.1:1", "127.0.0.1, 192.0.2.1").forwarded_for, "192.0.2.1");
    EXPECT_EQ(client("127.0.0.1:1", "192.0.2.1, 10.1.1.1,10.2.2.2").forwarded_for, "192.0.2.1");
    EXPECT_EQ(client("10.0.0.1:1", "10.1.1.1").forwarded_for, "10.1.1.1");
    EXPECT_EQ(client("[fd00::1]:1", "2001:DB8::0001").forwarded_for, "2001:db8::1");
    EXPECT_EQ(client("[::ffff:127.0.0.1]:1", "192.0.2.1:4711").forwarded_for, "192.0.2.1");
    EXPECT_EQ(client("127.0.0.1:1", "[2001:db8::1]:80").forwarded_for, "2001:db8::1");
}

TEST_F(ProxiesTest, TheStandardHeaderIsReadAsWell) {
    EXPECT_EQ(client("127.0.0.1:1", "", "for=192.0.2.1").forwarded_for, "192.0.2.1");
    EXPECT_EQ(client("127.0.0.1:1", "", "proto=https; For=\"[2001:db8::1]:4711\";by=10.0.0.1")
                  .forwarded_for,
              "2001:db8::1");
    EXPECT_EQ(client("127.0.0.1:1", "", "for=127.0.0.1, for=192.0.2.1, for=10.0.0.1").forwarded_for,
              "192.0.2.1");
    EXPECT_EQ(client("127.0.0.1:1", "", "for=\"1.1.1.1,for=2.2.2.2\", for=192.0.2.1").forwarded_for,
              "192.0.2.1");
    EXPECT_EQ(client("127.0.0.1:1", "192.0.2.1", "for=192.0.2.1").forwarded_for, "192.0.2.1");
}

TEST_F(ProxiesTest, WhatCannotBeBelievedIsNot) {
    for (const auto& [remote, plain, standard] :
         std::vector<std::array<std::string, 3>>{{"192.0.2.7:1", "192.0.2.1", ""},
                                                 {"127.0.0.1:1", "unknown", ""},
                                                 {"127.0.0.1:1", "192.0.2.1, ", ""},
                                                 {"127.0.0.1:1", "192.0.2.300", ""},
                                                 {"127.0.0.1:1", "::1%lo", ""},
                                                 {"127.0.0.1:1", "192.0.2.1:x", ""},
                                                 {"127.0.0.1:1", "", "for=unknown"},
                                                 {"127.0.0.1:1", "", "for=_hidden"},
                                                 {"127.0.0.1:1", "", "proto=http"},
                                                 {"127.0.0.1:1", "192.0.2.1", "for=192.0.2.2"}}) {
        const access::Client who = client(remote, plain, standard);
        EXPECT_EQ(who.forwarded_for, "") << plain << standard;
        EXPECT_EQ(who.address, remote.substr(0, remote.rfind(':')));
        EXPECT_FALSE(who.is_local) << plain << standard;
    }
    std::string long_way = "192.0.2.1";
    for (int i = 0; i < 40; ++i) long_way += ", 10.0.0.1";
    EXPECT_EQ(client("127.0.0.1:1", long_way).forwarded_for, "");
}

TEST_F(ProxiesTest, WhoComesByAProxyIsNotOfThisMachine) {
    EXPECT_TRUE(client("127.0.0.1:1", "").is_local);
    EXPECT_FALSE(client("127.0.0.1:1", "127.0.0.1").is_local);
    EXPECT_FALSE(client("10.0.0.1:1", "").is_local);
}

}  // namespace
}  // namespace offhook
