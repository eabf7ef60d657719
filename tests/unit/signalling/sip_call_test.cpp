// Calls through real loopback sockets: set-up, answer, end.
#include <gtest/gtest.h>

#include "scripted_uac.h"

namespace offhook::test {
namespace {

class Transports : public testing::TestWithParam<ScriptedUac::Over> {};
INSTANTIATE_TEST_SUITE_P(Sip,
                         Transports,
                         testing::Values(ScriptedUac::Over::Udp, ScriptedUac::Over::Tcp),
                         [](const auto& over) {
                             return over.param == ScriptedUac::Over::Udp ? "Udp" : "Tcp";
                         });

TEST_P(Transports, CallIsAnsweredConfirmedAndEndedByTheCaller) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE", plain_offer()));
    EXPECT_EQ(uac.receive().status(), 100);
    const Message ok = uac.expect(200);
    ASSERT_FALSE(ok.empty());
    EXPECT_NE(ok.body().find("m=audio 20000 RTP/AVP 0 101\r\n"), std::string::npos);
    EXPECT_EQ(ok.header("Content-Type"), "application/sdp");
    EXPECT_NE(ok.header("Allow").find("INVITE"), std::string::npos);
    EXPECT_TRUE(ok.header("Contact").starts_with("<sip:offhook@127.0.0.1:"));
    EXPECT_TRUE(ok.header("Server").starts_with("offhook/"));
    EXPECT_FALSE(ok.tag("To").empty());
    uac.learn(ok);
    uac.send(uac.request("ACK"));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    uac.send(uac.request("BYE"));
    EXPECT_EQ(uac.receive().status(), 200);
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("ended caller-hangup"); }));
    EXPECT_EQ(
        bench.events.lines,
        (std::vector<std::string>{"incoming", "answer_sent", "confirmed", "ended caller-hangup"}));
    const auto& call = bench.events.calls.at(0);
    EXPECT_EQ(call.from_user, "alice");
    EXPECT_EQ(call.to_user, "service");
    EXPECT_EQ(call.user_agent, "scripted");
    EXPECT_EQ(call.sip_call_id, uac.call_id);
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().dialogs == 0; }));
}

}  // namespace
}  // namespace offhook::test
