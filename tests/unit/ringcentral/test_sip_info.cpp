#include "signalling/ringcentral/rc_sip_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace offhook::signalling::ringcentral {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string provision(const std::string& in_info = "", const std::string& beside = "") {
    return R"({"device":{"id":"600700"},"sipInfo":[{"transport":"WSS","username":"17205550100*115",
        "authorizationId":"802000000001","password":"p w","domain":"sip.example.com",
        "outboundProxy":"sip1.example.com:8083")" +
           (in_info.empty() ? "" : "," + in_info) + R"(}])" + (beside.empty() ? "" : "," + beside) +
           "}";
}

TEST(RcSipInfo, ReadsAWebPhone) {
    const auto sip = read_sip_provision(
        provision(R"("outboundProxyBackup":"sip2.example.com:8083","switchBackInterval":3600,
            "authorizationTypes":["SipDigest","BearerToken"],
            "stunServers":["stun1.example.com:19302",7,"bad server:1","stun2.example.com:19302"])",
                  R"("pollingInterval":86400,"sipFlags":{"voipFeatureEnabled":true,
            "voipCountryBlocked":false,"outboundCallsEnabled":false})"));
    ASSERT_TRUE(sip) << sip.error().error.text();
    EXPECT_EQ(sip->kind, Kind::Wss);
    EXPECT_EQ(sip->user, "17205550100*115");
    EXPECT_EQ(sip->domain, "sip.example.com");
    EXPECT_EQ(sip->authorization_id, "802000000001");
    EXPECT_EQ(sip->password.reveal(), "p w");
    EXPECT_EQ(sip->proxy, "sip1.example.com:8083");
    EXPECT_EQ(sip->backup_proxy, "sip2.example.com:8083");
    EXPECT_EQ(sip->switch_back, std::chrono::seconds(3600));
    EXPECT_EQ(sip->polling, std::chrono::seconds(86400));
    EXPECT_THAT(sip->stun_servers,
                ElementsAre("stun1.example.com:19302", "stun2.example.com:19302"));
    EXPECT_EQ(sip->device_id, "600700");
    EXPECT_FALSE(sip->may_call_out);
}

TEST(RcSipInfo, WhatIsOptionalMayBeMissing) {
    const auto sip = read_sip_provision(provision());
    ASSERT_TRUE(sip);
    EXPECT_EQ(sip->backup_proxy, "");
    EXPECT_FALSE(sip->switch_back);
    EXPECT_FALSE(sip->polling);
    EXPECT_TRUE(sip->may_call_out);
}

TEST(RcSipInfo, FlagsThatForbidAPhoneAreSentences) {
    const auto off =
        read_sip_provision(provision("", R"("sipFlags":{"voipFeatureEnabled":false})"));
    ASSERT_FALSE(off);
    EXPECT_TRUE(off.error().is_permanent);
    EXPECT_THAT(off.error().error.message, HasSubstr("switched VoIP off"));
    const auto blocked =
        read_sip_provision(provision("", R"("sipFlags":{"voipCountryBlocked":"true"})"));
    ASSERT_FALSE(blocked);
    EXPECT_THAT(blocked.error().error.message, HasSubstr("country"));
    const auto bearer = read_sip_provision(
        R"({"sipInfo":[{"username":"u","authorizationTypes":["BearerToken"]}]})");
    ASSERT_FALSE(bearer);
    EXPECT_THAT(bearer.error().error.message, HasSubstr("no SIP digest"));
}

TEST(RcSipInfo, ReadsADeviceAndStripsThePort) {
    const std::string text =
        R"({"domain":"sip.example.com:5060","userName":"17205550100","password":"secret",
        "authorizationId":"801","outboundProxies":[
        {"region":"NA","proxy":"na.example.com:5090","proxyTLS":"na.example.com:5096"},
        {"region":"LATAM","proxy":"old.example.com:5090"},
        {"region":"EMEA","proxy":"eu.example.com:5090","proxyTLS":"eu.example.com:5096"}]})";
    const auto first = read_sip_info(text, "");
    ASSERT_TRUE(first) << first.error().error.text();
    EXPECT_EQ(first->kind, Kind::Tls);
    EXPECT_EQ(first->domain, "sip.example.com");
    EXPECT_EQ(first->proxy, "na.example.com:5096");
    EXPECT_EQ(first->backup_proxy, "eu.example.com:5096");
    const auto europe = read_sip_info(text, "EMEA");
    ASSERT_TRUE(europe);
    EXPECT_EQ(europe->proxy, "eu.example.com:5096");
    EXPECT_EQ(europe->backup_proxy, "na.example.com:5096");
    const auto nowhere = read_sip_info(text, "MOON");
    ASSERT_FALSE(nowhere);
    EXPECT_TRUE(nowhere.error().is_permanent);
    EXPECT_THAT(nowhere.error().error.message, HasSubstr("NA, EMEA"));
}

TEST(RcSipInfo, ADeviceOfAnotherTypeIsNamedAsSuch) {
    for (const char* text :
         {R"({"domain":"sip.example.com","userName":"u","authorizationId":"801"})",
          R"({"domain":"sip.example.com","userName":"u","authorizationId":"801","password":"p",
              "outboundProxies":[{"region":"NA","proxy":"na.example.com:5090"}]})"}) {
        const auto sip = read_sip_info(text, "");
        ASSERT_FALSE(sip);
        EXPECT_TRUE(sip.error().is_permanent);
        EXPECT_THAT(sip.error().error.message, HasSubstr("Existing Phone"));
    }
}

TEST(RcSipInfo, NothingThatCouldForgeAHeaderPasses) {
    const auto with =
        [](const std::string& user, const std::string& domain, const std::string& proxy) {
            return read_sip_provision(R"({"sipInfo":[{"username":")" + user +
                                      R"(","authorizationId":"1","password":"p","domain":")" +
                                      domain + R"(","outboundProxy":")" + proxy + R"("}]})");
        };
    EXPECT_TRUE(with("u", "d.example", "p.example:1"));
    EXPECT_FALSE(with(R"(u\r\nX: y)", "d.example", "p.example:1"));
    EXPECT_FALSE(with("u>", "d.example", "p.example:1"));
    EXPECT_FALSE(with("", "d.example", "p.example:1"));
    EXPECT_FALSE(with("u", "d.example/x", "p.example:1"));
    EXPECT_FALSE(with("u", "", "p.example:1"));
    for (const char* proxy : {"p.example",
                              "p.example:0",
                              "p.example:65536",
                              ":1",
                              "p example:1",
                              "p.example:1x",
                              "wss://p.example:1"}) {
        EXPECT_FALSE(with("u", "d.example", proxy)) << proxy;
    }
    for (const char* text : {"",
                             "null",
                             "[]",
                             "{}",
                             R"({"sipInfo":[]})",
                             R"({"sipInfo":[7]})",
                             R"({"sipInfo":{}})",
                             "<html>"}) {
        EXPECT_FALSE(read_sip_provision(text)) << text;
        EXPECT_FALSE(read_sip_info(text, "")) << text;
    }
}

}  // namespace
}  // namespace offhook::signalling::ringcentral
