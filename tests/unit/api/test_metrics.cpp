#include "api/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/monotonic.h"

namespace offhook::api {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

model::CallInfo answered_call(const char* id) {
    model::CallInfo call;
    call.id.text = id;
    call.state = model::CallState::Answered;
    call.fill = "comfort-noise";
    call.answered_ns = base::realtime_ns() - 10 * base::kNsPerS;
    call.answer_ms = 2;
    call.stats.sent_packets = 500;
    call.stats.sent_ai_frames = 100;
    call.stats.sent_fill_frames = 400;
    call.stats.received_packets = 490;
    call.stats.lost_packets = 10;
    call.stats.since_last_received_ms = 20;
    call.stats.max_gap_ms = 22;
    return call;
}

model::CallInfo over(model::CallInfo call, model::EndReason reason) {
    call.state = model::CallState::Ended;
    call.ended_ns = base::realtime_ns();
    call.end = model::ended(reason);
    return call;
}

TEST(Metrics, SeriesAreThereFromTheStart) {
    Metrics metrics("0.1.0");
    const std::string text = metrics.scrape({});
    for (const char* line : {"offhook_build_info{version=\"0.1.0\"} 1\n",
                             "offhook_calls_active 0\n",
                             "offhook_calls_total{end_reason=\"caller-hangup\"} 0\n",
                             "offhook_sip_invites_total{result=\"answered\"} 0\n",
                             "offhook_rtp_packets_total{direction=\"inbound\"} 0\n",
                             "offhook_rtp_keepalive_packets_total{source=\"comfort-noise\"} 0\n",
                             "offhook_calls_zero_packet_total 0\n",
                             "offhook_draining 0\n",
                             "# TYPE offhook_rtp_send_gap_seconds histogram\n",
                             "# TYPE offhook_call_setup_seconds histogram\n",
                             "# TYPE process_cpu_seconds_total counter\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    EXPECT_THAT(text, Not(HasSubstr("process_threads 0\n")));
    EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes 0\n")));
}

TEST(Metrics, TheQualityOfACallIsCountedOnceWhatIsKnown) {
    Metrics metrics("x");
    model::CallInfo good = answered_call("c-0");
    good.quality = {.mos = 4.35, .jitter_ms = 4, .round_trip_ms = 40};
    good.quality.oneway_ms = 3500;
    (void)metrics.scrape({.calls = {good}});
    metrics.on_call_ended(over(good, model::EndReason::CallerHangup));
    // Nothing came: nothing is known.
    metrics.on_call_ended(over(answered_call("c-1"), model::EndReason::CallerHangup));
    const std::string text = metrics.scrape({});
    for (const char* line : {"offhook_call_mos_count 1\n",
                             "offhook_call_mos_bucket{le=\"4.3\"} 0\n",
                             "offhook_call_mos_bucket{le=\"4.4\"} 1\n",
                             "offhook_rtp_jitter_seconds_bucket{le=\"0.002\"} 0\n",
                             "offhook_rtp_jitter_seconds_bucket{le=\"0.005\"} 1\n",
                             "offhook_rtp_jitter_seconds_count 1\n",
                             "offhook_rtp_round_trip_seconds_bucket{le=\"0.05\"} 1\n",
                             "offhook_calls_oneway_seconds_total 3.5\n",
                             "offhook_rtp_send_gap_seconds_count 2\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
}

TEST(Metrics, TheLongestQueueOfAnAiIsShown) {
    Metrics metrics("x");
    model::CallInfo one = answered_call("c-0");
    model::CallInfo other = answered_call("c-1");
    one.stats.voice_queued_samples = 4000;
    other.stats.voice_queued_samples = 4000;
    other.stats.sample_rate_hz = 16000;
    EXPECT_THAT(metrics.scrape({.calls = {one, other}}),
                HasSubstr("offhook_ai_buffer_seconds 0.5\n"));
    EXPECT_THAT(metrics.scrape({}), HasSubstr("offhook_ai_buffer_seconds 0\n"));
}

TEST(Metrics, EveryOneIsOnThePage) {
    std::ifstream in(OFFHOOK_HTTP_API_PAGE);
    std::stringstream page;
    page << in.rdbuf();
    Metrics metrics("x");
    std::istringstream text(
        metrics.scrape({.workers = {{}},
                        .ai_latencies = {{.step = "turn", .buckets = {0}},
                                         {.step = "turn-bot", .buckets = {0}},
                                         {.step = "socket-to-wire", .buckets = {0}},
                                         {.step = "caller-to-socket", .buckets = {0}}}}));
    int seen = 0;
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        const std::string name = line.substr(7, line.find(' ', 7) - 7);
        EXPECT_THAT(page.str(), HasSubstr("`" + name + "`"));
        ++seen;
    }
    EXPECT_GT(seen, 25);
}

model::CallInfo call_with_bot(const char* id) {
    model::CallInfo call = answered_call(id);
    call.ai = "desk";
    call.bot.protocol = "plain";
    call.bot.state = model::AiState::Live;
    call.bot.figures.connections = 2;
    call.bot.figures.played_ms = 1500;
    call.bot.figures.cleared_ms = 250;
    return call;
}

TEST(Metrics, WhatBotsDoRisesAndStays) {
    Metrics metrics("x");
    model::CallInfo call = call_with_bot("c-000000000001");
    std::string text = metrics.scrape({.calls = {call}});
    EXPECT_THAT(text, HasSubstr("offhook_ai_calls{protocol=\"plain\",state=\"live\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_connections_total{protocol=\"plain\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_sound_seconds_total{fate=\"played\"} 1.5\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_sound_seconds_total{fate=\"cleared\"} 0.25\n"));
    call.bot.state = model::AiState::Lost;
    call.bot.figures.played_ms = 2000;
    text = metrics.scrape({.calls = {call}});
    EXPECT_THAT(text, HasSubstr("offhook_ai_calls{protocol=\"plain\",state=\"live\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_calls{protocol=\"plain\",state=\"lost\"} 1\n"));
    // another AI begins to count at 0
    metrics.on_ai_left(call);
    call.bot.figures = {};
    call.bot.figures.played_ms = 500;
    metrics.on_call_ended(over(call, model::EndReason::CallerHangup));
    text = metrics.scrape({});
    EXPECT_THAT(text, HasSubstr("offhook_ai_sound_seconds_total{fate=\"played\"} 2.5\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_calls{protocol=\"plain\",state=\"lost\"} 0\n"));
}

TEST(Metrics, VerbsLossesAndReturnsOfBots) {
    Metrics metrics("x");
    metrics.on_bot_verb("transfer", "refused");
    metrics.on_bot_lost("twilio", "reset");
    metrics.on_bot_lost("twilio", "");
    metrics.on_bot_back(1.2);
    const std::string text = metrics.scrape({});
    EXPECT_THAT(text,
                HasSubstr("offhook_ai_verbs_total{result=\"refused\",verb=\"transfer\"} 1\n"));
    EXPECT_THAT(text,
                HasSubstr("offhook_ai_losses_total{protocol=\"twilio\",reason=\"reset\"} 1\n"));
    EXPECT_THAT(text,
                HasSubstr("offhook_ai_losses_total{protocol=\"twilio\",reason=\"unknown\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_reconnect_seconds_sum 1.2\n"));
}

TEST(Metrics, LatenciesAreTakenOnce) {
    Metrics metrics("x");
    Metrics::Readings now;
    now.ai_latencies = {
        {.step = "turn", .bounds_s = {0.1, 1}, .buckets = {1, 2, 0}, .sum_s = 1.25},
        {.step = "turn-bot", .bounds_s = {0.1, 1}, .buckets = {0, 1, 0}, .sum_s = 0.5},
        {.step = "caller-to-socket", .bounds_s = {0.001}, .buckets = {3, 0}, .sum_s = 0.0025}};
    (void)metrics.scrape(now);
    now.ai_latencies[0].buckets = {1, 2, 1};
    now.ai_latencies[0].sum_s = 4.25;
    const std::string text = metrics.scrape(now);
    EXPECT_THAT(text, HasSubstr("offhook_ai_turn_seconds_count 4\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_turn_seconds_sum 4.25\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_turn_seconds_bucket{le=\"1\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_turn_part_seconds_count{part=\"bot\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_ai_caller_to_socket_seconds_count 3\n"));
}

TEST(Metrics, CountersRiseWithTheCallAndStayWhenItEnds) {
    Metrics metrics("x");
    model::CallInfo call = answered_call("c-000000000001");
    metrics.on_call_answered(call);
    EXPECT_THAT(metrics.scrape({.calls = {call}}),
                HasSubstr("offhook_rtp_packets_total{direction=\"outbound\"} 500\n"));
    // a scrape without news adds nothing
    EXPECT_THAT(metrics.scrape({.calls = {call}}),
                HasSubstr("offhook_rtp_packets_total{direction=\"outbound\"} 500\n"));
    call.stats.sent_packets = 600;
    call.stats.sent_fill_frames = 500;
    const model::CallInfo ended = over(call, model::EndReason::CallerHangup);
    metrics.on_call_ended(ended);
    // also when the directory still lists it for a moment
    const std::string text = metrics.scrape({.calls = {ended}});
    EXPECT_THAT(text, HasSubstr("offhook_rtp_packets_total{direction=\"outbound\"} 600\n"));
    EXPECT_THAT(text, HasSubstr("offhook_rtp_packets_total{direction=\"inbound\"} 490\n"));
    EXPECT_THAT(text, HasSubstr("offhook_rtp_packets_lost_total 10\n"));
    EXPECT_THAT(text, HasSubstr("offhook_rtp_keepalive_packets_total{source=\"ai\"} 100\n"));
    EXPECT_THAT(text,
                HasSubstr("offhook_rtp_keepalive_packets_total{source=\"comfort-noise\"} 500\n"));
    EXPECT_THAT(text, HasSubstr("offhook_calls_total{end_reason=\"caller-hangup\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_sip_invites_total{result=\"answered\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_rtp_send_gap_seconds_bucket{le=\"0.025\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_call_duration_seconds_count 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_call_setup_seconds_bucket{le=\"0.002\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_calls_active 0\n"));
    EXPECT_THAT(text, HasSubstr("offhook_calls_zero_packet_total 0\n"));
}

TEST(Metrics, CallsThatWereNeverAnswered) {
    Metrics metrics("x");
    model::CallInfo call;
    call.id.text = "c-000000000002";
    metrics.on_call_ended(over(call, model::EndReason::NoRoute));
    const std::string text = metrics.scrape({});
    EXPECT_THAT(text, HasSubstr("offhook_sip_invites_total{result=\"no-route\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_calls_total{end_reason=\"no-route\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_call_duration_seconds_count 0\n"));
    EXPECT_THAT(text, HasSubstr("offhook_calls_zero_packet_total 0\n"));
}

// Whether a call is one-way is for the call room to say: it knows what the peer is asked to send.
TEST(Metrics, PlacedCallsAreNoInvitesOfOthers) {
    Metrics metrics("x");
    model::CallInfo call = answered_call("c-000000000001");
    call.direction = model::CallDirection::Outbound;
    metrics.on_call_answered(call);
    call.answered_ns = 0;
    metrics.on_call_ended(over(call, model::EndReason::Busy));
    const std::string text = metrics.scrape({});
    EXPECT_THAT(text, HasSubstr("offhook_calls_placed_total{result=\"answered\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_calls_placed_total{result=\"busy\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_sip_invites_total{result=\"answered\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("offhook_call_setup_seconds_count 0\n"));
    EXPECT_THAT(text, HasSubstr("offhook_calls_total{end_reason=\"busy\"} 1\n"));
}

TEST(Metrics, RefusedInvitesHaveClassAndReason) {
    Metrics metrics("x");
    model::CallInfo call = answered_call("c-000000000001");
    call.answered_ns = 0;
    metrics.on_call_ended(over(call, model::EndReason::NoRoute));
    metrics.on_call_ended(over(call, model::EndReason::CallerCancelled));
    const auto refused = [](std::uint64_t n) {
        Metrics::Readings now;
        now.signalling.refused_invites = {{model::EndReason::Malformed, n}};
        return now;
    };
    (void)metrics.scrape(refused(2));
    const std::string text = metrics.scrape(refused(3));
    EXPECT_THAT(
        text, HasSubstr("offhook_invites_refused_total{class=\"config\",reason=\"no-route\"} 1\n"));
    EXPECT_THAT(
        text,
        HasSubstr("offhook_invites_refused_total{class=\"caller\",reason=\"malformed\"} 3\n"));
    EXPECT_EQ(text.find("offhook_invites_refused_total{class=\"caller\",reason=\"caller-canc"),
              std::string::npos);
}

TEST(Metrics, DivertedCallsAreCounted) {
    Metrics metrics("x");
    metrics.on_call_ended(over(answered_call("c-000000000001"), model::EndReason::Diverted));
    EXPECT_THAT(metrics.scrape({}), HasSubstr("offhook_calls_diverted_total 1\n"));
}

TEST(Metrics, OneWayCallsAreThoseThatSaySo) {
    Metrics metrics("x");
    model::CallInfo oneway = answered_call("c-000000000003");
    oneway.is_oneway = true;
    model::CallInfo quiet = answered_call("c-000000000004");
    quiet.stats.since_last_received_ms = 60'000;
    model::CallInfo gone = over(oneway, model::EndReason::RtpTimeout);
    gone.id.text = "c-000000000005";
    EXPECT_THAT(metrics.scrape({.calls = {oneway, quiet, gone}}),
                HasSubstr("offhook_calls_oneway 1\n"));
    oneway.is_oneway = false;
    EXPECT_THAT(metrics.scrape({.calls = {oneway, quiet}}), HasSubstr("offhook_calls_oneway 0\n"));
}

TEST(Metrics, ZeroPacketCalls) {
    Metrics metrics("x");
    model::CallInfo never = answered_call("c-000000000006");
    never.stats.received_packets = 0;
    metrics.on_call_ended(over(never, model::EndReason::RtpTimeout));
    EXPECT_THAT(metrics.scrape({}), HasSubstr("offhook_calls_zero_packet_total 1\n"));
}

TEST(Metrics, SignallingAndFailedAis) {
    Metrics metrics("x");
    const model::SignallingStats before{.malformed = 1,
                                        .refused_sources = 2,
                                        .retransmissions = 3,
                                        .dropped = 4,
                                        .requests = 5,
                                        .ack_timeouts = 6,
                                        .dialogs = 7,
                                        .transactions = 8};
    std::string text = metrics.scrape({.signalling = before, .failed_ai_sessions = 9});
    const std::vector<const char*> counters{"offhook_sip_malformed_total 1\n",
                                            "offhook_sip_refused_sources_total 2\n",
                                            "offhook_sip_retransmissions_total 3\n",
                                            "offhook_sip_dropped_total 4\n",
                                            "offhook_sip_ack_timeouts_total 6\n",
                                            "offhook_ai_failed_sessions_total 9\n"};
    for (const char* line : counters) EXPECT_THAT(text, HasSubstr(line));
    EXPECT_THAT(text, HasSubstr("offhook_sip_dialogs 7\n"));
    EXPECT_THAT(text, HasSubstr("offhook_sip_transactions 8\n"));
    // without a SIP side counters stay, what is there now goes
    text = metrics.scrape({});
    for (const char* line : counters) EXPECT_THAT(text, HasSubstr(line));
    EXPECT_THAT(text, HasSubstr("offhook_sip_dialogs 0\n"));
    EXPECT_THAT(text, HasSubstr("offhook_sip_transactions 0\n"));
    // totals, not amounts to be added
    EXPECT_THAT(metrics.scrape({.signalling = {.malformed = 5}, .failed_ai_sessions = 10}),
                AllOf(HasSubstr("offhook_sip_malformed_total 5\n"),
                      HasSubstr("offhook_ai_failed_sessions_total 10\n")));
}

TEST(Metrics, WebLegs) {
    Metrics metrics("x");
    EXPECT_THAT(metrics.scrape({}),
                HasSubstr("offhook_web_legs_failed_total{reason=\"fingerprint-mismatch\"} 0"));
    model::CallInfo call = answered_call("c-000000000009");
    call.leg = model::LegKind::Web;
    EXPECT_THAT(metrics.scrape({.calls = {call}}),
                AllOf(HasSubstr("\noffhook_web_legs 1\n"),
                      HasSubstr("\noffhook_web_legs_connected 0\n"),
                      HasSubstr("\noffhook_web_connect_seconds_count 0\n")));
    call.web = {
        .is_connected = true, .is_lost = true, .connect_ms = 60, .restarts = 1, .losses = 2};
    EXPECT_THAT(metrics.scrape({.calls = {call}}), HasSubstr("\noffhook_web_legs 1\n"));
    EXPECT_THAT(metrics.scrape({.calls = {call}}),
                AllOf(HasSubstr("\noffhook_web_legs_connected 1\n"),
                      HasSubstr("\noffhook_web_legs_lost 1\n"),
                      HasSubstr("\noffhook_web_connect_seconds_count 1\n"),
                      HasSubstr("offhook_web_connect_seconds_bucket{le=\"0.05\"} 0"),
                      HasSubstr("offhook_web_connect_seconds_bucket{le=\"0.1\"} 1"),
                      HasSubstr("\noffhook_web_restarts_total 1\n"),
                      HasSubstr("\noffhook_web_losses_total 2\n")));
    metrics.on_call_ended(over(call, model::EndReason::PeerVanished));
    EXPECT_THAT(metrics.scrape({}),
                AllOf(HasSubstr("\noffhook_web_legs 0\n"),
                      HasSubstr("\noffhook_web_connect_seconds_count 1\n"),
                      HasSubstr("offhook_web_legs_failed_total{reason=\"peer-vanished\"} 1")));
}

TEST(Metrics, DropsAreSeconds) {
    Metrics metrics("x");
    model::CallInfo call = answered_call("c-000000000007");
    call.stats.sample_rate_hz = 16000;
    call.stats.tap_dropped_samples = 8000;
    call.stats.voice_dropped_samples = 32000;
    const std::string text = metrics.scrape({.calls = {call}});
    EXPECT_THAT(text,
                HasSubstr("offhook_ai_audio_dropped_seconds_total{reason=\"tap-full\"} 0.5\n"));
    EXPECT_THAT(text,
                HasSubstr("offhook_ai_audio_dropped_seconds_total{reason=\"voice-full\"} 2\n"));
}

TEST(Metrics, Workers) {
    Metrics metrics("x");
    std::vector<model::WorkerStats> workers(2);
    workers[0] = {.index = 0,
                  .calls = 3,
                  .tick_p50_ms = 0.5,
                  .tick_p99_ms = 2,
                  .tick_max_ms = 4,
                  .overruns = 7,
                  .is_realtime = true};
    workers[1].index = 1;
    std::string text = metrics.scrape({.workers = workers, .draining = true});
    EXPECT_THAT(
        text,
        HasSubstr("offhook_media_tick_lateness_seconds{quantile=\"0.99\",worker=\"0\"} 0.002\n"));
    EXPECT_THAT(text, HasSubstr("offhook_media_overruns_total{worker=\"0\"} 7\n"));
    EXPECT_THAT(text, HasSubstr("offhook_media_realtime 0\n"));
    EXPECT_THAT(text, HasSubstr("offhook_draining 1\n"));
    workers[1].is_realtime = true;
    text = metrics.scrape({.workers = workers});
    EXPECT_THAT(text, HasSubstr("offhook_media_overruns_total{worker=\"0\"} 7\n"));
    EXPECT_THAT(text, HasSubstr("offhook_media_realtime 1\n"));
}

TEST(Metrics, NothingFromTheNetworkBecomesALabel) {
    Metrics metrics("x");
    model::CallInfo call = answered_call("c-000000000008");
    call.from = call.to = call.user_agent = call.sip_call_id = call.peer = "hostile";
    call.fill = "file:/srv/secret.wav";
    metrics.on_call_answered(call);
    std::string text = metrics.scrape({.calls = {call}});
    EXPECT_THAT(text, HasSubstr("offhook_rtp_keepalive_packets_total{source=\"file\"} 400\n"));
    metrics.on_call_ended(over(call, model::EndReason::ApiHangup));
    text += metrics.scrape({});
    for (const char* secret : {"hostile", "c-0000", "secret"})
        EXPECT_THAT(text, Not(HasSubstr(secret)));
}

}  // namespace
}  // namespace offhook::api
