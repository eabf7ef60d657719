#include "api/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/monotonic.h"

namespace offhook::api {
namespace {

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
    const std::string text = metrics.scrape({}, {}, false);
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

TEST(Metrics, EveryOneIsOnThePage) {
    std::ifstream in(OFFHOOK_HTTP_API_PAGE);
    std::stringstream page;
    page << in.rdbuf();
    Metrics metrics("x");
    std::istringstream text(metrics.scrape({}, {{}}, false));
    int seen = 0;
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        const std::string name = line.substr(7, line.find(' ', 7) - 7);
        EXPECT_THAT(page.str(), HasSubstr("`" + name + "`"));
        ++seen;
    }
    EXPECT_GT(seen, 25);
}

TEST(Metrics, CountersRiseWithTheCallAndStayWhenItEnds) {
    Metrics metrics("x");
    model::CallInfo call = answered_call("c-000000000001");
    metrics.on_call_answered(call);
    EXPECT_THAT(metrics.scrape({call}, {}, false),
                HasSubstr("offhook_rtp_packets_total{direction=\"outbound\"} 500\n"));
    // a scrape without news adds nothing
    EXPECT_THAT(metrics.scrape({call}, {}, false),
                HasSubstr("offhook_rtp_packets_total{direction=\"outbound\"} 500\n"));
    call.stats.sent_packets = 600;
    call.stats.sent_fill_frames = 500;
    const model::CallInfo ended = over(call, model::EndReason::CallerHangup);
    metrics.on_call_ended(ended);
    // also when the directory still lists it for a moment
    const std::string text = metrics.scrape({ended}, {}, false);
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
    const std::string text = metrics.scrape({}, {}, false);
    EXPECT_THAT(text, HasSubstr("offhook_sip_invites_total{result=\"no-route\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_calls_total{end_reason=\"no-route\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("offhook_call_duration_seconds_count 0\n"));
    EXPECT_THAT(text, HasSubstr("offhook_calls_zero_packet_total 0\n"));
}

TEST(Metrics, OneWayAndZeroPacketCalls) {
    Metrics metrics("x");
    model::CallInfo quiet = answered_call("c-000000000003");
    quiet.stats.since_last_received_ms = 3001;
    model::CallInfo never = answered_call("c-000000000004");
    never.stats.since_last_received_ms = -1;
    never.stats.received_packets = 0;
    model::CallInfo held = quiet;
    held.id.text = "c-000000000005";
    held.state = model::CallState::Held;
    const model::CallInfo fine = answered_call("c-000000000006");
    EXPECT_THAT(metrics.scrape({quiet, never, held, fine}, {}, false),
                HasSubstr("offhook_calls_oneway 2\n"));
    metrics.on_call_ended(over(never, model::EndReason::RtpTimeout));
    EXPECT_THAT(metrics.scrape({}, {}, false), HasSubstr("offhook_calls_zero_packet_total 1\n"));
}

TEST(Metrics, DropsAreSeconds) {
    Metrics metrics("x");
    model::CallInfo call = answered_call("c-000000000007");
    call.stats.sample_rate_hz = 16000;
    call.stats.tap_dropped_samples = 8000;
    call.stats.voice_dropped_samples = 32000;
    const std::string text = metrics.scrape({call}, {}, false);
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
    std::string text = metrics.scrape({}, workers, true);
    EXPECT_THAT(
        text,
        HasSubstr("offhook_media_tick_lateness_seconds{quantile=\"0.99\",worker=\"0\"} 0.002\n"));
    EXPECT_THAT(text, HasSubstr("offhook_media_overruns_total{worker=\"0\"} 7\n"));
    EXPECT_THAT(text, HasSubstr("offhook_media_realtime 0\n"));
    EXPECT_THAT(text, HasSubstr("offhook_draining 1\n"));
    workers[1].is_realtime = true;
    text = metrics.scrape({}, workers, false);
    EXPECT_THAT(text, HasSubstr("offhook_media_overruns_total{worker=\"0\"} 7\n"));
    EXPECT_THAT(text, HasSubstr("offhook_media_realtime 1\n"));
}

TEST(Metrics, NothingFromTheNetworkBecomesALabel) {
    Metrics metrics("x");
    model::CallInfo call = answered_call("c-000000000008");
    call.from = call.to = call.user_agent = call.sip_call_id = call.peer = "hostile";
    call.fill = "file:/srv/secret.wav";
    metrics.on_call_answered(call);
    std::string text = metrics.scrape({call}, {}, false);
    EXPECT_THAT(text, HasSubstr("offhook_rtp_keepalive_packets_total{source=\"file\"} 400\n"));
    metrics.on_call_ended(over(call, model::EndReason::ApiHangup));
    text += metrics.scrape({}, {}, false);
    for (const char* secret : {"hostile", "c-0000", "secret"})
        EXPECT_THAT(text, Not(HasSubstr(secret)));
}

}  // namespace
}  // namespace offhook::api
