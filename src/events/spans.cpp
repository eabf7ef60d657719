#include "events/spans.h"

#include <utility>

#include "base/json_writer.h"
#include "model/trace_context.h"

namespace offhook::events {
namespace {

constexpr std::size_t kMaxCalls = 20'000;  // more than can live: whose end was lost is not kept
// Of SpanKind and StatusCode in trace.proto.
constexpr int kInternal = 1, kServer = 2, kClient = 3;
constexpr int kOk = 1, kError = 2;

void copy_fields(const Event& event, Span& span) {
    for (const auto& [name, value] : event.fields)
        span.attributes.emplace_back("offhook." + name, value);
}

void write_attribute(base::JsonWriter& json, const std::string& key, const Event::Value& value) {
    json.begin_object().field("key", key).key("value").begin_object();
    if (const auto* text = std::get_if<std::string>(&value)) json.field("stringValue", *text);
    // As text, because JSON's numbers end at 2^53 (protobuf's JSON mapping).
    if (const auto* whole = std::get_if<std::int64_t>(&value))
        json.field("intValue", std::to_string(*whole));
    if (const auto* number = std::get_if<double>(&value)) json.field("doubleValue", *number);
    if (const auto* yes = std::get_if<bool>(&value)) json.field("boolValue", *yes);
    json.end().end();
}

void write_span(base::JsonWriter& json, const Span& span) {
    json.begin_object().field("traceId", span.trace_id).field("spanId", span.span_id);
    if (!span.parent_id.empty()) json.field("parentSpanId", span.parent_id);
    json.field("name", span.name)
        .field("kind",
               span.is_server   ? kServer
               : span.is_client ? kClient
                                : kInternal)
        .field("startTimeUnixNano", std::to_string(span.begun_ns))
        .field("endTimeUnixNano", std::to_string(span.ended_ns));
    json.key("attributes").begin_array();
    for (const auto& [key, value] : span.attributes) write_attribute(json, key, value);
    json.end().key("status").begin_object().field("code", span.is_error ? kError : kOk);
    if (span.is_error) json.field("message", span.error);
    json.end().end();
}

}  // namespace

Span SpanMaker::part_of(const Story& story,
                        const std::string& call,
                        const std::string& part,
                        std::string name,
                        std::int64_t begun_ns,
                        std::int64_t ended_ns) {
    return {.trace_id = story.call.trace_id,
            .span_id = model::span_id_of(call, part),
            .parent_id = story.call.span_id,
            .name = std::move(name),
            .begun_ns = begun_ns,
            .ended_ns = ended_ns};
}

void SpanMaker::connected(Story& story, const Event& event) {
    const std::string ai(event.text("ai"));
    if (!std::exchange(story.had_ai, true) && story.answered_ns != 0) {
        story.parts.push_back(part_of(
            story, event.call, "ai-connect", "ai connect", story.answered_ns, event.realtime_ns));
    }
    if (ai != story.ai) story.connections = 0;
    story.ai = ai;
    disconnected(story, event, false);
    story.is_connected = true;
    Span span = part_of(story,
                        event.call,
                        model::ai_connection_part(ai, ++story.connections),
                        "ai connection",
                        event.realtime_ns,
                        0);
    span.is_client = true;
    copy_fields(event, span);
    story.parts.push_back(std::move(span));
}

void SpanMaker::disconnected(Story& story, const Event& event, bool is_lost) {
    if (!std::exchange(story.is_connected, false)) return;
    for (Span& part : story.parts) {
        if (part.ended_ns != 0) continue;
        part.ended_ns = event.realtime_ns;
        part.is_error = is_lost;
        if (is_lost) part.error = event.message;
    }
}

std::vector<Span> SpanMaker::take(const Event& event) {
    if (event.call.empty()) return {};
    const auto found = calls_.find(event.call);
    if (event.type == "call.incoming" || event.type == "call.placed") {
        if (found != calls_.end() || calls_.size() >= kMaxCalls) return {};
        Story& story = calls_[event.call];
        story.call = {.trace_id = model::trace_id_of(event.call),
                      .span_id = model::span_id_of(event.call),
                      .parent_id = {},
                      .name = "call",
                      .begun_ns = event.realtime_ns,
                      .is_server = event.type == "call.incoming"};
        story.call.is_client = !story.call.is_server;
        story.call.attributes.emplace_back("offhook.call_id", event.call);
        copy_fields(event, story.call);
        return {};
    }
    if (found == calls_.end()) return {};
    Story& story = found->second;
    if (event.type == "call.answered") {
        story.answered_ns = event.realtime_ns;
        story.parts.push_back(
            part_of(story, event.call, "setup", "setup", story.call.begun_ns, event.realtime_ns));
        copy_fields(event, story.parts.back());
    } else if (event.type == "rtp.first_packet_sent" && story.answered_ns != 0 &&
               !std::exchange(story.has_sent, true)) {
        story.parts.push_back(part_of(
            story, event.call, "first-audio", "first audio", story.answered_ns, event.realtime_ns));
    } else if (event.type == "ai.connected" || event.type == "ai.back") {
        connected(story, event);
    } else if (event.type == "ai.lost") {
        disconnected(story, event, true);
    }
    if (event.type != "call.ended") return {};
    disconnected(story, event, false);
    story.call.ended_ns = event.realtime_ns;
    story.call.is_error = event.text("class") != "success";
    if (story.call.is_error) story.call.error = event.message;
    copy_fields(event, story.call);
    std::vector<Span> all{std::move(story.call)};
    for (Span& part : story.parts) all.push_back(std::move(part));
    calls_.erase(found);
    return all;
}

std::string otlp_json(const std::vector<Span>& spans, const std::string& service) {
    base::JsonWriter json;
    json.begin_object().key("resourceSpans").begin_array().begin_object();
    json.key("resource").begin_object().key("attributes").begin_array();
    write_attribute(json, "service.name", service);
    write_attribute(json, "service.version", std::string(OFFHOOK_VERSION));
    json.end().end().key("scopeSpans").begin_array().begin_object();
    json.key("scope").begin_object().field("name", "offhook").field("version", OFFHOOK_VERSION);
    json.end().key("spans").begin_array();
    for (const Span& span : spans) write_span(json, span);
    json.end().end().end().end().end().end();
    return std::move(json).text();
}

}  // namespace offhook::events
