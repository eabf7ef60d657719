#include "events/event_reader.h"

#include <charconv>
#include <utility>

#include "base/json_writer.h"

namespace offhook::events {
namespace {

constexpr std::size_t kInstanceDigits = 16;

bool is_instance(std::string_view text) {
    return text.size() == kInstanceDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

base::Result<Bookmark> parse_bookmark(std::string_view text) {
    Bookmark bookmark;
    std::string_view digits = text;
    bool is_good = true;
    if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
        bookmark.instance = text.substr(0, dash);
        digits = text.substr(dash + 1);
        is_good = is_instance(bookmark.instance);
    }
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, bookmark.seq);
    if (!is_good || digits.empty() || error != std::errc{} || stop != end) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "after must be the number of an event, 17, or with its instance, "
                          "0123456789abcdef-17");
    }
    return bookmark;
}

std::string gap_json(const Gap& gap) {
    base::JsonWriter json;
    json.begin_object().field("type", "gap").field("from", gap.from).key("to");
    gap.to == 0 ? json.null() : json.value(gap.to);
    if (!gap.instance.empty()) json.field("instance", gap.instance);
    json.end();
    return std::move(json).text();
}

EventReader::EventReader(const EventLog& log, Filter filter, const std::optional<Bookmark>& after)
    : log_(log), filter_(std::move(filter)), at_(log.newest() + 1) {
    if (!after) return;
    const bool is_ours = after->instance.empty() || after->instance == log.instance();
    if (is_ours && after->seq <= log.newest()) {
        at_ = after->seq + 1;
        return;
    }
    // Of a process before this one: all of ours are new, whatever was lost of that one's.
    first_ = Gap{.from = after->seq + 1, .instance = is_ours ? "unknown" : after->instance};
    at_ = 1;
}

EventReader::Next EventReader::next() {
    if (first_) return *std::exchange(first_, std::nullopt);
    if (const std::uint64_t oldest = log_.oldest(); at_ < oldest) {
        lost_ += oldest - at_;
        return Gap{.from = std::exchange(at_, oldest), .to = oldest - 1};
    }
    while (at_ <= log_.newest()) {
        if (EventRef event = log_.at(at_++); filter_.takes(*event)) return event;
    }
    return {};
}

}  // namespace offhook::events
