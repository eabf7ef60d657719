#include "base/log_line.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "base/escape.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "base/timestamp.h"

namespace offhook::log {
namespace {

constexpr std::size_t kMaxMessageBytes = 1024;
constexpr std::size_t kMaxValueBytes = 512;
constexpr std::size_t kMaxNameBytes = 64;

struct LevelLook {
    std::string_view name;   // in JSON
    std::string_view label;  // in text, padded
    std::string_view colour;
};

LevelLook look_of(Level level) {
    switch (level) {
        case Level::Debug:
            return {"debug", "DEBUG", "\x1b[2m"};
        case Level::Info:
            return {"info", "INFO ", "\x1b[32m"};
        case Level::Warning:
            return {"warning", "WARN ", "\x1b[33m"};
        case Level::Error:
            break;
    }
    return {"error", "ERROR", "\x1b[31m"};
}

std::string_view emoji_of(Mark mark) {
    switch (mark) {
        case Mark::Call:
            return "🔔";
        case Mark::Voice:
            return "🎙️";
        case Mark::System:
            return "🖥️";
        case Mark::Ok:
            return "✅";
        case Mark::Warning:
            return "⚠️";
        case Mark::Error:
            return "❌";
        case Mark::None:
            break;
    }
    return {};
}

std::string local_time(std::int64_t realtime_ns) {
    const std::time_t seconds = realtime_ns / base::kNsPerS;
    std::tm local{};
    localtime_r(&seconds, &local);
    std::array<char, 16> whole{};
    std::strftime(whole.data(), whole.size(), "%H:%M:%S", &local);
    std::array<char, 8> fraction{};
    std::snprintf(fraction.data(),
                  fraction.size(),
                  ".%03d",
                  static_cast<int>(realtime_ns % base::kNsPerS / base::kNsPerMs));
    return std::string(whole.data()) + fraction.data();
}

// Quoted when a reader could not tell where the value ends.
std::string text_value(std::string_view raw) {
    const std::string escaped = base::escape_untrusted(raw, kMaxValueBytes);
    if (!escaped.empty() && escaped.find_first_of(" =\"") == std::string::npos) return escaped;
    std::string quoted = "\"";
    for (const char c : escaped) {
        if (c == '"') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

std::string text_of(const Field& field) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) return text_value(*text);
    if (const auto* whole = std::get_if<std::int64_t>(&field.value)) return std::to_string(*whole);
    if (const auto* yes = std::get_if<bool>(&field.value)) return *yes ? "true" : "false";
    return base::short_number(std::get<double>(field.value));
}

}  // namespace

std::string text_line(const Line& line, bool marks, bool colour) {
    const LevelLook look = look_of(line.level);
    std::string out = local_time(line.realtime_ns);
    out += ' ';
    if (colour) out += look.colour;
    out += look.label;
    if (colour) out += "\x1b[0m";
    if (marks && line.mark != Mark::None) {
        out += ' ';
        out += emoji_of(line.mark);
    }
    for (const std::string_view name : {line.event, line.call}) {
        if (!name.empty()) out += ' ' + base::escape_untrusted(name, kMaxNameBytes);
    }
    if (!line.message.empty()) out += ' ' + base::escape_untrusted(line.message, kMaxMessageBytes);
    for (const Field& field : line.fields) {
        out += ' ' + base::escape_untrusted(field.key, kMaxNameBytes) + '=' + text_of(field);
    }
    return out;
}

std::string json_line(const Line& line, bool marks) {
    base::JsonWriter json;
    json.begin_object();
    json.field("ts", base::rfc3339_utc_ms(line.realtime_ns));
    json.field("level", look_of(line.level).name);
    if (!line.event.empty()) {
        json.field("event", base::escape_untrusted(line.event, kMaxNameBytes));
    }
    json.field("msg", base::escape_untrusted(line.message, kMaxMessageBytes));
    if (!line.call.empty()) json.field("call_id", base::escape_untrusted(line.call, kMaxNameBytes));
    if (marks && line.mark != Mark::None) json.field("mark", emoji_of(line.mark));
    for (const Field& field : line.fields) {
        json.key(base::escape_untrusted(field.key, kMaxNameBytes));
        if (const auto* text = std::get_if<std::string_view>(&field.value)) {
            json.value(base::escape_untrusted(*text, kMaxValueBytes));
        } else {
            std::visit([&](const auto& v) { json.value(v); }, field.value);
        }
    }
    json.end();
    return std::move(json).text();
}

}  // namespace offhook::log
