#include "connection/memory_leases.h"

#include <utility>

namespace offhook::connection {

MemoryLeases::MemoryLeases(GMainContext* context)
    : loop_(context), self_(std::make_shared<MemoryLeases*>(this)) {}

MemoryLeases::~MemoryLeases() = default;

void MemoryLeases::set_events(Events events) {
    events_ = std::move(events);
}

void MemoryLeases::acquire(const Place& place, Done done) {
    Seat& seat = seats_[place];
    if (Done earlier = std::exchange(seat.waiting, std::move(done))) {
        loop_.post([earlier = std::move(earlier)] {
            earlier(base::fail(base::ErrorCode::Conflict,
                               "the same user came again for this place before it was free"));
        });
    }
    settle_later(place);
}

void MemoryLeases::release(const Place& place, std::uint64_t fence) {
    const auto found = seats_.find(place);
    if (found == seats_.end() || fence == 0 || found->second.fence != fence) return;
    found->second.fence = 0;
    found->second.is_told = false;
    settle_later(place);
}

void MemoryLeases::settle_later(const Place& place) {
    Seat& seat = seats_[place];
    if (std::exchange(seat.is_due, true)) return;
    loop_.post([self = std::weak_ptr(self_), place] {
        if (const auto here = self.lock()) (*here)->settle(place);
    });
}

// What a place's holder and its newest wish come to, once in a turn of the loop: of many who ask in
// one turn only the last is ever granted.
void MemoryLeases::settle(const Place& place) {
    const auto found = seats_.find(place);
    if (found == seats_.end()) return;
    Seat& seat = found->second;
    seat.is_due = false;
    if (seat.fence != 0) {
        if (!seat.waiting || std::exchange(seat.is_told, true)) return;
        const std::uint64_t fence = seat.fence;
        if (events_.on_wanted) events_.on_wanted(place, fence);
        return;
    }
    if (!seat.waiting) {
        seats_.erase(found);
        return;
    }
    seat.fence = ++last_fence_;
    const Done done = std::exchange(seat.waiting, nullptr);
    done(seat.fence);
}

model::HealthCheck MemoryLeases::health() const {
    return {model::HealthCheck::Status::Off, "places are kept by this process alone", {}};
}

}  // namespace offhook::connection
