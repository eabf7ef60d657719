#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/call_record.h"

namespace offhook::store {

/// Records on their way to the disk, in order, bounded. Of one call only the newest is kept. When it
/// is full the oldest goes.
/// @thread one at a time
class PendingRecords {
public:
    struct Item {
        CallRecord record;
        std::int64_t queued_ns = 0;  ///< CLOCK_MONOTONIC, of its first state that waits
    };
    explicit PendingRecords(std::size_t limit) : limit_(limit) {}

    /// @return how many went for it, 0 or 1
    std::size_t put(CallRecord record, std::int64_t now_ns);
    /// The oldest ones, in order.
    [[nodiscard]] std::vector<Item> take(std::size_t most);
    /// In front again, since they could not be written; what came meanwhile of the same call is
    /// newer and stays. @return how many went for it
    std::size_t put_back(std::vector<Item> items);

    [[nodiscard]] std::size_t size() const { return items_.size(); }
    /// @pre not empty
    [[nodiscard]] std::int64_t oldest_ns() const { return items_.at(order_.front()).queued_ns; }

private:
    std::size_t shrink();

    const std::size_t limit_;
    std::deque<std::string> order_;
    std::unordered_map<std::string, Item> items_;
};

}  // namespace offhook::store
