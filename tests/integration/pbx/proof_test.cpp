// The failure that Offhook exists for, gone: a PBX that takes calls without media away, an AI that
// never says a word, and callers who keep their call over every transport.

#include "pbx/proof.h"

namespace offhook::harness {
namespace {

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

}  // namespace
}  // namespace offhook::harness
