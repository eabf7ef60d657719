#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/monotonic.h"
#include "connection/redis_leases.h"
#include "glib/main_executor.h"
#include "harness/redis.h"

/// What the tests of leases share: a loop, and daemons that hold places as the registry does.
namespace offhook::connection {

using harness::milliseconds;
using harness::seconds;

/// A context that the test itself turns.
class Loop {
public:
    Loop() : context_(glib::Ref<GMainContext>::adopt(g_main_context_new())) {
        g_main_context_push_thread_default(get());
    }
    ~Loop() { g_main_context_pop_thread_default(get()); }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    [[nodiscard]] GMainContext* get() const { return context_.get(); }
    bool until(milliseconds limit, const std::function<bool()>& is_so) {
        const std::int64_t end_ns = base::monotonic_ns() + limit.count() * base::kNsPerMs;
        glib::Timer wake;
        wake.every(get(), milliseconds(2), [] {});
        while (!is_so()) {
            if (base::monotonic_ns() >= end_ns) return false;
            g_main_context_iteration(get(), TRUE);
        }
        return true;
    }
    /// Time itself is the subject.
    void pass(milliseconds length) {
        until(length, [] { return false; });
    }
    void turn() {
        while (g_main_context_iteration(get(), FALSE)) {
        }
    }

private:
    glib::Ref<GMainContext> context_;
};

/// Who holds what, over all daemons of a test: at most one a place, at any time.
struct World {
    std::map<std::string, std::set<std::uint64_t>> holders{};  ///< place -> fences
    std::map<std::string, std::uint64_t> newest{};             ///< place -> fence
    std::size_t most = 0;                                      ///< holders of one place at one time
    bool has_risen = true;  ///< each fence of a place was above all before
};

/// Whoever asks for places in one daemon, and gives them back when somebody else wants them, a turn
/// of the loop later.
class Holder {
public:
    Holder(World& world, Loop& loop, RedisLeases::Settings settings)
        : world_(world),
          loop_(loop.get()),
          leases_(std::make_unique<RedisLeases>(std::move(settings), loop.get())) {
        leases_->set_events({.on_wanted =
                                 [this](const Place& place, std::uint64_t fence) {
                                     ++wanted;
                                     if (!is_polite) return;
                                     loop_.post([this, place, fence] { let_go(place, fence); });
                                 },
                             .on_lost =
                                 [this](const Place& place, std::uint64_t fence) {
                                     ++lost;
                                     world_.holders[place.channel].erase(fence);
                                     held.erase(fence);
                                 }});
    }

    void ask(const Place& place) {
        ++asked;
        leases_->acquire(place, [this, place](base::Result<std::uint64_t> fence) {
            ++answered;
            if (!fence) {
                ++refused[fence.error().code];
                last_error = fence.error().text();
                return;
            }
            auto& holders = world_.holders[place.channel];
            holders.insert(*fence);
            world_.most = std::max(world_.most, holders.size());
            auto& newest = world_.newest[place.channel];
            if (*fence <= newest) world_.has_risen = false;
            newest = *fence;
            held.emplace(*fence, place);
        });
    }
    void let_go(Place place, std::uint64_t fence) {
        if (held.erase(fence) == 0) return;
        world_.holders[place.channel].erase(fence);
        leases_->release(place, fence);
    }
    void let_go_all() {
        while (!held.empty()) let_go(held.begin()->second, held.begin()->first);
    }
    /// As a daemon that is killed: nothing is given back.
    void die() { leases_.reset(); }
    [[nodiscard]] model::HealthCheck health() const { return leases_->health(); }
    [[nodiscard]] bool is_ok() const { return health().status == model::HealthCheck::Status::Ok; }

    std::map<std::uint64_t, Place> held;
    std::map<base::ErrorCode, int> refused;
    std::string last_error;
    int asked = 0, answered = 0, wanted = 0, lost = 0;
    bool is_polite = true;

private:
    World& world_;
    glib::MainExecutor loop_;
    std::unique_ptr<RedisLeases> leases_;
};

}  // namespace offhook::connection
