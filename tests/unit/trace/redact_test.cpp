// No secret that a SIP message can carry is kept.
#include "trace/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace offhook::trace {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string body_of(const std::string& message) {
    return message.substr(message.find("\r\n\r\n") + 4);
}

TEST(Redact, EveryCanaryIsGone) {
    const std::string body =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nk=base64:CANARYk\r\nm=audio 4000 RTP/SAVP 0\r\n"
        "a=ice-ufrag:seen\r\na=ice-pwd:CANARYicepwd0123456789ab\r\n"
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:CANARYkey1|2^20|1:4 KDR=0\r\n"
        "a=crypto:2 AES_256_CM_HMAC_SHA1_80 inline:CANARYkey2|1:4;inline:CANARYkey3|2:4\r\n"
        "a=key-mgmt:mikey CANARYmikey==\r\na=rtpmap:0 PCMU/8000\r\n"
        "{\"access_token\": \"CANARYjson\", \"x\": 1}\r\n<token>CANARYxml</token>\r\n"
        "uri=sip:u:CANARYbody@example.com\r\nAuthorization: Bearer CANARYbearer\r\n";
    const std::string message =
        "INVITE sip:100:CANARYuri@192.0.2.9;token=CANARYparam SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\r\n"
        "From: \"A\" <sip:a:CANARYfrom@example.com>;tag=1\r\n"
        "Contact: <sips:b:CANARYsips@192.0.2.1>\r\n"
        "Call-ID: keep@example.com\r\n"
        "CSeq: 1 INVITE\r\n"
        "AUTHORIZATION: Digest username=\"u\", realm=\"r\", nonce=\"CANARYnonce\",\r\n"
        "  response=\"CANARYresponse\",\r\n\tcnonce=\"CANARYcnonce\"\r\n"
        "Proxy-Authorization : Bearer CANARYproxy\r\n"
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"CANARYwww\"\r\n"
        "Proxy-Authenticate: Digest nonce=\"CANARYpa\"\r\n"
        "Authentication-Info: rspauth=\"CANARYinfo\"\r\n"
        "P-rc-Api-Token: CANARYrc\r\nX-Api-Key: CANARYapikey\r\nCookie: s=CANARYcookie\r\n"
        "Refer-To: <sip:c@example.com?Authorization=CANARYrefer&Replaces=1>\r\n"
        "X-Note: go with Bearer CANARYnote and password = CANARYpassword\r\n"
        "Content-Type: application/sdp\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    const std::string kept = without_secrets(message);
    EXPECT_THAT(kept, Not(HasSubstr("CANARY")));
    // Whoever reads it can still see what happened.
    EXPECT_EQ(body_of(kept).size(), body.size());
    EXPECT_THAT(kept, HasSubstr("\r\nAUTHORIZATION: Digest (removed)\r\nProxy-Auth"));
    EXPECT_THAT(kept, HasSubstr("Call-ID: keep@example.com\r\n"));
    EXPECT_THAT(kept, HasSubstr("a=ice-ufrag:seen\r\n"));
    EXPECT_THAT(kept, HasSubstr("inline:xxxxxxxxxx|2^20|1:4 KDR=0\r\n"));
    EXPECT_THAT(kept, HasSubstr("<sip:a:xxxxxxxxxx@example.com>;tag=1\r\n"));
    EXPECT_THAT(kept, HasSubstr("a=rtpmap:0 PCMU/8000\r\n"));
}

TEST(Redact, WhatHasNoSecretStaysAsItWas) {
    const std::string plain =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bK-1;received=::1\r\n"
        "From: <sip:100@[2001:db8::1]:5060>;tag=a\r\nTo: sip:200@example.com:5060;tag=b\r\n"
        "Contact: <sip:offhook@192.0.2.1:5060;transport=tcp>\r\nCall-ID: 1@h\r\nCSeq: 2 INVITE\r\n"
        "Content-Type: application/sdp\r\nContent-Length: 8\r\n\r\nv=0\r\ns=-";
    EXPECT_EQ(without_secrets(plain), plain);
}

TEST(Redact, AnyBytesAreFine) {
    for (const std::string_view text : {"",
                                        "\r\n",
                                        "\r\n\r\n",
                                        ":",
                                        "Authorization",
                                        "Authorization:",
                                        "INVITE\nAuthorization:",
                                        "INVITE x\r\nAuthorization: \r\n ",
                                        "sip:@",
                                        "sip:a:@",
                                        "Bearer ",
                                        "token",
                                        "token=",
                                        "a\r\n\r\nk=",
                                        "a\r\n\r\na=crypto:",
                                        "a\r\n\r\na=key-mgmt:",
                                        "a\r\n\r\na=ice-pwd:"}) {
        EXPECT_LE(without_secrets(text).size(), text.size() + 10) << text;
    }
    std::string all("INVITE\r\n");
    for (int i = 0; i < 512; ++i) all += static_cast<char>(i);
    EXPECT_FALSE(without_secrets(all).empty());
}

}  // namespace
}  // namespace offhook::trace
