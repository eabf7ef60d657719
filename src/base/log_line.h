#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/log.h"

namespace offhook::log {

/// One line before it is text.
struct Line {
    std::int64_t realtime_ns = 0;
    Level level = Level::Info;
    Mark mark = Mark::None;
    std::string_view event, call, message;
    std::initializer_list<Field> fields;
};

/// `12:00:00.000 INFO  🔔 call.answered c-0123456789ab the message key=value other="with space"`, in
/// local time, without the line end. Every part is escaped, so that one line stays one line and
/// inert in a terminal.
[[nodiscard]] std::string text_line(const Line& line, bool marks, bool colour);

/// One JSON object: ts, level, event, msg, call_id, mark, then the fields; event, call_id and mark
/// only when there is one.
[[nodiscard]] std::string json_line(const Line& line, bool marks);

}  // namespace offhook::log
