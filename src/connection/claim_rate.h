#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "connection/lease_store.h"

namespace offhook::connection {

/// How often a place was claimed of late. Claims that were refused count as well, so that whoever
/// goes on is refused until it was quiet.
class ClaimRate {
public:
    /// @param max_claims  at most so many in @param window_ns; 0: no limit
    ClaimRate(std::size_t max_claims, std::int64_t window_ns)
        : max_claims_(max_claims), window_ns_(window_ns) {}

    /// Counts one more. False when it is too many.
    bool take(const Place& place, std::int64_t now_ns);
    /// Forgets places that were quiet.
    void tidy(std::int64_t now_ns);
    [[nodiscard]] std::size_t size() const { return places_.size(); }

private:
    const std::size_t max_claims_;
    const std::int64_t window_ns_;
    std::unordered_map<Place, std::deque<std::int64_t>> places_;  ///< the newest `max_claims` times
};

}  // namespace offhook::connection
