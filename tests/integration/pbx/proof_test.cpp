// The failure that Offhook exists for, gone: a PBX that takes calls without media away, an AI that
// never says a word, and callers who keep their call over every transport.

#include "pbx/proof.h"
#include "pbx/web_phone.h"

namespace offhook::harness {
namespace {

using Transport = Pbx::Transport;
using Media = Pbx::Media;

constexpr int kLimit_s = 3;
/// Of calls that must last for five times the limit; a web leg speaks once ICE and DTLS are up.
constexpr milliseconds kLength = seconds(5 * kLimit_s) + milliseconds(500);

// Without registration: the PBX knows where Offhook listens.
TEST_F(ProofTest, StaticEndpointKeepsItsCall) {
    Pbx::Options options;
    options.users = {{"udp"}, {"tcp"}, {.name = "sdes", .media = Pbx::Media::Sdes}};
    options.no_media_limit = seconds(kLimit_s);
    start_pbx(options, {});
    start_daemon({});
    pbx_->add_contact("udp", daemon_->uri("udp"));
    pbx_->add_contact("sdes", daemon_->uri("sdes"));
    pbx_->add_contact(
        "tcp", "sip:tcp@127.0.0.1:" + std::to_string(daemon_->tcp_port()) + ";transport=tcp");
    const auto over_udp = call("udp", kLength);
    const auto encrypted = call("sdes", kLength);
    const auto over_tcp = call("tcp", kLength);
    expect_live_calls(3);
    expect_ended_by_caller(*over_udp);
    expect_ended_by_caller(*encrypted);
    expect_ended_by_caller(*over_tcp);
    expect_steady(3, 5 * kLimit_s);
    expect_callers_undisturbed(3, 5 * kLimit_s);
}

TEST_F(ProofTest, CallOutlivesFiveTimesTheLimitOverEveryTransport) {
    const std::vector<Phone> phones{{"udp", Transport::Udp, Media::Plain},
                                    {"tcp", Transport::Tcp, Media::Plain},
                                    {"tls", Transport::Tls, Media::Sdes},
                                    {"wss", Transport::Wss, Media::Plain},
                                    {"web", Transport::Wss, Media::Dtls}};
    Pbx::Options options;
    options.users.clear();
    options.no_media_limit = seconds(kLimit_s);
    start_pbx(options, phones);
    start_daemon(phones);
    std::vector<std::unique_ptr<Sipp>> callers;
    for (const Phone& phone : phones) {
        callers.push_back(call(phone.user, kLength));
    }
    expect_live_calls(phones.size());
    for (const auto& caller : callers) {
        expect_ended_by_caller(*caller);
    }
    expect_steady(phones.size(), 5 * kLimit_s);
    expect_callers_undisturbed(phones.size(), 5 * kLimit_s);
}

// Two WebPhones over WSS, ICE and DTLS-SRTP at the relay, neither with anything to say: the browser's
// call is taken away, Offhook's is not.
TEST_F(ProofTest, SilentBrowserIsDivertedAndOffhookIsKept) {
    if (const std::string reason = Browser::missing(); !reason.empty()) {
        GTEST_SKIP() << reason;
    }
    const std::vector<Phone> phones{{"offhook", Transport::Wss, Media::Dtls}};
    Pbx::Options options;
    options.users = {{.name = "browser", .media = Media::Dtls}};
    options.no_media_limit = seconds(kLimit_s);
    start_pbx(options, phones);
    start_daemon(phones);
    Browser::Options trusting;
    trusting.trusts = {pbx_->certificate_file()};
    Browser browser(folder_, trusting);
    WebPhone silent(browser, *pbx_, "browser", Transport::Wss, true);
    const auto lost = call("browser", seconds(kLimit_s + 2));
    const auto kept = call("offhook", kLength);
    silent.talking();
    expect_live_calls(1);
    const auto diversion = pbx_->wait_diversion(seconds(20));
    ASSERT_TRUE(diversion);
    EXPECT_NEAR(diversion->after_answer_s, kLimit_s, 0.5);
    EXPECT_NE(silent.ended().text("reason").find("cause=480"), std::string::npos);
    expect_ended_by_caller(*lost);
    expect_ended_by_caller(*kept);
    EXPECT_EQ(pbx_->diversions().size(), 1U);
    EXPECT_EQ(daemon_->count_events("call.diverted"), 0U);
    expect_steady(1, 5 * kLimit_s);
    const auto heard = heard_by_callers();
    ASSERT_FALSE(heard.empty());
    expect_no_greeting(heard.front());
    EXPECT_GE(double(heard.front().judge().packets), (5 * kLimit_s) * 49);
}

// When a PBX does it all the same, Offhook knows what happened and what it had sent until then.
TEST_F(ProofTest, DivertedCallIsNamed) {
    const std::vector<Phone> phones{{"tls", Transport::Tls, Media::Sdes}};
    Pbx::Options options;
    options.users.clear();
    options.no_media_limit = seconds(kLimit_s);
    options.media_packets_hz = 1000;
    start_pbx(options, phones);
    start_daemon(phones);
    const auto caller = call("tls", seconds(kLimit_s + 2));
    ASSERT_TRUE(pbx_->wait_diversion(seconds(20)));
    const auto event = daemon_->wait_event("call.diverted");
    ASSERT_TRUE(event);
    EXPECT_NEAR(event->number("after_answer_ms"), kLimit_s * 1000, 700);
    EXPECT_GT(event->number("sent"), (kLimit_s - 1) * 50);
    EXPECT_GT(event->number("received"), (kLimit_s - 1) * 50);
    expect_ended_by_caller(*caller);
}

}  // namespace
}  // namespace offhook::harness
