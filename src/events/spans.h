#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "events/event.h"

namespace offhook::events {

/// A piece of a call's time, as OpenTelemetry has it.
struct Span {
    std::string trace_id, span_id, parent_id;  ///< hexadecimal; parent: empty for the call's own
    std::string name;
    std::int64_t begun_ns = 0, ended_ns = 0;  ///< CLOCK_REALTIME
    bool is_server = false;                   ///< else internal, or towards the AI: client
    bool is_client = false;
    bool is_error = false;
    std::string error{};
    std::vector<std::pair<std::string, Event::Value>> attributes{};
};

/// Makes spans of events: one for each call, and below it its setup, the time to the AI, the time to
/// the first packet, and each connection of the AI, whose span id is the one that the AI was told
/// by `traceparent`.
/// @thread one
class SpanMaker {
public:
    /// Spans that ended with `event`; those of a call come together, when it ends, parent first.
    [[nodiscard]] std::vector<Span> take(const Event& event);
    /// Calls that have not ended.
    [[nodiscard]] std::size_t open() const { return calls_.size(); }

private:
    struct Story {
        Span call;
        std::vector<Span> parts;
        std::int64_t answered_ns = 0;
        std::string ai;       ///< whose connections are counted
        int connections = 0;  ///< of `ai`
        bool is_connected = false, has_sent = false, had_ai = false;
    };
    static Span part_of(const Story& story,
                        const std::string& call,
                        const std::string& part,
                        std::string name,
                        std::int64_t begun_ns,
                        std::int64_t ended_ns);
    static void connected(Story& story, const Event& event);
    static void disconnected(Story& story, const Event& event, bool is_lost);

    std::unordered_map<std::string, Story> calls_;
};

/// One ExportTraceServiceRequest of OTLP/HTTP in JSON (opentelemetry-proto 1.0): ids as hexadecimal
/// text, times as text of nanoseconds.
[[nodiscard]] std::string otlp_json(const std::vector<Span>& spans, const std::string& service);

}  // namespace offhook::events
