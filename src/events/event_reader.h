#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "events/event_log.h"
#include "events/filter.h"

namespace offhook::events {

/// Where a reader goes on: behind number `seq`, of `instance` or, when that is empty, of this one.
struct Bookmark {
    std::string instance{};
    std::uint64_t seq = 0;
};

/// "17" or "0123456789abcdef-17". @errors InvalidArgument
[[nodiscard]] base::Result<Bookmark> parse_bookmark(std::string_view text);

/// Numbers that a reader will not get: they are kept no more, or were another instance's.
struct Gap {
    std::uint64_t from = 0;
    std::uint64_t to = 0;    ///< 0: nobody knows how many there were
    std::string instance{};  ///< whose numbers; empty: ours
};
/// {"type":"gap","from":1,"to":2}; to is null and instance there when it was another's.
[[nodiscard]] std::string gap_json(const Gap& gap);

/// One reader's place in the log. It keeps no events of its own: a reader that is slow finds them
/// in the log, or is told a gap.
/// @thread control
class EventReader {
public:
    /// @param after  empty: what comes from now on
    EventReader(const EventLog& log, Filter filter, const std::optional<Bookmark>& after);

    using Next = std::variant<std::monostate, Gap, EventRef>;
    /// The next thing to tell; nothing when all was told.
    [[nodiscard]] Next next();
    /// Everything up to this number was told or is not wanted.
    [[nodiscard]] std::uint64_t told() const { return at_ - 1; }
    /// Numbers that went into gaps of ours so far.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

private:
    const EventLog& log_;
    const Filter filter_;
    std::optional<Gap> first_;  ///< of another instance
    std::uint64_t at_;          ///< number of the next
    std::uint64_t lost_ = 0;
};

}  // namespace offhook::events
