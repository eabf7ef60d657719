// Digest: the examples of the RFCs, and the challenges that registrars really send.
#include "signalling/sip/digest.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

using base::ErrorCode;

const std::string kUri = "sip:example.org";

UniqueMessage response(int status, const std::vector<std::string>& challenges) {
    parser_init();
    std::string text = "SIP/2.0 " + std::to_string(status) +
                       " Unauthorized\r\n"
                       "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
                       "From: <sip:a@example.org>;tag=1\r\nTo: <sip:a@example.org>\r\n"
                       "Call-ID: 1\r\nCSeq: 1 REGISTER\r\n";
    const std::string name = status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate";
    for (const std::string& challenge : challenges) text += name + ": " + challenge + "\r\n";
    text += "Content-Length: 0\r\n\r\n";
    osip_message_t* raw = nullptr;
    osip_message_init(&raw);
    EXPECT_EQ(osip_message_parse(raw, text.data(), text.size()), 0) << text;
    return UniqueMessage(raw);
}

DigestAuth make(const std::string& realm = {}) {
    return DigestAuth("Mufasa", base::Secret("Circle of Life"), realm);
}

/// The value of `name` in the header, without quotes; "-" when absent.
std::string param(const std::string& header, const std::string& name) {
    const auto at = header.find(" " + name + "=");
    if (at == std::string::npos) return "-";
    std::string rest = header.substr(at + name.size() + 2);
    if (rest.front() == '"') return rest.substr(1, rest.find('"', 1) - 1);
    return rest.substr(0, rest.find(','));
}

/// What the response should be, computed from the header's own parameters.
std::string expected(const std::string& header, DigestAlgorithm algorithm, bool has_qop) {
    const std::string realm = param(header, "realm");
    const std::string nonce = param(header, "nonce");
    const std::string cnonce = param(header, "cnonce");
    const std::string nc = param(header, "nc");
    return digest_response(
        {.algorithm = algorithm,
         .user = "Mufasa",
         .realm = realm,
         .password = "Circle of Life",
         .nonce = nonce,
         .method = "REGISTER",
         .uri = kUri,
         .has_qop = has_qop,
         .nonce_count = nc == "-" ? 0U : static_cast<std::uint32_t>(std::stoul(nc, nullptr, 16)),
         .cnonce = cnonce});
}

