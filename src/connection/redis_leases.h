#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "connection/lease_store.h"
#include "connection/redis_link.h"

namespace offhook::connection {

/// The places of all daemons that share a Redis, as leases with a deadline, renewed at a third of it.
/// A daemon that died loses its places when their leases run out.
///
/// Daemons tell each other by publishing; a lost message costs at most a third of a lease. While
/// Redis is away (not connected, or silent for longer than `link.answer_timeout`):
///
/// - `Admit`: places are given by what this daemon alone knows, as in memory. Once Redis is back,
///   whose grant is newest keeps a place, the others' `on_lost` is called.
/// - `Refuse`: nobody gets a place, and who has one loses it when its lease has run out: there are
///   never two holders of a place.
///
/// Needs one Redis (or one master with a proxy), 5 or later; not the sharded Redis Cluster, whose
/// nodes have no common place for the three keys that a step touches.
/// @thread control
class RedisLeases final : public LeaseStore {
public:
    enum class WhenAway : std::uint8_t { Admit, Refuse };
    struct Settings {
        RedisLink::Settings link;
        std::string prefix = "offhook:";
        std::chrono::milliseconds lease{10'000};
        WhenAway when_away = WhenAway::Admit;
    };
    /// Begins to connect. Who asks before it is known whether Redis is there waits for that.
    /// @param context  the thread's default
    RedisLeases(Settings settings, GMainContext* context);
    ~RedisLeases() override;
    RedisLeases(const RedisLeases&) = delete;
    RedisLeases& operator=(const RedisLeases&) = delete;

    void set_events(Events events) override;
    void acquire(const Place& place, Done done) override;
    void release(const Place& place, std::uint64_t fence) override;
    [[nodiscard]] model::HealthCheck health() const override;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::connection
