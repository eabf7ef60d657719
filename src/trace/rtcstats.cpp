#include <algorithm>
#include <cmath>

#include "base/json_writer.h"
#include "base/monotonic.h"
#include "trace/dump.h"
#include "trace/sip_text.h"

namespace offhook::trace {
namespace {

using base::JsonWriter;

constexpr int kFileFormat = 3;
constexpr std::string_view kConnection = "PC_0";

struct Line {
    std::int64_t at_ms = 0;
    std::string method;
    std::string value;  ///< JSON
};

std::string quoted(std::string_view text) {
    return JsonWriter().value(text).text();
}

std::string_view body_of(std::string_view message) {
    const auto gap = message.find("\r\n\r\n");
    return gap == std::string_view::npos ? std::string_view() : message.substr(gap + 4);
}

/// Descriptions alternate within a dialog: the first is the offer, whoever sends it.
void add_descriptions(std::vector<Line>& lines, const Dump& dump) {
    bool is_offer = true;
    std::string_view before;
    for (const model::SipWireMessage& message : dump.sip) {
        const std::string_view sdp = body_of(message.text);
        if (!sdp.starts_with("v=0") || sdp == before) continue;  // a retransmission
        before = sdp;
        JsonWriter value;
        value.begin_object().field("type", is_offer ? "offer" : "answer").field("sdp", sdp).end();
        lines.push_back({message.realtime_ns / base::kNsPerMs,
                         message.is_inbound ? "setRemoteDescription" : "setLocalDescription",
                         value.text()});
        is_offer = !is_offer;
    }
}

/// The W3C's names, with totals as getStats has them.
void add_stats(std::vector<Line>& lines, const Dump& dump) {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t lost = 0;
    double concealed_ms = 0;
    for (const StatsSample& sample : dump.stats) {
        sent += sample.sent;
        received += sample.received;
        lost += sample.lost;
        concealed_ms += sample.concealed_ms;
        const auto level = [](double dbov) { return dbov <= -127 ? 0 : std::pow(10, dbov / 20); };
        JsonWriter json;
        const auto begin = [&](std::string_view id, std::string_view type) {
            json.key(id).begin_object();
            json.field("id", id).field("type", type).field("timestamp", sample.at_ms);
            json.field("kind", "audio");
        };
        json.begin_object();
        begin("OA", "outbound-rtp");
        json.field("packetsSent", sent).field("mediaSourceId", "SA").end();
        begin("SA", "media-source");
        json.field("audioLevel", level(sample.level_out_dbov)).end();
        begin("IA", "inbound-rtp");
        json.field("packetsReceived", received).field("packetsLost", lost);
        if (sample.jitter_ms >= 0) json.field("jitter", sample.jitter_ms / 1000);
        json.field("audioLevel", level(sample.level_in_dbov));
        json.field("concealedSamples", std::llround(concealed_ms * 8)).end();
        begin("RA", "remote-inbound-rtp");
        if (sample.round_trip_ms >= 0) json.field("roundTripTime", sample.round_trip_ms / 1000);
        json.field("localId", "OA").end().end();
        lines.push_back({sample.at_ms, "getStats", json.text()});
    }
}

}  // namespace

std::string write_rtcstats(const Dump& dump) {
    std::vector<Line> lines;
    add_descriptions(lines, dump);
    add_stats(lines, dump);
    for (const TimelineEvent& event : dump.events) {
        const std::string told =
            event.message.empty() ? event.event : event.event + ": " + event.message;
        lines.push_back({event.realtime_ns / base::kNsPerMs, event.event, quoted(told)});
    }
    std::stable_sort(
        lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.at_ms < b.at_ms; });
    const std::int64_t first_ms =
        lines.empty() ? dump.made_ns / base::kNsPerMs : lines.front().at_ms;
    lines.insert(lines.begin(), {first_ms, "create", "{}"});
    lines.push_back({std::max(lines.back().at_ms, first_ms), "close", "null"});

    JsonWriter meta;
    meta.begin_object()
        .field("fileFormat", kFileFormat)
        .field("userAgent", "offhook/" OFFHOOK_VERSION)
        .field("call", dump.call_id)
        .end();
    std::string text = "RTCStatsDump\n" + meta.text() + '\n';
    std::int64_t before_ms = 0;
    for (const Line& line : lines) {
        text += '[' + quoted(line.method) + ',' + quoted(kConnection) + ',' + line.value + ',' +
                std::to_string(line.at_ms - before_ms) + "]\n";
        before_ms = line.at_ms;
    }
    return text;
}

}  // namespace offhook::trace
