#include <gtest/gtest.h>

#include <string>

#include "access/digest.h"
#include "access/join_tokens.h"
#include "base/json_writer.h"
#include "base/monotonic.h"

namespace offhook {
namespace {

using access::JoinGrant;
using access::JoinTokens;

const base::Secret kKey(std::string(32, 'k'));

std::int64_t now_s() {
    return base::realtime_ns() / base::kNsPerS;
}

JoinGrant anna() {
    return {.user = "anna",
            .channel = "sales",
            .name = "Anna Ö.",
            .role = model::MemberRole::Listen,
            .expires_s = now_s() + 60};
}

std::string payload_of(const std::string& token) {
    return token.substr(5, token.rfind('.') - 5);
}

/// A token with any payload, signed as the daemon does.
std::string signed_token(const std::string& payload, const base::Secret& key = kKey) {
    const std::string covered = "ohj1." + access::base64url(payload);
    return covered + "." + access::base64url(access::hmac_sha256(key, covered));
}

base::ErrorCode refusal(const std::string& token) {
    const auto grant = JoinTokens(kKey).check(token, now_s());
    EXPECT_FALSE(grant) << token;
    return grant ? base::ErrorCode::Internal : grant.error().code;
}

TEST(JoinTokens, AreWhatTheyWereMintedFor) {
    const JoinGrant grant = anna();
    const auto token = JoinTokens(kKey).mint(grant);
    ASSERT_TRUE(token) << token.error().text();
    const auto read = JoinTokens(kKey).check(*token, now_s());
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->user, grant.user);
    EXPECT_EQ(read->channel, grant.channel);
    EXPECT_EQ(read->name, grant.name);
    EXPECT_EQ(read->role, grant.role);
    EXPECT_EQ(read->expires_s, grant.expires_s);
    EXPECT_LE(token->size(), access::kMaxJoinTokenBytes);
}

TEST(JoinTokens, TheLongestNamesFit) {
    JoinGrant grant = anna();
    grant.user = std::string(128, '"');  // twice as long in JSON
    grant.name = std::string(128, '\\');
    grant.channel = std::string(64, 'c');
    const auto token = JoinTokens(kKey).mint(grant);
    ASSERT_TRUE(token) << token.error().text();
    EXPECT_TRUE(JoinTokens(kKey).check(*token, now_s()));
}

TEST(JoinTokens, ARandomKeyIsOfOneObjectAlone) {
    const JoinTokens mine{base::Secret()};
    const JoinTokens other{base::Secret()};
    const auto token = mine.mint(anna());
    ASSERT_TRUE(token);
    EXPECT_TRUE(mine.check(*token, now_s()));
    EXPECT_FALSE(other.check(*token, now_s()));
    EXPECT_THROW(JoinTokens(base::Secret("short")), std::invalid_argument);
}

TEST(JoinTokens, EveryFlippedBitIsSeen) {
    const JoinTokens tokens(kKey);
    const std::string token = tokens.mint(anna()).value();
    for (std::size_t i = 0; i < token.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string bad = token;
            bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
            EXPECT_FALSE(tokens.check(bad, now_s())) << i << "/" << bit;
        }
    }
}

TEST(JoinTokens, EveryTruncationAndAdditionIsSeen) {
    const JoinTokens tokens(kKey);
    const std::string token = tokens.mint(anna()).value();
    for (std::size_t length = 0; length < token.size(); ++length)
        EXPECT_FALSE(tokens.check(token.substr(0, length), now_s())) << length;
    for (const char* more : {"A", "=", ".", " ", "\n", ".A"})
        EXPECT_FALSE(tokens.check(token + more, now_s())) << more;
    EXPECT_FALSE(tokens.check(token + std::string(1, '\0'), now_s()));
}

TEST(JoinTokens, APayloadUnderAnothersSignatureIsForged) {
    const JoinTokens tokens(kKey);
    JoinGrant bert = anna();
    bert.user = "bert";
    const std::string of_anna = tokens.mint(anna()).value();
    const std::string of_bert = tokens.mint(bert).value();
    const std::string mixed = "ohj1." + payload_of(of_anna) + of_bert.substr(of_bert.rfind('.'));
    EXPECT_EQ(refusal(mixed), base::ErrorCode::Denied);
}

TEST(JoinTokens, AnotherKeyIsForged) {
    const std::string token = JoinTokens(base::Secret(std::string(32, 'x'))).mint(anna()).value();
    EXPECT_EQ(refusal(token), base::ErrorCode::Denied);
}

