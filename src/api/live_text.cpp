#include "api/live_text.h"

#include <array>
#include <cmath>
#include <utility>

#include "base/monotonic.h"

namespace offhook::api {
namespace {

constexpr std::array<const char*, 15> kColumns{"n",
                                               "in_dbov",
                                               "out_dbov",
                                               "since_sent_ms",
                                               "since_received_ms",
                                               "source",
                                               "sent",
                                               "received",
                                               "lost",
                                               "jitter_ms",
                                               "rtt_ms",
                                               "mos",
                                               "max_gap_ms",
                                               "queued_ms",
                                               "clipped"};

void time_ms(base::JsonWriter& json, std::string_view name, std::int64_t realtime_ns) {
    json.key(name);
    realtime_ns == 0 ? json.null() : json.value(realtime_ns / base::kNsPerMs);
}

void text_or_null(base::JsonWriter& json, std::string_view name, std::string_view text) {
    json.key(name);
    text.empty() ? json.null() : json.value(text);
}

void whole_or_null(base::JsonWriter& json, double value) {
    value < 0 ? json.null() : json.value(std::lround(value));
}

double tenths(double value) {
    return std::round(value * 10) / 10;
}

}  // namespace

std::string live_facts(std::uint64_t n,
                       const model::CallInfo& call,
                       const std::optional<CallTrouble>& trouble) {
    base::JsonWriter json;
    json.begin_object().field("n", n).field("id", call.id.text);
    json.field("state", model::name_of(call.state));
    json.field("direction", model::name_of(call.direction));
    json.field("from", call.from).field("to", call.to).field("peer", call.peer);
    json.field("account", call.account).field("transport", call.transport);
    json.field("route", call.route).field("codec", call.codec);
    json.field("leg", model::name_of(call.leg));
    text_or_null(json, "srtp", call.srtp);
    time_ms(json, "created_ms", call.created_ns);
    time_ms(json, "answered_ms", call.answered_ns);
    json.key("ai");
    if (call.ai.empty()) {
        json.null();
    } else {
        json.begin_object().field("name", call.ai);
        json.field("state", model::name_of(call.bot.state)).end();
    }
    text_or_null(json, "channel", call.channel);
    text_or_null(json, "held_by", call.is_held_by_peer ? "peer" : call.is_held_by_us ? "us" : "");
    json.field("oneway", call.is_oneway).key("issue");
    if (trouble) {
        json.begin_object().field("code", trouble->code);
        json.field("severity", diagnosis::name_of(trouble->severity));
        json.field("text", trouble->text).end();
    } else {
        json.null();
    }
    json.end();
    return std::move(json).text();
}

void write_live_columns(base::JsonWriter& json) {
    json.begin_array();
    for (const char* name : kColumns) json.value(name);
    json.end();
}

void write_live_row(base::JsonWriter& json,
                    std::uint64_t n,
                    const model::CallInfo& call,
                    bool is_clipped) {
    const model::LegStats& s = call.stats;
    json.begin_array().value(n);
    json.value(std::lround(s.received_level_now_dbov));
    json.value(std::lround(s.sent_level_now_dbov));
    whole_or_null(json, s.since_last_sent_ms);
    whole_or_null(json, s.since_last_received_ms);
    json.value(model::name_of(s.last_source)).value(s.sent_packets);
    json.value(s.received_packets).value(s.lost_packets).value(tenths(s.jitter_ms));
    s.round_trip_ms < 0 ? json.null() : json.value(tenths(s.round_trip_ms));
    call.quality.mos < 0 ? json.null() : json.value(std::round(call.quality.mos * 100) / 100);
    json.value(std::lround(s.max_gap_ms));
    json.value(s.sample_rate_hz == 0 ? 0 : s.voice_queued_samples * 1000 / s.sample_rate_hz);
    json.value(is_clipped ? 1 : 0).end();
}

}  // namespace offhook::api
