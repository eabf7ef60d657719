#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/log.h"

namespace offhook::events {

/// One thing that happened: a line of the log with an event name. Texts are escaped and bounded as
/// in the log's JSON.
struct Event {
    using Value = std::variant<std::string, std::int64_t, double, bool>;

    std::uint64_t seq = 0;  ///< from 1, without a hole, for each start of the process
    std::int64_t realtime_ns = 0;
    log::Level level = log::Level::Info;
    std::string type;  ///< "call.answered"
    std::string call;  ///< empty: of no call
    std::string message;
    std::vector<std::pair<std::string, Value>> fields;
    /// Of its fields, or else what an earlier event of the same call had; empty: none.
    std::string account, channel;
    /// {"seq","time","type","level","call","message","data":{fields}}; call only where there is one.
    std::string json;

    /// The text of a field; empty when there is none, or it is no text.
    [[nodiscard]] std::string_view text(std::string_view name) const;
    /// A whole number of a field; 0 when there is none.
    [[nodiscard]] std::int64_t whole(std::string_view name) const;
};

using EventRef = std::shared_ptr<const Event>;

/// "info", "warning", "error"
[[nodiscard]] std::string_view name_of(log::Level level) noexcept;

/// Copies what the log was told; `seq`, `account`, `channel` and `json` are still to come.
/// @thread any
[[nodiscard]] std::unique_ptr<Event> event_of(const log::Record& record);

/// Writes `event.json`.
void render(Event& event);

}  // namespace offhook::events