TEST(JoinTokens, EndAtTheirSecond) {
    const JoinTokens tokens(kKey);
    const JoinGrant grant = anna();
    const std::string token = tokens.mint(grant).value();
    EXPECT_TRUE(tokens.check(token, grant.expires_s - 1));
    const auto late = tokens.check(token, grant.expires_s);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, base::ErrorCode::Timeout);
    EXPECT_EQ(late.error().text().find("ohj1."), std::string::npos);
    EXPECT_FALSE(tokens.check(token, grant.expires_s - 400)) << "it would live too long";
}

TEST(JoinTokens, OfTooManyBytesAreNotLookedAt) {
    EXPECT_EQ(refusal("ohj1." + std::string(100'000, 'A')), base::ErrorCode::Denied);
    EXPECT_EQ(refusal(signed_token("{\"user\":\"" + std::string(4'000, 'a') + "\"}")),
              base::ErrorCode::Denied);
}

TEST(JoinTokens, ASignedPayloadIsReadStrictly) {
    const std::string in_a_minute = std::to_string(now_s() + 60);
    const auto payload = [&](const std::string& user,
                             const std::string& channel,
                             const std::string& role,
                             const std::string& expires,
                             const std::string& more = "") {
        return R"({"user":)" + user + R"(,"channel":)" + channel + R"(,"name":"","role":)" + role +
               R"(,"expires":)" + expires + more + "}";
    };
    EXPECT_TRUE(JoinTokens(kKey).check(
        signed_token(payload(R"("a")", R"("c")", R"("speaker")", in_a_minute)), now_s()));
    for (const std::string& bad :
         {std::string(),
          std::string("null"),
          std::string("[]"),
          std::string("{}"),
          std::string("{"),
          payload("1", R"("c")", R"("speaker")", in_a_minute),
          payload(R"("")", R"("c")", R"("speaker")", in_a_minute),
          payload(R"("a\n")", R"("c")", R"("speaker")", in_a_minute),
          payload(R"("a")", R"("../c")", R"("speaker")", in_a_minute),
          payload(R"("a")", R"("c")", R"("caller")", in_a_minute),
          payload(R"("a")", R"("c")", R"("god")", in_a_minute),
          payload(R"("a")", R"("c")", R"("speaker")", "\"" + in_a_minute + "\""),
          payload(R"("a")", R"("c")", R"("speaker")", "1e300"),
          payload(R"("a")", R"("c")", R"("speaker")", in_a_minute, R"(,"admin":true)"),
          payload(R"("a")", R"("c")", R"("speaker")", in_a_minute) + "{}"}) {
        EXPECT_EQ(refusal(signed_token(bad)), base::ErrorCode::Denied) << bad;
    }
}

TEST(JoinTokens, AreNotMintedForWhatCannotBe) {
    const JoinTokens tokens(kKey);
    const auto refused = [&](auto change) {
        JoinGrant grant = anna();
        change(grant);
        const auto token = tokens.mint(grant);
        return !token && token.error().code == base::ErrorCode::InvalidArgument;
    };
    EXPECT_TRUE(refused([](auto& g) { g.user.clear(); }));
    EXPECT_TRUE(refused([](auto& g) { g.user = std::string(129, 'a'); }));
    EXPECT_TRUE(refused([](auto& g) { g.user = "a\x1b[2J"; }));
    EXPECT_TRUE(refused([](auto& g) { g.user = "a\xff"; }));
    EXPECT_TRUE(refused([](auto& g) { g.channel = "a/b"; }));
    EXPECT_TRUE(refused([](auto& g) { g.name = "a\u0085"; }));
    EXPECT_TRUE(refused([](auto& g) { g.role = model::MemberRole::Ai; }));
    EXPECT_TRUE(refused([](auto& g) { g.expires_s = now_s(); }));
    EXPECT_TRUE(refused([](auto& g) { g.expires_s = now_s() + 400; }));
}

// RFC 4231 §4.2, test case 1 and FIPS 180-2 "abc".
TEST(Digest, IsTheOneOfTheStandards) {
    EXPECT_EQ(access::hex(access::hmac_sha256(base::Secret(std::string(20, '\x0b')), "Hi There")),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(access::hex(access::sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// RFC 4648 §10, with the other alphabet and without padding.
TEST(Base64Url, HasOneTextForSomeBytes) {
    for (const auto& [bytes, text] : {std::pair<std::string, std::string>{"f", "Zg"},
                                      {"fo", "Zm8"},
                                      {"foo", "Zm9v"},
                                      {"foob", "Zm9vYg"},
                                      {"\xfb\xff\xfe", "-__-"}}) {
        EXPECT_EQ(access::base64url(bytes), text);
        EXPECT_EQ(access::from_base64url(text), bytes);
    }
    for (const char* bad : {"Z", "Zh", "Zg==", "Zm9v\n", "+//+", "Zm8A="})
        EXPECT_EQ(access::from_base64url(bad), "") << bad;
}

}  // namespace
}  // namespace offhook
