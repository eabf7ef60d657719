#include "cli/tail_line.h"

#include "base/escape.h"
#include "cli/text_table.h"

namespace offhook::cli {
namespace {

constexpr std::size_t kMaxShown = 400;
constexpr std::size_t kTimeAt = 11, kTimeBytes = 12;  ///< of 2026-11-20T12:00:05.122Z

std::string painted(const std::string& text, std::string_view level, bool has_colors) {
    if (!has_colors || (level != "warning" && level != "error")) return text;
    return (level == "error" ? "\033[31m" : "\033[33m") + text + "\033[0m";
}

}  // namespace

std::string tail_line(std::string_view type, std::string_view data, bool has_colors) {
    const auto event = glib::JsonBody::parse(data, "an event");
    if (!event) {
        return base::escape_untrusted(type, 64) + " " + base::escape_untrusted(data, kMaxShown) +
               "\n";
    }
    const std::string time = shown(*event, "time");
    const std::string level = event->text("level").value_or("");
    std::string line = time.size() > kTimeAt + kTimeBytes ? time.substr(kTimeAt, kTimeBytes) : time;
    line +=
        " " + painted(base::escape_untrusted(level.empty() ? "-" : level, 16), level, has_colors);
    line += " " + (event->text("type") ? shown(*event, "type") : base::escape_untrusted(type, 64));
    if (event->text("call")) line += " " + shown(*event, "call");
    if (event->text("message")) line += ": " + shown(*event, "message", kMaxShown);
    if (const auto fields = event->object("data")) {
        for (const std::string& name : fields->names())
            line += " " + base::escape_untrusted(name, 64) + "=" +
                    shown(*fields, name.c_str(), kMaxShown);
    }
    return line + "\n";
}

}  // namespace offhook::cli
