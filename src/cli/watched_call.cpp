#include "cli/watched_call.h"

#include <json-glib/json-glib.h>
#include <spdlog/fmt/fmt.h>

#include "base/escape.h"
#include "glib/error_out.h"
#include "glib/ref.h"

namespace offhook::cli {
namespace {

constexpr int kMaxDepth = 16;
constexpr guint kMaxCalls = 500;
constexpr double kStalledMs = 60;   ///< three packet times: more than a late tick
constexpr double kOneWayMs = 3000;  ///< as the event call.oneway
constexpr double kLossWorthAWord = 0.01;

/// Before the parser sees it: json-glib recurses without a limit.
bool is_too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > kMaxDepth) return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

/// An object that may not be there; its members are read with their defaults.
class Reader {
public:
    explicit Reader(JsonObject* object) : object_(object) {}

    [[nodiscard]] Reader object(const char* name) const {
        JsonNode* node = member(name);
        return Reader(node != nullptr && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node)
                                                                      : nullptr);
    }
    [[nodiscard]] std::string text(const char* name) const {
        JsonNode* node = value(name);
        if (node == nullptr || json_node_get_value_type(node) != G_TYPE_STRING) return {};
        return base::escape_untrusted(json_node_get_string(node));
    }
    [[nodiscard]] double number(const char* name, double otherwise) const {
        JsonNode* node = value(name);
        if (node == nullptr) return otherwise;
        if (json_node_get_value_type(node) == G_TYPE_INT64)
            return static_cast<double>(json_node_get_int(node));
        return json_node_get_value_type(node) == G_TYPE_DOUBLE ? json_node_get_double(node)
                                                               : otherwise;
    }
    [[nodiscard]] std::uint64_t count(const char* name) const {
        JsonNode* node = value(name);
        if (node == nullptr || json_node_get_value_type(node) != G_TYPE_INT64) return 0;
        const gint64 number = json_node_get_int(node);
        return number < 0 ? 0 : static_cast<std::uint64_t>(number);
    }

private:
    [[nodiscard]] JsonNode* member(const char* name) const {
        return object_ == nullptr ? nullptr : json_object_get_member(object_, name);
    }
    [[nodiscard]] JsonNode* value(const char* name) const {
        JsonNode* node = member(name);
        return node != nullptr && JSON_NODE_HOLDS_VALUE(node) ? node : nullptr;
    }
    JsonObject* object_;
};

base::Result<glib::Ref<JsonParser>> parse_object(std::string_view json) {
    const auto refuse = [](const char* why) {
        return base::fail(base::ErrorCode::Malformed, std::string("the daemon's answer ") + why);
    };
    if (is_too_deep(json)) return refuse("is nested deeper than 16");
    auto parser = glib::Ref<JsonParser>::adopt(json_parser_new());
    glib::GErrorOut error;
    if (json_parser_load_from_data(
            parser.get(), json.data(), static_cast<gssize>(json.size()), error) == FALSE) {
        return refuse("is not JSON");
    }
    JsonNode* root = json_parser_get_root(parser.get());
    if (root == nullptr || !JSON_NODE_HOLDS_OBJECT(root)) return refuse("is not a JSON object");
    return parser;
}

JsonObject* root_of(const glib::Ref<JsonParser>& parser) {
    return json_node_get_object(json_parser_get_root(parser.get()));
}

WatchedCall read_call(const Reader& item) {
    WatchedCall call;
    call.id = item.text("id");
    call.state = item.text("state");
    call.codec = item.text("codec");
    call.duration_ms = item.number("duration_ms", 0);
    call.end_reason = item.object("end").text("reason");
    const Reader stats = item.object("stats");
    call.last_source = stats.text("last_source");
    call.sent_packets = stats.count("sent_packets");
    call.received_packets = stats.count("received_packets");
    call.lost_packets = stats.count("lost_packets");
    call.max_gap_ms = stats.number("max_gap_ms", 0);
    call.since_last_sent_ms = stats.number("since_last_sent_ms", -1);
    call.since_last_received_ms = stats.number("since_last_received_ms", -1);
    call.sent_level_dbov = stats.number("sent_level_dbov", -127);
    call.received_level_dbov = stats.number("received_level_dbov", -127);
    return call;
}

std::string source_sentence(const std::string& source) {
    if (source == "ai") return "alive: the AI speaks";
    if (source == "dtmf") return "alive: digits are sent";
    return "alive: filler, the AI is silent";
}

}  // namespace

base::Result<std::vector<WatchedCall>> parse_calls(std::string_view json) {
    const auto parser = parse_object(json);
    if (!parser) return tl::unexpected(parser.error());
    JsonNode* items = json_object_get_member(root_of(*parser), "items");
    if (items == nullptr || !JSON_NODE_HOLDS_ARRAY(items)) {
        return base::fail(base::ErrorCode::Malformed, "the daemon's answer has no list of calls");
    }
    JsonArray* array = json_node_get_array(items);
    std::vector<WatchedCall> calls;
    for (guint i = 0; i < json_array_get_length(array) && i < kMaxCalls; ++i) {
        JsonNode* item = json_array_get_element(array, i);
        if (JSON_NODE_HOLDS_OBJECT(item))
            calls.push_back(read_call(Reader(json_node_get_object(item))));
    }
    return calls;
}

base::Result<WatchedDaemon> parse_health(std::string_view json) {
    const auto parser = parse_object(json);
    if (!parser) return tl::unexpected(parser.error());
    const Reader health(root_of(*parser));
    WatchedDaemon daemon;
    daemon.status = health.text("status");
    daemon.version = health.text("version");
    daemon.summary = health.text("summary");
    daemon.uptime_s = health.number("uptime_s", 0);
    daemon.active_calls = health.object("checks").object("calls").count("active");
    return daemon;
}

Verdict judge(const WatchedCall& call) {
    if (call.state == "ended") {
        return {Mood::Odd, "ended" + (call.end_reason.empty() ? "" : ": " + call.end_reason)};
    }
    if (call.state == "held") return {Mood::Good, "on hold: one side asked for nothing"};
    if (call.state != "answered")
        return {Mood::Odd,
                call.state == "ending"    ? "hanging up"
                : call.state == "dialing" ? "the far end is looked for"
                                          : "not answered yet"};
    if (call.sent_packets == 0) {
        if (call.duration_ms < kStalledMs) return {Mood::Odd, "answered just now"};
        return {
            Mood::Bad,
            fmt::format("SILENT: {:.0f} ms since the answer and no packet sent", call.duration_ms)};
    }
    if (call.since_last_sent_ms > kStalledMs) {
        return {Mood::Bad,
                fmt::format("STALLED: nothing sent for {:.0f} ms", call.since_last_sent_ms)};
    }
    if (call.max_gap_ms > kStalledMs) {
        return {Mood::Odd, fmt::format("alive, after a gap of {:.0f} ms", call.max_gap_ms)};
    }
    if (call.received_packets == 0) return {Mood::Odd, "alive; nothing heard from the caller yet"};
    if (call.since_last_received_ms > kOneWayMs) {
        return {Mood::Odd,
                fmt::format("alive; the caller has sent nothing for {:.0f} s",
                            call.since_last_received_ms / 1000)};
    }
    const auto lost = static_cast<double>(call.lost_packets);
    const double share = lost / (lost + static_cast<double>(call.received_packets));
    if (share > kLossWorthAWord) {
        return {Mood::Odd,
                fmt::format("alive; {:.1f} % of the caller's packets lost", 100 * share)};
    }
    return {Mood::Good, source_sentence(call.last_source)};
}

}  // namespace offhook::cli
