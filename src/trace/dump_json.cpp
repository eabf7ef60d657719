#include "base/json_writer.h"
#include "base/monotonic.h"
#include "base/timestamp.h"
#include "trace/dump.h"
#include "trace/wire_text.h"

namespace offhook::trace {
namespace {

using base::JsonWriter;

std::string hex_of(const std::vector<std::uint8_t>& bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15U];
    }
    return hex;
}

std::string base64_of(const std::vector<model::CallerTape::Chunk>& chunks) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve(chunks.size() * model::CallerTape::kChunkSamples * 4 / 3 + 4);
    std::uint32_t bits = 0;
    int count = 0;
    for (const auto& chunk : chunks) {
        for (const std::uint8_t byte : chunk.mu_law) {
            bits = bits << 8 | byte;
            if (++count < 3) continue;
            for (int shift = 18; shift >= 0; shift -= 6) text += kDigits[bits >> shift & 63U];
            bits = 0;
            count = 0;
        }
    }
    if (count == 0) return text;
    bits <<= 8 * (3 - count);
    for (int i = 0; i <= count; ++i) text += kDigits[bits >> (18 - 6 * i) & 63U];
    return text.append(static_cast<std::size_t>(3 - count), '=');
}

void write_columns(JsonWriter& json, std::initializer_list<std::string_view> names) {
    json.key("columns").begin_array();
    for (const std::string_view name : names) json.value(name);
    json.end();
}

void write_sip(JsonWriter& json, const Dump& dump) {
    json.key("sip").begin_object().field("lost", dump.lost_sip).key("messages").begin_array();
    for (const model::SipWireMessage& message : dump.sip) {
        json.begin_object()
            .field("at", base::rfc3339_utc_ms(message.realtime_ns))
            .field("at_us", message.realtime_ns / base::kNsPerUs)
            .field("direction", message.is_inbound ? "in" : "out")
            .field("transport", message.transport)
            .field("local", message.local)
            .field("remote", message.remote)
            .field("text", message.text)
            .end();
    }
    json.end().end();
}

void write_events(JsonWriter& json, const Dump& dump) {
    json.key("events").begin_object().field("lost", dump.lost_events).key("items").begin_array();
    for (const TimelineEvent& event : dump.events) {
        json.begin_object()
            .field("at", base::rfc3339_utc_ms(event.realtime_ns))
            .field("at_us", event.realtime_ns / base::kNsPerUs)
            .field("level", event.level)
            .field("event", event.event)
            .field("message", event.message)
            .key("fields")
            .begin_object();
        for (const auto& [name, value] : event.fields) json.field(name, value);
        json.end().end();
    }
    json.end().end();
}

class LegWriter {
public:
    LegWriter(JsonWriter& json, const Dump& dump)
        : json_(json), leg_(*dump.leg), offset_ns_(dump.realtime_offset_ns) {}

    void write_packets() {
        json_.key("rtp");
        if (!leg_.packets) {
            json_.null().key("rtcp").null();
            return;
        }
        json_.begin_object().field("local", text_of(leg_.local)).key("remotes").begin_array();
        const std::vector<model::WireAddress> remotes = leg_.packets->remotes();
        for (const model::WireAddress& remote : remotes) json_.value(text_of(remote));
        json_.end();
        write_columns(json_,
                      {"at_us",
                       "sequence",
                       "timestamp",
                       "ssrc",
                       "payload_type",
                       "marker",
                       "payload_bytes",
                       "remote"});
        write_headers("inbound", leg_.packets->inbound());
        write_headers("outbound", leg_.packets->outbound());
        json_.end().key("rtcp").begin_array();
        std::vector<model::RtcpRecord> rtcp;
        leg_.packets->rtcp_since(0, rtcp);
        for (const model::RtcpRecord& packet : rtcp) {
            json_.begin_object()
                .field("at_us", us(packet.at_ns))
                .field("direction", packet.is_inbound ? "in" : "out")
                .field("remote",
                       packet.remote < remotes.size() ? text_of(remotes[packet.remote])
                                                      : std::string())
                .field("bytes", packet.wire_bytes)
                .field("packet", hex_of(packet.packet))
                .end();
        }
        json_.end();
    }

