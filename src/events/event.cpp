#include "events/event.h"

#include <algorithm>

#include "base/escape.h"
#include "base/json_writer.h"
#include "base/timestamp.h"

namespace offhook::events {
namespace {

// As in the log's own lines.
constexpr std::size_t kMaxMessageBytes = 1024;
constexpr std::size_t kMaxValueBytes = 512;
constexpr std::size_t kMaxNameBytes = 64;

const Event::Value* find(const Event& event, std::string_view name) {
    const auto found = std::find_if(event.fields.begin(),
                                    event.fields.end(),
                                    [&](const auto& field) { return field.first == name; });
    return found == event.fields.end() ? nullptr : &found->second;
}

Event::Value value_of(const log::Field& field) {
    if (const auto* text = std::get_if<std::string_view>(&field.value))
        return base::escape_untrusted(*text, kMaxValueBytes);
    if (const auto* whole = std::get_if<std::int64_t>(&field.value)) return *whole;
    if (const auto* yes = std::get_if<bool>(&field.value)) return *yes;
    return std::get<double>(field.value);
}

}  // namespace

std::string_view Event::text(std::string_view name) const {
    const Value* value = find(*this, name);
    const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::int64_t Event::whole(std::string_view name) const {
    const Value* value = find(*this, name);
    const auto* whole = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
    return whole == nullptr ? 0 : *whole;
}

std::string_view name_of(log::Level level) noexcept {
    switch (level) {
        case log::Level::Debug:
            return "debug";
        case log::Level::Info:
            return "info";
        case log::Level::Warning:
            return "warning";
        case log::Level::Error:
            break;
    }
    return "error";
}

std::unique_ptr<Event> event_of(const log::Record& record) {
    auto event = std::make_unique<Event>();
    event->realtime_ns = record.realtime_ns;
    event->level = record.level;
    event->type = base::escape_untrusted(record.event, kMaxNameBytes);
    event->call = base::escape_untrusted(record.call, kMaxNameBytes);
    event->message = base::escape_untrusted(record.message, kMaxMessageBytes);
    event->fields.reserve(record.fields.size());
    for (const log::Field& field : record.fields) {
        event->fields.emplace_back(base::escape_untrusted(field.key, kMaxNameBytes),
                                   value_of(field));
    }
    return event;
}

void render(Event& event) {
    base::JsonWriter json;
    json.begin_object()
        .field("seq", event.seq)
        .field("time", base::rfc3339_utc_ms(event.realtime_ns))
        .field("type", event.type)
        .field("level", name_of(event.level));
    if (!event.call.empty()) json.field("call", event.call);
    json.field("message", event.message).key("data").begin_object();
    for (const auto& [name, value] : event.fields) {
        json.key(name);
        std::visit([&](const auto& v) { json.value(v); }, value);
    }
    json.end().end();
    event.json = std::move(json).text();
}

}  // namespace offhook::events