TEST(Digest, examples_of_the_rfcs) {
    // RFC 2617 §3.5.
    DigestInput in{.algorithm = DigestAlgorithm::Md5,
                   .user = "Mufasa",
                   .realm = "testrealm@host.com",
                   .password = "Circle Of Life",
                   .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                   .method = "GET",
                   .uri = "/dir/index.html",
                   .has_qop = true,
                   .nonce_count = 1,
                   .cnonce = "0a4f113b"};
    EXPECT_EQ(digest_response(in), "6629fae49393a05397450978507c4ef1");
    in.has_qop = false;
    EXPECT_EQ(digest_response(in), "670fd8c2df070c60b045671b8b24ff02");

    // RFC 7616 §3.9.1.
    in.realm = "http-auth@example.org";
    in.password = "Circle of Life";
    in.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    in.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    in.has_qop = true;
    EXPECT_EQ(digest_response(in), "8ca523f5e9506fed4657c9700eebdbec");
    in.algorithm = DigestAlgorithm::Sha256;
    EXPECT_EQ(digest_response(in),
              "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

TEST(Digest, without_qop_and_algorithm) {
    // The shape of RingCentral and of many old registrars.
    auto auth = make();
    AuthAttempt attempt;
    const auto challenge =
        response(401, {"Digest realm=\"sip.example.com\", nonce=\"Y0Lm/2NC5YRW4+1GvHz\""});
    const auto headers = auth.answer(*challenge, "REGISTER", kUri, attempt);
    ASSERT_TRUE(headers) << headers.error().text();
    ASSERT_EQ(headers->size(), 1U);
    EXPECT_STREQ(headers->front().first, "Authorization");
    const std::string& value = headers->front().second;
    EXPECT_TRUE(value.starts_with("Digest username=\"Mufasa\", ")) << value;
    EXPECT_EQ(param(value, "uri"), kUri);
    EXPECT_EQ(param(value, "qop"), "-");
    EXPECT_EQ(param(value, "nc"), "-");
    EXPECT_EQ(param(value, "cnonce"), "-");
    EXPECT_EQ(param(value, "algorithm"), "-");
    EXPECT_EQ(param(value, "opaque"), "-");
    EXPECT_EQ(param(value, "response"), expected(value, DigestAlgorithm::Md5, false));
}

TEST(Digest, prefers_sha_256_and_sends_opaque_back) {
    auto auth = make();
    AuthAttempt attempt;
    const auto challenge = response(
        401,
        {R"(Digest realm="r", nonce="n1", opaque="o1", algorithm=SHA-256, qop="auth,auth-int")",
         R"(Digest realm="r", nonce="n2", opaque="o2", algorithm=MD5, qop="auth")",
         R"(Digest realm="r", nonce="n3", algorithm=SHA-512-256, qop="auth")"});
    const auto headers = auth.answer(*challenge, "REGISTER", kUri, attempt);
    ASSERT_TRUE(headers) << headers.error().text();
    ASSERT_EQ(headers->size(), 1U);
    const std::string& value = headers->front().second;
    EXPECT_EQ(param(value, "algorithm"), "SHA-256");
    EXPECT_EQ(param(value, "nonce"), "n1");
    EXPECT_EQ(param(value, "opaque"), "o1");
    EXPECT_EQ(param(value, "qop"), "auth");
    EXPECT_EQ(param(value, "nc"), "00000001");
    EXPECT_GE(param(value, "cnonce").size(), 16U);
    EXPECT_EQ(param(value, "response"), expected(value, DigestAlgorithm::Sha256, true));
}

TEST(Digest, session_algorithms) {
    auto auth = make();
    AuthAttempt attempt;
    const auto challenge =
        response(401, {R"(Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth")"});
    const auto headers = auth.answer(*challenge, "REGISTER", kUri, attempt);
    ASSERT_TRUE(headers);
    const std::string& value = headers->front().second;
    EXPECT_EQ(param(value, "algorithm"), "MD5-sess");
    EXPECT_EQ(param(value, "response"), expected(value, DigestAlgorithm::Md5Session, true));
    EXPECT_NE(param(value, "response"), expected(value, DigestAlgorithm::Md5, true));
}

TEST(Digest, counts_each_use_of_a_nonce) {
    auto auth = make();
    AuthAttempt first;
    const auto challenge = response(401, {R"(Digest realm="r", nonce="n", qop="auth")"});
    const auto one = auth.answer(*challenge, "REGISTER", kUri, first);
    ASSERT_TRUE(one);
    const auto two = auth.in_advance("REGISTER", kUri);
    ASSERT_EQ(two.size(), 1U);
    EXPECT_EQ(param(two.front().second, "nc"), "00000002");
    EXPECT_EQ(param(two.front().second, "cnonce"), param(one->front().second, "cnonce"));
    // Another request that was challenged with the same nonce.
    AuthAttempt other;
    const auto three = auth.answer(*challenge, "REGISTER", kUri, other);
    ASSERT_TRUE(three);
    EXPECT_EQ(param(three->front().second, "nc"), "00000003");
    EXPECT_EQ(param(three->front().second, "response"),
              expected(three->front().second, DigestAlgorithm::Md5, true));
    auth.forget();
    EXPECT_TRUE(auth.in_advance("REGISTER", kUri).empty());
}

TEST(Digest, the_same_realm_again_is_a_wrong_password) {
    for (const std::string nonce : {"n", "another"}) {
        auto auth = make();
        AuthAttempt attempt;
        ASSERT_TRUE(auth.answer(*response(401, {R"(Digest realm="r", nonce="n", qop="auth")"}),
                                "REGISTER",
                                kUri,
                                attempt));
        const auto again =
            auth.answer(*response(401, {R"(Digest realm="r", qop="auth", nonce=")" + nonce + "\""}),
                        "REGISTER",
                        kUri,
                        attempt);
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().code, ErrorCode::Conflict);
        EXPECT_TRUE(auth.in_advance("REGISTER", kUri).empty());
    }
}

TEST(Digest, a_stale_nonce_is_answered_with_the_new_one_but_not_for_ever) {
    auto auth = make();
    AuthAttempt attempt;
    ASSERT_TRUE(auth.answer(
        *response(401, {R"(Digest realm="r", nonce="n0")"}), "REGISTER", kUri, attempt));
    for (int i = 1; i <= DigestAuth::kMaxStaleAnswers; ++i) {
        const auto challenge =
            response(401, {R"(Digest realm="r", stale=true, nonce="n)" + std::to_string(i) + "\""});
        const auto headers = auth.answer(*challenge, "REGISTER", kUri, attempt);
        ASSERT_TRUE(headers) << i;
        EXPECT_EQ(param(headers->front().second, "nonce"), "n" + std::to_string(i));
    }
    const auto last = auth.answer(
        *response(401, {R"(Digest realm="r", stale=TRUE, nonce="n9")"}), "REGISTER", kUri, attempt);
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code, ErrorCode::Conflict);
}