    void write_ai() {
        json_.key("ai");
        if (!leg_.ai_frames) {
            json_.null();
            return;
        }
        json_.begin_object();
        write_columns(json_, {"at_us", "to_bot", "is_text", "bytes"});
        json_.key("frames").begin_array();
        for (const model::AiFrameRecord& frame : leg_.ai_frames->frames()) {
            json_.begin_array()
                .value(us(frame.at_ns))
                .value(frame.is_to_bot)
                .value(frame.kind == model::AiFrameRecord::Kind::Text)
                .value(frame.bytes)
                .end();
        }
        json_.end().key("turns").begin_array();
        for (const model::AiTurnRecord& turn : leg_.ai_frames->turns()) {
            json_.begin_object()
                .field("at_us", us(turn.at_ns))
                .field("total_ms", turn.total_ms)
                .end();
        }
        json_.end().key("digits").begin_array();
        for (const model::DigitRecord& digit : leg_.ai_frames->digits()) {
            json_.begin_object()
                .field("at_us", us(digit.at_ns))
                .field("digit", std::string_view(&digit.digit, 1))
                .field("duration_ms", digit.duration_ms)
                .end();
        }
        json_.end().end();
    }

    void write_caller() {
        json_.key("caller_audio");
        if (!leg_.caller) {
            json_.null();
            return;
        }
        const std::vector<model::CallerTape::Chunk> chunks = leg_.caller->chunks();
        json_.begin_object().field("encoding", "mu-law").field("sample_rate_hz", 8000);
        json_.field("chunk_ms", 20).key("at_us").begin_array();
        for (const auto& chunk : chunks) json_.value(us(chunk.at_ns));
        json_.end().field("data", base64_of(chunks)).end();
    }

private:
    [[nodiscard]] std::int64_t us(std::int64_t monotonic_ns) const {
        return (monotonic_ns + offset_ns_) / base::kNsPerUs;
    }
    void write_headers(std::string_view name, const std::vector<model::RtpHeaderRecord>& packets) {
        json_.key(name).begin_array();
        for (const model::RtpHeaderRecord& packet : packets) {
            json_.begin_array()
                .value(us(packet.at_ns))
                .value(packet.sequence)
                .value(packet.timestamp_rtp)
                .value(packet.ssrc)
                .value(packet.payload_type)
                .value(packet.marker)
                .value(packet.payload_bytes)
                .value(packet.remote)
                .end();
        }
        json_.end();
    }

    JsonWriter& json_;
    const model::LegTrace& leg_;
    const std::int64_t offset_ns_;
};

void write_stats(JsonWriter& json, const Dump& dump) {
    const auto known = [&](std::string_view name, double value) {
        json.key(name);
        value < 0 ? json.null() : json.value(value);
    };
    json.key("stats").begin_array();
    for (const StatsSample& sample : dump.stats) {
        json.begin_object()
            .field("at_ms", sample.at_ms)
            .field("sent_packets", sample.sent)
            .field("received_packets", sample.received)
            .field("lost_packets", sample.lost)
            .field("received_level_dbov", sample.level_in_dbov)
            .field("sent_level_dbov", sample.level_out_dbov)
            .field("max_gap_ms", sample.max_gap_ms)
            .field("concealed_ms", sample.concealed_ms)
            .field("ai_queued_ms", sample.ai_queued_ms);
        known("jitter_ms", sample.jitter_ms);
        known("round_trip_ms", sample.round_trip_ms);
        known("mos", sample.mos);
        json.end();
    }
    json.end();
}

}  // namespace

std::string write_json(const Dump& dump) {
    JsonWriter json;
    json.begin_object();
    write_sip(json, dump);
    write_events(json, dump);
    write_stats(json, dump);
    if (dump.leg) {
        LegWriter leg(json, dump);
        leg.write_packets();
        leg.write_ai();
        leg.write_caller();
    } else {
        for (const char* name : {"rtp", "rtcp", "ai", "caller_audio"}) json.key(name).null();
    }
    json.end();

    JsonWriter head;
    head.begin_object()
        .field("format", "offhook-dump")
        .field("version", kDumpVersion)
        .field("made", base::rfc3339_utc_ms(dump.made_ns))
        .end();
    // One object of three: the head, the call as the API wrote it, the rest.
    std::string text = head.text();
    text.back() = ',';
    text += "\"call\":" + (dump.call_json.empty() ? std::string("null") : dump.call_json) + ',';
    return text.append(json.text(), 1) + '\n';
}

}  // namespace offhook::trace
