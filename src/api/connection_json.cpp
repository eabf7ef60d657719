#include "api/connection_json.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/monotonic.h"
#include "base/timestamp.h"

namespace offhook::api {
namespace {

using connection::Entry;

constexpr double kMsPerS = 1000;

/// Rounded to a millisecond.
double seconds(std::int64_t ns) {
    const double ms = static_cast<double>(ns) / static_cast<double>(base::kNsPerMs);
    return std::max(0.0, std::round(ms)) / kMsPerS;
}

/// @param then_ns CLOCK_MONOTONIC
std::int64_t since(const Entry& entry, std::int64_t then_ns) {
    const std::int64_t ago_ns = base::monotonic_ns() - then_ns;
    return entry.ended_ns == 0 ? ago_ns : ago_ns - (base::realtime_ns() - entry.ended_ns);
}

void known_field(base::JsonWriter& json, std::string_view name, const std::string& text) {
    json.key(name);
    text.empty() ? json.null() : json.value(text);
}

void amount(base::JsonWriter& json,
            std::string_view name,
            std::uint64_t messages,
            std::uint64_t bytes) {
    json.key(name).begin_object().field("messages", messages).field("bytes", bytes).end();
}

}  // namespace

double last_heard_s(const Entry& entry) {
    if (entry.traffic.last_heard_ns == 0) return seconds(entry.age_ns);
    return seconds(since(entry, entry.traffic.last_heard_ns));
}

void write_connection(base::JsonWriter& json, const Entry& entry, bool of_v1) {
    const connection::Traffic& traffic = entry.traffic;
    json.begin_object().field("id", entry.id).field("kind", name_of(entry.facts.kind));
    known_field(json, "user", entry.facts.user);
    known_field(json, "channel", entry.facts.channel);
    known_field(json, "address", entry.facts.address);
    known_field(json, "forwarded_for", entry.facts.forwarded_for);
    known_field(json, "user_agent", entry.facts.user_agent);
    known_field(json, "protocol", entry.facts.protocol);
    json.field("state", entry.ended_ns == 0 ? name_of(entry.state) : "ended")
        .field("opened", base::rfc3339_utc_ms(entry.opened_ns))
        .field("age_s", entry.age_ns / base::kNsPerS)
        .field("last_heard_s", last_heard_s(entry));
    json.key("last_pong_s");
    traffic.last_pong_ns == 0 ? json.null()
                              : json.value(seconds(since(entry, traffic.last_pong_ns)));
    json.key("rtt_ms");
    traffic.rtt_ms < 0 ? json.null() : json.value(std::round(traffic.rtt_ms * 1000) / 1000);
    amount(json, "received", traffic.received_messages, traffic.received_bytes);
    amount(json, "sent", traffic.sent_messages, traffic.sent_bytes);
    json.field("queue_bytes", traffic.queue_bytes);
    if (of_v1) {
        json.key("fence");
        entry.fence == 0 ? json.null() : json.value(entry.fence);
        json.key("ended");
        entry.ended_ns == 0 ? json.null() : json.value(base::rfc3339_utc_ms(entry.ended_ns));
        json.key("end_reason");
        entry.ended_ns == 0 ? json.null() : json.value(name_of(entry.end));
        json.key("end_detail");
        entry.ended_ns == 0 || entry.end_detail.empty() ? json.null()
                                                        : json.value(entry.end_detail);
    }
    json.end();
}

}  // namespace offhook::api
