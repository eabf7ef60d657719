#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "connection/connection.h"
#include "connection/lease_store.h"
#include "glib/ref.h"
#include "model/call_directory.h"

namespace offhook::connection {

/// "c-0123456789ab", unique in the process, never used again.
using ConnectionId = std::string;

/// One connection, live or of the history.
struct Entry {
    ConnectionId id;
    Facts facts;  ///< escaped
    State state = State::Connecting;
    std::int64_t opened_ns = 0;  ///< CLOCK_REALTIME
    std::int64_t age_ns = 0;
    Traffic traffic;  ///< as it was at the end, of one that ended
    std::uint64_t fence = 0;
    std::int64_t ended_ns = 0;  ///< CLOCK_REALTIME; 0: it lives
    EndReason end = EndReason::Client;
    std::string end_detail;
};

struct CleanupOrder {
    std::optional<std::chrono::milliseconds>
        older_than{};  ///< silent for longer; empty: as the kind's own deadline
    std::optional<Kind> kind{};
    bool is_dry_run = false;
    std::string trigger = "timer";  ///< or "api"
};
struct Cleanup {
    std::int64_t at_ns = 0;  ///< CLOCK_REALTIME
    std::string trigger;
    std::size_t kept = 0;
    double took_ms = 0;
    struct Removed {
        Entry entry;
        EndReason reason;
    };
    std::vector<Removed> removed;
};

/// Every WebSocket of the process: who it is, how it fares, and that nothing piles up.
///
///     owner --open--> connecting --claim--> granted --live--> live --ended--> history (1,000)
///
/// One live connection for each place (user and channel): `claim` asks the LeaseStore, by whose wish
/// the one before is ended as `replaced` and gone before the new one is granted. A user who claims
/// the same place more than `max_claims` times in `claim_window` is refused (LimitReached) until it
/// was quiet.
///
/// A timer ends those that are stale (nothing heard for longer than `silence`), half-open
/// (connecting for longer than `connecting`), slow (a queue of which nothing was taken for `stuck`),
/// or do not close when told. Bots' sockets have rules of their own: the timer leaves them, limits
/// do not count them.
/// @thread control
class Registry {
public:
    struct Settings {
        std::chrono::milliseconds sweep{1'000};
        std::chrono::milliseconds silence{30'000};
        std::chrono::milliseconds connecting{10'000};
        std::chrono::milliseconds closing{1'000};
        std::size_t max_connections = 4'096;
        std::size_t max_of_user =
            20;                      ///< one user's channels and monitors; calls have other limits
        std::size_t max_claims = 5;  ///< of one place
        std::chrono::milliseconds claim_window{10'000};
        std::size_t history = 1'000;
        std::chrono::milliseconds stuck{10'000};  ///< nothing of a queue was taken: slow
    };
    /// @param context  whose timers; @param leases outlives this
    Registry(Settings settings, GMainContext* context, LeaseStore& leases);
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// A connection is open. `socket` lives until `ended`. @errors LimitReached: too many; count as
    /// refused
    base::Result<ConnectionId> open(Facts facts, Socket& socket);
    /// What was found out since: fields that are not empty. The kind stays.
    void learn(const ConnectionId& id, const Facts& facts);
    /// Asks for the place of `user` in `channel`; the place it had before is given back once this
    /// is granted. Ends in one `done`, from the loop, unless the connection ends before.
    /// @errors Conflict: the same user came again meanwhile; LimitReached: too often, or too many
    /// of this user; Unavailable: the store is away
    void claim(const ConnectionId& id,
               const Place& place,
               std::function<void(base::Result<void>)> done);
    void live(const ConnectionId& id);
    /// It is gone. Nothing for an unknown one.
    void ended(const ConnectionId& id, EndReason why, const std::string& detail);
    /// Somebody was refused before there was a connection. @param why word of a fixed set
    void refused(std::string_view why);

    /// By the API. @param who  "the API" ...  @errors NotFound
    base::Result<void> remove(const ConnectionId& id, const std::string& who);
    Cleanup cleanup(const CleanupOrder& order);
    /// All are told that the daemon goes; nobody is let in any more.
    void close();

    [[nodiscard]] std::vector<Entry> connections() const;  ///< oldest first
    [[nodiscard]] std::vector<Entry> history() const;      ///< newest first
    [[nodiscard]] std::optional<Entry> find(const ConnectionId& id) const;
    struct Counters {
        std::uint64_t opened = 0, closed = 0, replaced = 0, reaped_stale = 0, reaped_broken = 0,
                      reaped_slow = 0, reaped_half_open = 0, removed = 0, refused = 0;
        /// Every reason, also those that never came.
        std::vector<std::pair<std::string, std::uint64_t>> closed_by_reason;
        std::vector<std::pair<std::string, std::uint64_t>> refused_by_reason;
    };
    [[nodiscard]] Counters counters() const;
    /// Not a dry run. The first is when the registry is made.
    [[nodiscard]] const Cleanup& last_cleanup() const;
    [[nodiscard]] model::HealthCheck health() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::connection