TEST(Digest, a_proxy_and_a_registrar_each_get_their_own) {
    auto auth = make();
    AuthAttempt attempt;
    const auto proxy = auth.answer(
        *response(407, {R"(Digest realm="proxy", nonce="p")"}), "REGISTER", kUri, attempt);
    ASSERT_TRUE(proxy);
    EXPECT_STREQ(proxy->front().first, "Proxy-Authorization");
    const auto both = auth.answer(
        *response(401, {R"(Digest realm="registrar", nonce="r")"}), "REGISTER", kUri, attempt);
    ASSERT_TRUE(both);
    ASSERT_EQ(both->size(), 2U);
    EXPECT_TRUE(std::any_of(both->begin(), both->end(), [](const AuthHeader& header) {
        return std::string(header.first) == "Proxy-Authorization" &&
               param(header.second, "realm") == "proxy";
    }));
    EXPECT_TRUE(std::any_of(both->begin(), both->end(), [](const AuthHeader& header) {
        return std::string(header.first) == "Authorization" &&
               param(header.second, "realm") == "registrar";
    }));
}

TEST(Digest, what_is_not_answered) {
    const std::vector<std::string> refused{R"(Basic realm="r")",
                                           R"(Digest realm="r", nonce="n", qop="auth-int")",
                                           R"(Digest realm="r", nonce="n", algorithm=AKAv1-MD5)",
                                           R"(Digest realm="r", nonce="")"};
    for (const std::string& challenge : refused) {
        auto auth = make();
        AuthAttempt attempt;
        const auto headers = auth.answer(*response(401, {challenge}), "REGISTER", kUri, attempt);
        ASSERT_FALSE(headers) << challenge;
        EXPECT_EQ(headers.error().code, ErrorCode::Unsupported) << challenge;
    }
    AuthAttempt attempt;
    auto strict = make("mine");
    const auto challenge = response(401, {R"(Digest realm="theirs", nonce="n")"});
    EXPECT_EQ(strict.answer(*challenge, "REGISTER", kUri, attempt).error().code,
              ErrorCode::Unsupported);
    DigestAuth empty("Mufasa", {});
    EXPECT_EQ(empty.answer(*challenge, "REGISTER", kUri, attempt).error().code,
              ErrorCode::InvalidArgument);
    auto none = make();
    EXPECT_EQ(none.answer(*response(401, {}), "REGISTER", kUri, attempt).error().code,
              ErrorCode::Unsupported);
}

TEST(Digest, quotes_in_names_stay_inside_their_header) {
    DigestAuth auth("a\"b\\c", base::Secret("p"));
    AuthAttempt attempt;
    const auto headers =
        auth.answer(*response(401, {R"(Digest realm="r", nonce="n")"}), "REGISTER", kUri, attempt);
    ASSERT_TRUE(headers);
    EXPECT_TRUE(headers->front().second.starts_with(R"(Digest username="a\"b\\c", )"))
        << headers->front().second;
}

}  // namespace
}  // namespace offhook::signalling::sip
