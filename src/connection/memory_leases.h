#pragma once

#include <memory>
#include <unordered_map>

#include "connection/lease_store.h"
#include "glib/main_executor.h"
#include "glib/ref.h"

namespace offhook::connection {

/// The places of this process alone. They end with it, and no other daemon knows of them.
/// @thread control
class MemoryLeases final : public LeaseStore {
public:
    /// @param context  whose loop tells
    explicit MemoryLeases(GMainContext* context);
    ~MemoryLeases() override;

    void set_events(Events events) override;
    void acquire(const Place& place, Done done) override;
    void release(const Place& place, std::uint64_t fence) override;
    [[nodiscard]] model::HealthCheck health() const override;

private:
    struct Seat {
        std::uint64_t fence = 0;  ///< of the holder; 0: none
        Done waiting;
        bool is_told = false;  ///< the holder, that somebody waits
        bool is_due = false;   ///< `settle` is on its way
    };
    void settle_later(const Place& place);
    void settle(const Place& place);

    glib::MainExecutor loop_;
    Events events_;
    std::unordered_map<Place, Seat> seats_;
    std::uint64_t last_fence_ = 0;
    std::shared_ptr<MemoryLeases*> self_;  ///< what is posted looks whether this is still here
};

}  // namespace offhook::connection
