// Calls that must not be answered, each with the status the RFC asks for, and the races at the edge
// of a call.

#include <gtest/gtest.h>
#include <signal.h>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

class SippRefusalTest : public CallTest {
protected:
    void expect(const Scenario& scenario, const Sipp::Options& options = {}) {
        Sipp sipp(folder_, daemon_->sip_port(), scenario, options);
        EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    }
};

TEST_F(SippRefusalTest, NoRouteIs404) {
    Daemon::Options options;
    options.more =
        "[[ai]]\nname = \"echo\"\nprotocol = \"echo\"\n[[route]]\nname = \"sales\"\nto = "
        "\"sales-*\"\nai = \"echo\"\n";
    start(options);
    Scenario refused;
    refused.invite(pcmu()).may_receive(100).receive(404).ack_failure();
    Sipp::Options nobody;
    nobody.user = "nobody";
    expect(refused, nobody);
    Scenario taken = answered();
    taken.bye().receive(200);
    Sipp::Options sales;
    sales.user = "sales-7";
    expect(taken, sales);
}

TEST_F(SippRefusalTest, NoCodecInCommonIs488) {
    start();
    Scenario scenario;
    scenario.invite(only("18", "G729/8000")).may_receive(100).receive(488).ack_failure();
    expect(scenario);
}

TEST_F(SippRefusalTest, BodyThatIsNoSdpIs415) {
    start();
    Scenario scenario;
    scenario.invite_with_body("application/pkcs7-mime", "not a session\n")
        .may_receive(100)
        .receive_matching(415, "Accept:.*application/sdp")
        .ack_failure();
    expect(scenario);
}

TEST_F(SippRefusalTest, RequiredExtensionIs420) {
    start();
    Scenario scenario;
    scenario.invite(pcmu(), "Require: teleportation\n")
        .may_receive(100)
        .receive_matching(420, "Unsupported:.*teleportation")
        .ack_failure();
    expect(scenario);
}

TEST_F(SippRefusalTest, UnknownMethodIs405) {
    start();
    Scenario scenario;
    scenario.request("PUBLISH").receive_matching(405, "Allow:");
    expect(scenario);
}

TEST_F(SippRefusalTest, SubscriptionToAnythingIs489) {
    start();
    Scenario scenario;
    scenario.request("SUBSCRIBE").receive_matching(489, "Allow-Events:");
    expect(scenario);
}

TEST_F(SippRefusalTest, ByeWithoutADialogIs481) {
    start();
    Scenario scenario;
    scenario.request("BYE").receive(481);
    expect(scenario);
}

TEST_F(SippRefusalTest, CancelBeforeTheAnswerIs487) {
    Daemon::Options options;
    options.sip = "answer_delay_ms = 20000\n";
    start(options);
    Scenario scenario;
    scenario.invite(pcmu())
        .may_receive(100)
        .receive(180)
        .cancel()
        .receive(200)
        .receive(487)
        .ack_failure();
    expect(scenario);
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "caller-cancelled");
    EXPECT_TRUE(daemon_->wait_live_calls(0));
}

// The CANCEL crosses the 200: it is answered, changes nothing, and the call is ended by ACK and BYE
// (RFC 3261 §9.1).
TEST_F(SippRefusalTest, CancelAfterTheAnswerChangesNothing) {
    start();
    Scenario scenario;
    scenario.invite(pcmu())
        .may_receive(100)
        .may_receive(180)
        .receive(200)
        .cancel()
        .receive(200)
        .ack()
        .pause(milliseconds(500))
        .bye()
        .receive(200);
    expect(scenario);
    EXPECT_TRUE(daemon_->wait_live_calls(0));
}

TEST_F(SippRefusalTest, NoPortLeftIs503WithRetryAfter) {
    RtpPorts range;
    Daemon::Options options;
    // Room for two calls.
    options.ports = std::pair(range.first, static_cast<std::uint16_t>(range.first + 3));
    start(options);
    Scenario holding = answered();
    holding.pause(seconds(4)).bye().receive(200);
    Sipp::Options two;
    two.calls = 2;
    two.arguments = {"-r", "100"};
    Sipp holder(folder_, daemon_->sip_port(), holding, two);
    ASSERT_TRUE(daemon_->wait_live_calls(2));
    Scenario refused;
    refused.invite(pcmu())
        .may_receive(100)
        .receive_matching(503, "Retry-After: [0-9]+")
        .ack_failure();
    expect(refused);
    EXPECT_TRUE(holder.succeeds()) << holder.problem();
    // The ports come back with the end of the calls.
    ASSERT_TRUE(daemon_->wait_live_calls(0));
    Scenario taken = answered();
    taken.bye().receive(200);
    expect(taken);
}

TEST_F(SippRefusalTest, MaxCallsIs503WithRetryAfter) {
    Daemon::Options options;
    options.more = "[admission]\nmax_calls = 1\n";
    start(options);
    Scenario holding = answered();
    holding.pause(seconds(3)).bye().receive(200);
    Sipp holder(folder_, daemon_->sip_port(), holding);
    ASSERT_TRUE(daemon_->wait_live_calls(1));
    Scenario refused;
    refused.invite(pcmu())
        .may_receive(100)
        .receive_matching(503, "Retry-After: [0-9]+")
        .ack_failure();
    expect(refused);
    EXPECT_TRUE(holder.succeeds()) << holder.problem();
}

TEST_F(SippRefusalTest, PeerOutsideAllowGetsNothing) {
    Daemon::Options options;
    options.sip = "allow = [\"192.0.2.0/24\"]\n";
    start(options);
    Scenario scenario;
    scenario.invite(pcmu()).receive(200);
    Sipp::Options brief;
    brief.arguments = {"-max_retrans", "2", "-recv_timeout", "2000"};
    Sipp sipp(folder_, daemon_->sip_port(), scenario, brief);
    EXPECT_FALSE(sipp.succeeds());
    EXPECT_EQ(sipp.messages().find("SIP/2.0 "), sipp.messages().find("SIP/2.0 [transport]"));
    EXPECT_EQ(daemon_->live_calls(), 0U);
}

}  // namespace
}  // namespace offhook::harness
