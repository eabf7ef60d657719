#include "signalling/ringcentral/rc_refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace offhook::signalling::ringcentral {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

http::HttpReply reply(int status,
                      const std::string& body = {},
                      const std::string& retry_after = {}) {
    http::HttpReply made;
    made.status = status;
    made.body = body;
    if (!retry_after.empty()) made.headers["retry-after"] = retry_after;
    return made;
}

TEST(RcRefusal, WhatIsWrongWithTheJwtOrTheAppIsSaid) {
    const auto grant = refusal_of(
        reply(400, R"({"error":"invalid_grant","error_description":"Invalid assertion"})"),
        Step::Token);
    EXPECT_TRUE(grant.is_permanent);
    EXPECT_THAT(grant.error.message, HasSubstr("does not accept the JWT"));
    EXPECT_THAT(grant.error.message, HasSubstr("(400 invalid_grant: Invalid assertion)"));
    const auto client =
        refusal_of(reply(401, R"({"error":"invalid_client","errors":[{"errorCode":"OAU-153"}]})"),
                   Step::Token);
    EXPECT_TRUE(client.is_permanent);
    EXPECT_THAT(client.error.message, HasSubstr("check client_id"));
    EXPECT_THAT(client.error.message, HasSubstr("OAU-153"));
    EXPECT_THAT(
        refusal_of(reply(400, R"({"error":"unauthorized_client"})"), Step::Token).error.message,
        HasSubstr("JWT auth flow"));
}

TEST(RcRefusal, PermissionsAndDevicesAreNamed) {
    const std::string body =
        R"({"errorCode":"CMN-401","message":"application needs to have [VoipCalling] permission"})";
    const auto app = refusal_of(reply(403, body), Step::SipProvision);
    EXPECT_TRUE(app.is_permanent);
    EXPECT_THAT(app.error.message, HasSubstr("VoIP Calling"));
    EXPECT_THAT(app.error.message, HasSubstr("403 CMN-401: application needs"));
    EXPECT_THAT(
        refusal_of(reply(403, R"({"errorCode":"CMN-408"})"), Step::SipProvision).error.message,
        HasSubstr("the user of the JWT"));
    const auto device = refusal_of(reply(404, R"({"errorCode":"CMN-102"})"), Step::SipInfo);
    EXPECT_TRUE(device.is_permanent);
    EXPECT_THAT(device.error.message, HasSubstr("Existing Phone"));
}

TEST(RcRefusal, ATokenThatIsRefusedMayBeReplaced) {
    const auto refusal = refusal_of(reply(401, R"({"errorCode":"OAU-213"})"), Step::SipProvision);
    EXPECT_TRUE(refusal.is_token_refused);
    EXPECT_FALSE(refusal.is_permanent);
}

TEST(RcRefusal, WhatMayPassSaysWhen) {
    const auto limit = refusal_of(reply(429, "", "17"), Step::Token);
    EXPECT_FALSE(limit.is_permanent);
    EXPECT_EQ(limit.retry_after, std::chrono::seconds(17));
    EXPECT_THAT(limit.error.message, HasSubstr("after 17 s"));
    EXPECT_EQ(refusal_of(reply(429), Step::Token).retry_after, std::chrono::seconds(60));
    EXPECT_EQ(refusal_of(reply(429, "", "999999"), Step::Token).retry_after,
              std::chrono::seconds(3600));
    EXPECT_EQ(refusal_of(reply(503, "", "0"), Step::Token).retry_after, std::chrono::seconds(1));
    for (const int status : {408, 500, 502, 503, 504}) {
        const auto trouble = refusal_of(reply(status), Step::SipInfo);
        EXPECT_FALSE(trouble.is_permanent) << status;
        EXPECT_FALSE(trouble.retry_after) << status;
    }
    EXPECT_FALSE(
        refusal_of(reply(503, "", "Fri, 31 Dec 1999 23:59:59 GMT"), Step::Token).retry_after);
    EXPECT_FALSE(refusal_of(base::Error{base::ErrorCode::Timeout, "slow", {}}).is_permanent);
    EXPECT_TRUE(refusal_of(base::Error{base::ErrorCode::InvalidArgument, "url", {}}).is_permanent);
}

TEST(RcRefusal, TheirWordsAreBoundedAndCannotReachATerminal) {
    const std::string body = R"({"errorCode":")" + std::string(500, 'c') +
                             R"(","message":"\u001b[31m\nforged line )" + std::string(5000, 'x') +
                             R"("})";
    const auto refusal = refusal_of(reply(403, body), Step::SipInfo);
    EXPECT_LT(refusal.error.message.size(), 700U);
    EXPECT_THAT(refusal.error.message, Not(HasSubstr("\x1b")));
    EXPECT_THAT(refusal.error.message, Not(HasSubstr("\n")));
    EXPECT_THAT(refusal_of(reply(403, "<html>"), Step::SipInfo).error.message, HasSubstr("(403)"));
}

TEST(RcRefusal, ARedirectMeansTheWrongServer) {
    const auto refusal = refusal_of(reply(302), Step::Token);
    EXPECT_TRUE(refusal.is_permanent);
    EXPECT_THAT(refusal.error.message, HasSubstr("check server"));
}

TEST(RcRefusal, TheFiveContactLimitIsExplained) {
    EXPECT_THAT(registration_advice(603), HasSubstr("five"));
    EXPECT_THAT(registration_advice(603), HasSubstr("one or two minutes"));
    EXPECT_THAT(registration_advice(401), HasSubstr("password"));
    EXPECT_EQ(registration_advice(200), "");
    EXPECT_EQ(registration_advice(503), "");
}

}  // namespace
}  // namespace offhook::signalling::ringcentral
