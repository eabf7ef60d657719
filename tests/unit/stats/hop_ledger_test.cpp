// Each hop, broken by itself: the ledger names it, and no other.
#include "stats/hop_ledger.h"

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

namespace offhook::stats {
namespace {

using model::CallInfo;
using model::Hop;
using model::HopFigures;
using model::HopLedger;
using model::HopState;

constexpr std::int64_t kNow = 1'700'000'000'000'000'000;
constexpr std::int64_t ms(double value) {
    return static_cast<std::int64_t>(value * 1e6);
}

/// A call of a minute with a bot, in which everything passes.
CallInfo healthy() {
    CallInfo call;
    call.state = model::CallState::Answered;
    call.answered_ns = kNow - ms(60'000);
    call.codec = "PCMU";
    call.ai = "helper";
    call.pipeline = "phone";
    call.bot.state = model::AiState::Live;
    call.bot.since_ns = call.answered_ns;
    model::AiFigures& ai = call.bot.figures;
    ai.connections = ai.attempts = 1;
    ai.sent_frames = 3'000;
    ai.sent_ms = 60'000;
    ai.since_last_sent_ms = 10;
    ai.given_ms = 20'000;
    model::LegStats& s = call.stats;
    s.arrived_packets = s.received_packets = s.decoded_packets = 3'000;
    s.since_last_arrived_ms = s.since_last_received_ms = s.since_last_decoded_ms = 10;
    s.decoded_samples = s.tapped_samples = s.heard_samples = 480'000;
    s.since_last_tapped_ms = s.since_last_heard_ms = 10;
    s.given_samples = 160'000;
    s.since_last_given_ms = s.since_last_voice_left_ms = 30;
    s.encoded_frames = s.sent_packets = 3'000;
    s.since_last_encoded_ms = s.since_last_sent_ms = 10;
    s.rtcp_received = 12;
    s.since_last_rtcp_ms = 3'000;
    s.acknowledged_packets = 2'850;
    s.since_last_acknowledged_ms = 3'000;
    return call;
}

const HopFigures& of(const HopLedger& ledger, Hop hop) {
    return ledger.hops[static_cast<std::size_t>(hop)];
}

TEST(HopLedger, OfAHealthyCallIsOkAllTheWay) {
    const HopLedger ledger = hops_of(healthy(), kNow);
    EXPECT_FALSE(ledger.broken);
    for (const HopFigures& hop : ledger.hops) {
        EXPECT_EQ(hop.state, HopState::Ok) << model::name_of(hop.hop) << ": " << hop.detail;
        EXPECT_GT(hop.packets, 0U) << model::name_of(hop.hop);
        EXPECT_DOUBLE_EQ(hop.ms, static_cast<double>(hop.packets) * 20) << model::name_of(hop.hop);
    }
}

struct Break {
    const char* name;
    std::function<void(CallInfo&)> make;
    Hop hop;
    std::string detail;
};
std::ostream& operator<<(std::ostream& out, const Break& it) {
    return out << it.name;
}

void stop_input(model::LegStats& s) {
    s.since_last_arrived_ms = s.since_last_received_ms = s.since_last_decoded_ms =
        s.since_last_tapped_ms = s.since_last_heard_ms = 5'000;
}
/// Nothing passes beyond the socket.
void refuse_all(model::LegStats& s) {
    stop_input(s);
    s.since_last_arrived_ms = 10;
    s.received_packets = s.decoded_packets = 0;
    s.since_last_received_ms = s.since_last_decoded_ms = -1;
}

class Breaks : public testing::TestWithParam<Break> {};

TEST_P(Breaks, IsNamed) {
    CallInfo call = healthy();
    GetParam().make(call);
    const HopLedger ledger = hops_of(call, kNow);
    ASSERT_TRUE(ledger.broken);
    EXPECT_EQ(model::name_of(*ledger.broken), model::name_of(GetParam().hop));
    int broken = 0;
    for (const HopFigures& hop : ledger.hops) broken += hop.state == HopState::Broken;
    EXPECT_EQ(broken, 1) << "what comes behind it is idle, and not to blame";
    const std::string& detail = of(ledger, GetParam().hop).detail;
    EXPECT_NE(detail.find(GetParam().detail), std::string::npos) << detail;
}

INSTANTIATE_TEST_SUITE_P(
    Hops,
    Breaks,
    testing::Values(Break{"NoRtpAtAll",
                          [](CallInfo& c) {
                              stop_input(c.stats);
                              c.stats.since_last_arrived_ms = -1;
                              c.bot.figures.since_last_sent_ms = -1;
                          },
                          Hop::CallerRtpIn,
                          "no packet came"},
                    Break{"RtpStopped",
                          [](CallInfo& c) {
                              stop_input(c.stats);
                              c.bot.figures.since_last_sent_ms = 5'000;
                          },
                          Hop::CallerRtpIn,
                          "5.0 s ago"},
                    Break{"WrongPayloadType",
                          [](CallInfo& c) {
                              refuse_all(c.stats);
                              c.stats.refused_packets = c.stats.refused_types = 3'000;
                              c.stats.last_refused_type = 96;
                              c.bot.figures.since_last_sent_ms = -1;
                          },
                          Hop::Accepted,
                          "3000 of payload type 96"},
                    Break{"WrongSource",
                          [](CallInfo& c) {
                              refuse_all(c.stats);
                              c.stats.refused_packets = c.stats.refused_sources = 3'000;
                              c.bot.figures.since_last_sent_ms = -1;
                          },
                          Hop::Accepted,
                          "3000 of another address"},
                    Break{"WrongSrtpKey",
                          [](CallInfo& c) {
                              refuse_all(c.stats);
                              c.stats.srtp_auth_failures = 3'000;
                              c.bot.figures.since_last_sent_ms = -1;
                          },
                          Hop::Accepted,
                          "3000 under another SRTP key"},
                    Break{"NothingDecodable",
                          [](CallInfo& c) {
                              stop_input(c.stats);
                              c.stats.since_last_arrived_ms = c.stats.since_last_received_ms = 10;
                              c.stats.undecodable_packets = 500;
                              c.bot.figures.since_last_sent_ms = 5'000;
                          },
                          Hop::Decoded,
                          "500 packets are no sound of PCMU"},
                    Break{"AllTooLate",
                          [](CallInfo& c) {
                              stop_input(c.stats);
                              c.stats.since_last_arrived_ms = c.stats.since_last_received_ms = 10;
                              c.stats.late_packets = 300;
                              c.bot.figures.since_last_sent_ms = 5'000;
                          },
                          Hop::Decoded,
                          "300 came too late"},
                    Break{"PipelineKeepsTheSound",
                          [](CallInfo& c) {
                              c.stats.since_last_tapped_ms = c.stats.since_last_heard_ms = 5'000;
                              c.bot.figures.since_last_sent_ms = 5'000;
                          },
                          Hop::HandedToAi,
                          "pipeline phone keeps the sound"},
                    Break{"AiTakesNothing",
                          [](CallInfo& c) {
                              c.bot.figures.since_last_sent_ms = 4'000;
                              c.bot.figures.unsent_frames = 200;
                          },
                          Hop::HandedToAi,
                          "did not take 200 frames"},
                    Break{"AiNeverReached",
                          [](CallInfo& c) {
                              c.bot.state = model::AiState::Connecting;
                              c.bot.figures = {};
                              c.bot.reason = "refused";
                          },
                          Hop::HandedToAi,
                          "helper was never reached: refused"},
                    Break{"AiLost",
                          [](CallInfo& c) {
                              c.bot.state = model::AiState::Lost;
                              c.bot.since_ns = kNow - ms(5'000);
                          },
                          Hop::HandedToAi,
                          "helper is not connected"},
                    Break{"AiNeverSpeaks",
                          [](CallInfo& c) {
                              c.bot.figures.given_ms = 0;
                              c.stats.given_samples = 0;
                              c.stats.since_last_given_ms = -1;
                          },
                          Hop::TakenFromAi,
                          "has said nothing in 60 s"},
                    Break{"AiSendsGarbage",
                          [](CallInfo& c) {
                              c.bot.figures.given_ms = 0;
                              c.bot.figures.bad_messages = 40;
                              c.stats.given_samples = 0;
                              c.stats.since_last_given_ms = -1;
                          },
                          Hop::TakenFromAi,
                          "40 messages of it cannot be read"},
                    Break{"QueueStandsStill",
                          [](CallInfo& c) {
                              c.stats.since_last_given_ms = c.stats.since_last_voice_left_ms =
                                  3'000;
                              c.stats.voice_queued_samples = 8'000;
                          },
                          Hop::Queued,
                          "1000 ms wait, and none of it leaves"},
                    Break{"QueueIsFull",
                          [](CallInfo& c) {
                              c.bot.figures.overflowed_ms = 400;
                              c.stats.voice_queued_samples = 8'000;
                          },
                          Hop::Queued,
                          "1000 ms wait, and 400 ms found no room"},
                    Break{"WorkerStands",
                          [](CallInfo& c) {
                              c.stats.since_last_encoded_ms = c.stats.since_last_sent_ms = 900;
                          },
                          Hop::Encoded,
                          "0.9 s ago"},
                    Break{"KernelRefuses",
                          [](CallInfo& c) {
                              c.stats.since_last_sent_ms = 2'000;
                              c.stats.send_errors = 100;
                          },
                          Hop::Sent,
                          "the kernel refused 100 packets"},
                    Break{"IceNeverUp",
                          [](CallInfo& c) {
                              c.leg = model::LegKind::Web;
                              c.web = {};
                              stop_input(c.stats);
                              c.bot.figures.since_last_sent_ms = -1;
                              c.stats.since_last_sent_ms = -1;
                          },
                          Hop::Sent,
                          "ICE and DTLS did not come up"},
                    Break{"FarEndHasNothing",
                          [](CallInfo& c) { c.stats.acknowledged_packets = 20; },
                          Hop::Acknowledged,
                          "the far end has 20 of 2850 packets"},
                    Break{"ReportsStandStill",
                          [](CallInfo& c) { c.stats.since_last_acknowledged_ms = 25'000; },
                          Hop::Acknowledged,
                          "stand still for 25 s"},
                    Break{"ReportsOfNothing",
                          [](CallInfo& c) {
                              c.stats.acknowledged_packets = -1;
                              c.stats.since_last_acknowledged_ms = -1;
                          },
                          Hop::Acknowledged,
                          "reports nothing of ours"}),
    [](const auto& param) { return std::string(param.param.name); });

struct Rest {
    const char* name;
    std::function<void(CallInfo&)> make;
    Hop hop;
    HopState state;
};
std::ostream& operator<<(std::ostream& out, const Rest& it) {
    return out << it.name;
}

class Rests : public testing::TestWithParam<Rest> {};

TEST_P(Rests, BreakNothing) {
    CallInfo call = healthy();
    GetParam().make(call);
    const HopLedger ledger = hops_of(call, kNow);
    EXPECT_FALSE(ledger.broken) << model::name_of(*ledger.broken);
    const HopFigures& hop = of(ledger, GetParam().hop);
    EXPECT_EQ(model::name_of(hop.state), model::name_of(GetParam().state)) << hop.detail;
    EXPECT_FALSE(hop.detail.empty()) << "what is not ok has a reason";
}

INSTANTIATE_TEST_SUITE_P(
    Calls,
    Rests,
    testing::Values(
        Rest{"NotAnswered", [](CallInfo& c) { c = CallInfo{}; }, Hop::Sent, HopState::Idle},
        Rest{"HeldByPeer",
             [](CallInfo& c) {
                 stop_input(c.stats);
                 c.bot.figures.since_last_sent_ms = 5'000;
                 c.stats.since_last_sent_ms = -1;
                 c.is_held_by_peer = true;
                 c.is_sound_expected = false;
             },
             Hop::Sent,
             HopState::Idle},
        Rest{"HeldByUs",
             [](CallInfo& c) {
                 stop_input(c.stats);
                 c.bot.figures.since_last_sent_ms = 5'000;
                 c.is_held_by_us = true;
                 c.stats.is_voice_muted = true;
                 c.stats.voice_queued_samples = 8'000;
                 c.stats.since_last_voice_left_ms = c.stats.since_last_given_ms = 5'000;
             },
             Hop::Queued,
             HopState::Idle},
        Rest{"AnnouncedPause",
             [](CallInfo& c) {
                 c.stats.since_last_arrived_ms = c.stats.since_last_received_ms =
                     c.stats.since_last_decoded_ms = 8'000;
                 c.stats.is_paused = true;
             },
             Hop::CallerRtpIn,
             HopState::Idle},
        Rest{"InAChannel",
             [](CallInfo& c) {
                 c.channel = "sales";
                 c.bot = {};
                 c.stats.since_last_tapped_ms = c.stats.since_last_heard_ms =
                     c.stats.since_last_given_ms = -1;
             },
             Hop::HandedToAi,
             HopState::Idle},
        Rest{"AiListensForNow",
             [](CallInfo& c) { c.stats.since_last_given_ms = 30'000; },
             Hop::TakenFromAi,
             HopState::Idle},
        Rest{"BuiltInThatIsMute",
             [](CallInfo& c) {
                 c.bot = {};
                 c.bot.state = model::AiState::BuiltIn;
                 c.stats.given_samples = 0;
                 c.stats.since_last_given_ms = -1;
             },
             Hop::TakenFromAi,
             HopState::Idle},
        Rest{"NoRtcp",
             [](CallInfo& c) {
                 c.stats.rtcp_received = 0;
                 c.stats.acknowledged_packets = -1;
             },
             Hop::Acknowledged,
             HopState::Unknown},
        Rest{"ASecondOld",
             [](CallInfo& c) {
                 stop_input(c.stats);
                 c.answered_ns = kNow - ms(1'000);
                 c.stats.since_last_arrived_ms = -1;
                 c.bot.figures.since_last_sent_ms = -1;
             },
             Hop::CallerRtpIn,
             HopState::Unknown}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(HopLedger, OfAnEndedCallIsThatOfItsEnd) {
    CallInfo call = healthy();
    call.ended_ns = kNow;
    call.state = model::CallState::Ended;
    call.bot.state = model::AiState::Ended;
    EXPECT_FALSE(hops_of(call, kNow + ms(3'600'000)).broken);
    call.bot.figures.lost_ms = 5'000;
    EXPECT_EQ(hops_of(call, kNow + ms(3'600'000)).broken, Hop::HandedToAi);
}

TEST(HopLedger, OfACallThatEndedSinceItsAiWasRefusedNamesIt) {
    CallInfo call = healthy();
    call.answered_ns = call.bot.since_ns = kNow - ms(1'000);
    call.ended_ns = kNow;
    call.end = model::ended(model::EndReason::AiLost, "403");
    call.bot.state = model::AiState::Ended;
    call.bot.figures = {};
    call.bot.figures.attempts = 1;
    call.bot.figures.lost_ms = 900;
    EXPECT_EQ(hops_of(call, kNow).broken, Hop::HandedToAi);
    call.end = model::ended(model::EndReason::CallerHangup, "");
    EXPECT_FALSE(hops_of(call, kNow).broken) << "it might have come yet";
}

TEST(HopLedger, SeesAStockDecoderByWhatComesOutOfIt) {
    CallInfo call = healthy();
    call.stats.decoded_packets = call.stats.decoded_samples = 0;
    call.stats.since_last_decoded_ms = -1;
    const HopLedger ledger = hops_of(call, kNow);
    EXPECT_FALSE(ledger.broken);
    EXPECT_EQ(of(ledger, Hop::Decoded).packets, 3'000U);
}

}  // namespace
}  // namespace offhook::stats
