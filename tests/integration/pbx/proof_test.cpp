// The failure that Offhook exists for, gone: a PBX that takes calls without media away, an AI that
// never says a word, and callers who keep their call over every transport.

#include "pbx/proof.h"

namespace offhook::harness {
namespace {

using Transport = Pbx::Transport;
using Media = Pbx::Media;

constexpr int kLimit_s = 3;

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
    const auto over_udp = call("udp", seconds(5 * kLimit_s));
    const auto encrypted = call("sdes", seconds(5 * kLimit_s));
    const auto over_tcp = call("tcp", seconds(5 * kLimit_s));
    expect_live_calls(3);
    expect_ended_by_caller(*over_udp);
    expect_ended_by_caller(*encrypted);
    expect_ended_by_caller(*over_tcp);
    expect_steady(3, 5 * kLimit_s - 0.1);
    expect_callers_undisturbed(3, 5 * kLimit_s - 0.1);
}

TEST_F(ProofTest, CallOutlivesFiveTimesTheLimitOverEveryTransport) {
    const std::vector<Phone> phones{{"udp", Transport::Udp, Media::Plain},
                                    {"tcp", Transport::Tcp, Media::Plain},
                                    {"tls", Transport::Tls, Media::Sdes},
                                    {"wss", Transport::Wss, Media::Plain}};
    Pbx::Options options;
    options.users.clear();
    options.no_media_limit = seconds(kLimit_s);
    start_pbx(options, phones);
    start_daemon(phones);
    std::vector<std::unique_ptr<Sipp>> callers;
    for (const Phone& phone : phones) {
        callers.push_back(call(phone.user, seconds(5 * kLimit_s)));
    }
    expect_live_calls(phones.size());
    for (const auto& caller : callers) {
        expect_ended_by_caller(*caller);
    }
    expect_steady(phones.size(), 5 * kLimit_s - 0.1);
    expect_callers_undisturbed(phones.size(), 5 * kLimit_s - 0.1);
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
