#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "model/call_directory.h"

namespace offhook::connection {

/// The one place that a user has in a channel.
struct Place {
    std::string user, channel;
    bool operator==(const Place&) const = default;
};

/// Who holds which place, in this process or in all that share a store: at most one holder at any
/// time, and each grant has a fencing number above all before it.
///
/// The newest who asks gets the place: the holder is told that it is `wanted`, and the grant comes
/// once it was released (or its lease ran out, when its daemon is gone). Who asked earlier and still
/// waits is refused then: Conflict.
/// @thread control, all of it; callbacks come from the loop, never from within a method
class LeaseStore {
public:
    struct Events {
        /// Somebody else asked for a place that is held here: let it go, then `release`.
        std::function<void(const Place&, std::uint64_t fence)> on_wanted;
        /// A place is no longer held here: the store was away too long, or gave it to another.
        std::function<void(const Place&, std::uint64_t fence)> on_lost;
    };
    using Done = std::function<void(base::Result<std::uint64_t> fence)>;

    virtual ~LeaseStore() = default;
    /// Before the first `acquire`.
    virtual void set_events(Events events) = 0;
    /// Ends in one `done`. @errors Conflict: somebody asked later; Unavailable: the store is away,
    /// and the policy is to refuse then
    virtual void acquire(const Place& place, Done done) = 0;
    /// Gives a place back, or the wish for it. Nothing for a fence that is not the holder's.
    virtual void release(const Place& place, std::uint64_t fence) = 0;
    /// For /health: "storage".
    [[nodiscard]] virtual model::HealthCheck health() const = 0;

protected:
    LeaseStore() = default;
};

}  // namespace offhook::connection

template <>
struct std::hash<offhook::connection::Place> {
    std::size_t operator()(const offhook::connection::Place& place) const noexcept {
        constexpr std::size_t kOdd = 0x9e3779b97f4a7c15ULL;
        return std::hash<std::string>{}(place.user) * kOdd ^
               std::hash<std::string>{}(place.channel);
    }
};
