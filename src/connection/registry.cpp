#include "connection/registry.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <random>
#include <unordered_map>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "connection/claim_rate.h"
#include "connection/refusals.h"
#include "glib/main_executor.h"
#include "glib/timer.h"

namespace offhook::connection {
namespace {

using base::ErrorCode;
using log::Level;
using log::Mark;
using std::chrono::milliseconds;

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxAgentBytes = 256;
constexpr std::size_t kMaxDetailBytes = 256;

std::int64_t ns(milliseconds time) {
    return std::chrono::nanoseconds(time).count();
}

Facts escaped(const Facts& facts) {
    return {.kind = facts.kind,
            .user = base::escape_untrusted(facts.user, kMaxNameBytes),
            .channel = base::escape_untrusted(facts.channel, kMaxNameBytes),
            .address = base::escape_untrusted(facts.address, kMaxNameBytes),
            .forwarded_for = base::escape_untrusted(facts.forwarded_for, kMaxNameBytes),
            .user_agent = base::escape_untrusted(facts.user_agent, kMaxAgentBytes),
            .protocol = base::escape_untrusted(facts.protocol, kMaxNameBytes)};
}

/// A counter behind an odd factor: each of the 2^48 comes once before one comes again.
class IdMaker {
public:
    ConnectionId next() {
        constexpr std::uint64_t kFactor = 0x9e3779b97f4bULL;
        std::array<char, 16> text{};
        const auto bits = static_cast<unsigned long long>((++count_ * kFactor) & kMask);
        const int n = std::snprintf(text.data(), text.size(), "c-%012llx", bits);
        return {text.data(), static_cast<std::size_t>(n)};
    }

private:
    static constexpr std::uint64_t kMask = 0xFFFF'FFFF'FFFFULL;
    std::uint64_t count_ = [] {
        std::random_device device;
        return (std::uint64_t{device()} << 32U) | device();
    }();
};

using ClaimDone = std::function<void(base::Result<void>)>;

/// What is known of a connection while it lives.
struct Record {
    std::uint64_t number = 0;  ///< in the order they came
    Facts facts;               ///< escaped
    Socket* socket = nullptr;
    State state = State::Connecting;
    std::int64_t opened_ns = 0;  ///< CLOCK_REALTIME
    std::int64_t began_ns = 0;   ///< CLOCK_MONOTONIC
    std::optional<Place> place;
    std::uint64_t fence = 0;
    bool is_claiming = false;
    std::optional<EndReason> why;  ///< once it was told to end
    std::string why_detail;
    std::uint64_t drained_bytes = 0;  ///< what of its queue the kernel had taken
    std::int64_t drained_ns = 0;      ///< since when it is that; CLOCK_MONOTONIC
    glib::Timer closing;

    [[nodiscard]] bool is_ending() const { return why.has_value(); }
    [[nodiscard]] std::int64_t heard_ns(const Traffic& traffic) const {
        return traffic.last_heard_ns == 0 ? began_ns : traffic.last_heard_ns;
    }
};

}  // namespace

class Registry::Impl {
public:
    Impl(Settings settings, GMainContext* context, LeaseStore& leases)
        : settings_(settings),
          context_(glib::Ref<GMainContext>::share(context)),
          loop_(context),
          leases_(leases),
          rate_(settings.max_claims, ns(settings.claim_window)) {
        leases_.set_events({.on_wanted = [this](const Place& place,
                                                std::uint64_t fence) { on_wanted(place, fence); },
                            .on_lost = [this](const Place& place,
                                              std::uint64_t fence) { on_lost(place, fence); }});
        sweep_.every(context_.get(), settings_.sweep, [this] {
            rate_.tidy(base::monotonic_ns());
            cleanup({});
        });
        cleanup({});
    }

    ~Impl() { leases_.set_events({}); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    base::Result<ConnectionId> open(Facts facts, Socket& socket) {
        facts = escaped(facts);
        if (auto full = too_many(facts)) return tl::unexpected(std::move(*full));
        ConnectionId id = ids_.next();
        Record& record = records_[id];
        record.number = ++counters_.opened;
        record.facts = std::move(facts);
        record.socket = &socket;
        record.opened_ns = base::realtime_ns();
        record.began_ns = record.drained_ns = base::monotonic_ns();
        weigh(record, 1);
        tell(Level::Debug, "ws.opened", "a WebSocket is open", id, record, "");
        return id;
    }

    void learn(const ConnectionId& id, const Facts& facts) {
        const auto found = records_.find(id);
        if (found == records_.end()) return;
        Facts now = escaped(facts);
        Record& record = found->second;
        weigh(record, -1);
        for (const auto field : {&Facts::user,
                                 &Facts::channel,
                                 &Facts::address,
                                 &Facts::forwarded_for,
                                 &Facts::user_agent,
                                 &Facts::protocol}) {
            if (!(now.*field).empty()) record.facts.*field = std::move(now.*field);
        }
        weigh(record, 1);
    }

    void claim(const ConnectionId& id, const Place& place, ClaimDone done) {
        const auto found = records_.find(id);
        if (found == records_.end()) return;
        Record& record = found->second;
        if (record.is_ending()) return;  // it would take the place from one who stays
        if (record.place == place) return later(id, std::move(done), {});
        if (record.is_claiming) {
            return later(
                id,
                std::move(done),
                base::fail(ErrorCode::Conflict, "this connection asks for a place already"));
        }
        if (!rate_.take(place, base::monotonic_ns())) {
            const auto window =
                std::chrono::duration_cast<std::chrono::seconds>(settings_.claim_window);
            std::string why = "this place was asked for more than " +
                              std::to_string(settings_.max_claims) + " times in " +
                              std::to_string(window.count()) +
                              " s: two clients of one user fight for it; close one, and wait " +
                              std::to_string(window.count()) + " s";
            refusals_.add("claim-rate", base::escape_untrusted(place.user, kMaxNameBytes), why);
            return later(id, std::move(done), base::fail(ErrorCode::LimitReached, std::move(why)));
        }
        learn(id, {.user = place.user, .channel = place.channel});
        if (of_user(record.facts.user) > settings_.max_of_user) {
            std::string why = "this user has " + std::to_string(settings_.max_of_user) +
                              " connections already: close one";
            refusals_.add("user-limit", record.facts.user, why);
            return later(id, std::move(done), base::fail(ErrorCode::LimitReached, std::move(why)));
        }
        record.is_claiming = true;
        leases_.acquire(place,
                        [self = std::weak_ptr(self_), id, place, done = std::move(done)](
                            base::Result<std::uint64_t> fence) mutable {
                            if (const auto here = self.lock())
                                (*here)->on_acquired(id, place, std::move(fence), std::move(done));
                        });
    }

    void live(const ConnectionId& id) {
        const auto found = records_.find(id);
        if (found == records_.end() || found->second.is_ending()) return;
        found->second.state = State::Live;
    }

    void ended(const ConnectionId& id, EndReason why, const std::string& detail) {
        const auto found = records_.find(id);
        if (found == records_.end()) return;
        Entry last = entry(id, found->second);
        auto node = records_.extract(found);
        Record& record = node.mapped();
        weigh(record, -1);
        // Who told it to end knows why better than whoever saw it go.
        if (!record.is_ending()) {
            record.why = why;
            record.why_detail = base::escape_untrusted(detail, kMaxDetailBytes);
        }
        last.ended_ns = base::realtime_ns();
        last.end = *record.why;
        last.end_detail = record.why_detail;
        ++counters_.closed;
        ++closed_by_[static_cast<std::size_t>(last.end)];
        tell(Level::Info, "ws.closed", last.end_detail, id, record, name_of(last.end));
        history_.push_front(std::move(last));
        if (history_.size() > settings_.history) history_.pop_back();
        if (record.place) let_go_of(*record.place, id);
    }

    void refused(std::string_view why) {
        refusals_.add(why, {}, "a WebSocket was refused before it was open");
    }

    base::Result<void> remove(const ConnectionId& id, const std::string& who) {
        if (!records_.contains(id)) return base::fail(ErrorCode::NotFound, "it is not here");
        end(id, EndReason::Removed, "removed by " + base::escape_untrusted(who, kMaxNameBytes));
        return {};
    }

    Cleanup cleanup(const CleanupOrder& order) {
        const std::int64_t begin_ns = base::monotonic_ns();
        Cleanup done;
        done.at_ns = base::realtime_ns();
        done.trigger = order.trigger;
        for (auto& [id, record] : records_) {
            if (order.kind ? record.facts.kind != *order.kind : record.facts.kind == Kind::Ai)
                continue;
            const auto reason = to_reap(record, order, begin_ns);
            if (reason) done.removed.push_back({entry(id, record), *reason});
        }
        std::sort(done.removed.begin(), done.removed.end(), [](const auto& a, const auto& b) {
            return a.entry.opened_ns < b.entry.opened_ns;
        });
        const auto staying = std::count_if(records_.begin(), records_.end(), [](const auto& each) {
            return !each.second.is_ending();
        });
        done.kept = static_cast<std::size_t>(staying) - done.removed.size();
        if (!order.is_dry_run) {
            for (const Cleanup::Removed& each : done.removed) reap(each, order);
        }
        done.took_ms = static_cast<double>(base::monotonic_ns() - begin_ns) /
                       static_cast<double>(base::kNsPerMs);
        if (!order.is_dry_run) last_cleanup_ = done;
        return done;
    }

    void close() {
        is_closed_ = true;
        for (const ConnectionId& id : ids()) end(id, EndReason::Shutdown, "the daemon stops");
    }

    std::vector<Entry> connections() const {
        std::vector<std::pair<std::uint64_t, const ConnectionId*>> order;
        order.reserve(records_.size());
        for (const auto& [id, record] : records_) order.emplace_back(record.number, &id);
        std::sort(order.begin(), order.end());
        std::vector<Entry> all;
        all.reserve(order.size());
        for (const auto& [number, id] : order) all.push_back(entry(*id, records_.at(*id)));
        return all;
    }

    std::vector<Entry> history() const { return {history_.begin(), history_.end()}; }

    std::optional<Entry> find(const ConnectionId& id) const {
        if (const auto found = records_.find(id); found != records_.end())
            return entry(id, found->second);
        const auto past = std::find_if(
            history_.begin(), history_.end(), [&](const Entry& each) { return each.id == id; });
        return past == history_.end() ? std::nullopt : std::optional(*past);
    }

    Counters counters() const {
        const auto of = [this](EndReason reason) {
            return closed_by_[static_cast<std::size_t>(reason)];
        };
        Counters now = counters_;
        now.replaced = of(EndReason::Replaced);
        now.reaped_stale = of(EndReason::Stale);
        now.reaped_broken = of(EndReason::Broken);
        now.reaped_slow = of(EndReason::Slow);
        now.reaped_half_open = of(EndReason::HalfOpen);
        now.removed = of(EndReason::Removed);
        for (std::size_t i = 0; i < closed_by_.size(); ++i)
            now.closed_by_reason.emplace_back(name_of(static_cast<EndReason>(i)), closed_by_[i]);
        now.refused = refusals_.total();
        now.refused_by_reason = refusals_.by_reason();
        return now;
    }

    const Cleanup& last_cleanup() const { return last_cleanup_; }

    model::HealthCheck health() const {
        std::int64_t live = 0;
        std::int64_t stale = 0;
        std::int64_t broken = 0;
        const std::int64_t now_ns = base::monotonic_ns();
        for (const auto& [id, record] : records_) {
            if (record.state == State::Live) ++live;
            if (record.state == State::Broken) ++broken;
            if (record.facts.kind != Kind::Ai && !record.is_ending() &&
                now_ns - record.heard_ns(record.socket->traffic()) > ns(settings_.silence)) {
                ++stale;
            }
        }
        model::HealthCheck check;
        check.status = model::HealthCheck::Status::Ok;
        check.detail = std::to_string(live) + " live, " + std::to_string(stale) + " stale";
        if (broken > 0) {
            check.status = model::HealthCheck::Status::Degraded;
            check.detail += ", " + std::to_string(broken) + " do not close though told to";
        }
        if (bounded_ >= settings_.max_connections) {
            check.status = model::HealthCheck::Status::Degraded;
            check.detail +=
                "; that is the limit, and new ones are refused: close some "
                "(offhook connections), or find out who opens so many";
        }
        check.figures = {{"live", live}, {"stale", stale}};
        return check;
    }

private:
    /// Who has the grant of a place whose holder before is not gone yet.
    struct Waiting {
        ConnectionId id;
        std::uint64_t fence = 0;
        ClaimDone done;
    };
    struct Holder {
        ConnectionId id;
        std::uint64_t fence = 0;
        bool is_lost = false;  ///< the store keeps it no longer: nothing to release
        std::optional<Waiting> next;
    };

    /// Tells it from the loop, if the connection is there then.
    void later(const ConnectionId& id, ClaimDone done, base::Result<void> result) {
        loop_.post([self = std::weak_ptr(self_),
                    id,
                    done = std::move(done),
                    result = std::move(result)]() mutable {
            const auto here = self.lock();
            if (here && (*here)->records_.contains(id)) done(std::move(result));
        });
    }

    std::optional<base::Error> too_many(const Facts& facts) {
        if (is_closed_) return base::Error{ErrorCode::Unavailable, "the daemon stops", {}};
        if (facts.kind == Kind::Ai) return std::nullopt;
        if (bounded_ >= settings_.max_connections) {
            std::string why =
                "there are " + std::to_string(bounded_) + " connections, and no more are taken";
            refusals_.add("limit", facts.address, why);
            return base::Error{ErrorCode::LimitReached, std::move(why), {}};
        }
        if (facts.kind != Kind::Browser && of_user(facts.user) >= settings_.max_of_user) {
            std::string why = "this user has " + std::to_string(settings_.max_of_user) +
                              " connections already: close one";
            refusals_.add("user-limit", facts.user, why);
            return base::Error{ErrorCode::LimitReached, std::move(why), {}};
        }
        return std::nullopt;
    }

    std::size_t of_user(const std::string& user) const {
        const auto found = users_.find(user);
        return user.empty() || found == users_.end() ? 0 : found->second;
    }

    /// Keeps what the limits need. @param sign  1: it is there, -1: no longer
    void weigh(const Record& record, int sign) {
        if (record.facts.kind == Kind::Ai) return;
        const auto change = static_cast<std::size_t>(sign);  // wraps back
        bounded_ += change;
        if (record.facts.user.empty() || record.facts.kind == Kind::Browser) return;
        std::size_t& count = users_[record.facts.user];
        count += change;
        if (count == 0) users_.erase(record.facts.user);
    }

    void on_acquired(const ConnectionId& id,
                     const Place& place,
                     base::Result<std::uint64_t> fence,
                     ClaimDone done) {
        const auto found = records_.find(id);
        const bool is_wanted = found != records_.end() && !found->second.is_ending();
        if (found != records_.end()) found->second.is_claiming = false;
        if (!fence) {
            if (!is_wanted) return;
            const bool is_superseded = fence.error().code == ErrorCode::Conflict;
            refusals_.add(is_superseded ? "superseded" : "store",
                          found->second.facts.user,
                          fence.error().text());
            return done(tl::unexpected(std::move(fence.error())));
        }
        if (!is_wanted) return leases_.release(place, *fence);
        const auto holder = holders_.find(place);
        if (holder == holders_.end()) return grant(id, place, *fence, done);
        // The store took the place from one that is not gone yet.
        refuse_next(place, holder->second);
        found->second.is_claiming = true;
        holder->second.next = Waiting{id, *fence, std::move(done)};
    }

    void grant(const ConnectionId& id,
               const Place& place,
               std::uint64_t fence,
               const ClaimDone& done) {
        Record& record = records_.at(id);
        record.fence = fence;
        holders_[place] = {.id = id, .fence = fence, .is_lost = false, .next = {}};
        if (const auto before = std::exchange(record.place, place)) let_go_of(*before, id);
        done({});
    }

    /// The place is free as far as this connection goes.
    void let_go_of(const Place& place, const ConnectionId& id) {
        const auto found = holders_.find(place);
        if (found == holders_.end() || found->second.id != id) return;
        Holder holder = std::move(found->second);
        holders_.erase(found);
        if (!holder.is_lost) leases_.release(place, holder.fence);
        if (!holder.next) return;
        loop_.post([self = std::weak_ptr(self_), place, next = std::move(*holder.next)]() mutable {
            if (const auto here = self.lock())
                (*here)->on_acquired(next.id, place, next.fence, std::move(next.done));
        });
    }

    void refuse_next(const Place& place, Holder& holder) {
        if (!holder.next) return;
        Waiting next = std::move(*holder.next);
        holder.next.reset();
        leases_.release(place, next.fence);
        const auto found = records_.find(next.id);
        if (found == records_.end()) return;
        found->second.is_claiming = false;
        later(next.id,
              std::move(next.done),
              base::fail(ErrorCode::Conflict, "the same user came again for this place"));
    }

    void on_wanted(const Place& place, std::uint64_t fence) {
        const auto found = holders_.find(place);
        if (found == holders_.end()) return;  // whoever was granted it is gone, and gave it back
        Holder& holder = found->second;
        if (holder.next && holder.next->fence == fence) return refuse_next(place, holder);
        if (holder.fence == fence) end(holder.id, EndReason::Replaced, "the same user came again");
    }

    void on_lost(const Place& place, std::uint64_t fence) {
        const auto found = holders_.find(place);
        if (found == holders_.end()) return;
        Holder& holder = found->second;
        if (holder.next && holder.next->fence == fence) return refuse_next(place, holder);
        if (holder.fence != fence) return;
        holder.is_lost = true;
        end(holder.id, EndReason::Lost, "its place is no longer kept for it");
    }

    void end(const ConnectionId& id, EndReason why, std::string detail) {
        const auto found = records_.find(id);
        if (found == records_.end() || found->second.is_ending()) return;
        Record& record = found->second;
        record.why = why;
        record.why_detail = base::escape_untrusted(detail, kMaxDetailBytes);
        record.state = State::Closing;
        cut_later(id, record);
        if (why == EndReason::Replaced)
            tell(Level::Info, "ws.replaced", "the same user came again", id, record, "");
        record.socket->end(why, detail, false);  // the record may be gone behind this
    }

    void cut_later(const ConnectionId& id, Record& record) {
        record.closing.once(context_.get(), settings_.closing, [this, id] { cut(id); });
    }

    void cut(const ConnectionId id) {
        const auto found = records_.find(id);
        if (found == records_.end()) return;
        Record& record = found->second;
        if (record.state != State::Broken)
            tell(Level::Info, "ws.cut", "it did not close when told", id, record, "");
        record.state = State::Broken;
        cut_later(id, record);
        record.socket->end(*record.why, record.why_detail, true);
    }

    /// Why it should go now.
    std::optional<EndReason> to_reap(Record& record, const CleanupOrder& order, std::int64_t now) {
        if (record.is_ending()) return std::nullopt;
        const Traffic traffic = record.socket->traffic();
        const std::uint64_t drained = traffic.sent_bytes - traffic.queue_bytes;
        if (traffic.queue_bytes == 0 || drained != record.drained_bytes) record.drained_ns = now;
        record.drained_bytes = drained;
        // A bot's socket is watched by who opened it.
        if (record.facts.kind == Kind::Ai && !order.older_than) return std::nullopt;
        if (record.state == State::Connecting &&
            now - record.began_ns > ns(order.older_than.value_or(settings_.connecting))) {
            return EndReason::HalfOpen;
        }
        if (now - record.heard_ns(traffic) > ns(order.older_than.value_or(settings_.silence)))
            return EndReason::Stale;
        if (now - record.drained_ns > ns(settings_.stuck)) return EndReason::Slow;
        return std::nullopt;
    }

    void reap(const Cleanup::Removed& removed, const CleanupOrder& order) {
        const auto found = records_.find(removed.entry.id);
        if (found == records_.end()) return;  // another's end took it along
        const double silent_s = static_cast<double>(base::monotonic_ns() -
                                                    found->second.heard_ns(removed.entry.traffic)) /
                                static_cast<double>(base::kNsPerS);
        char detail[96];
        if (removed.reason == EndReason::HalfOpen) {
            std::snprintf(
                detail, sizeof detail, "it did not say what it wants for %.1f s", silent_s);
        } else if (removed.reason == EndReason::Slow) {
            std::snprintf(detail,
                          sizeof detail,
                          "it took nothing of %llu bytes that wait for it",
                          static_cast<unsigned long long>(removed.entry.traffic.queue_bytes));
        } else {
            std::snprintf(detail, sizeof detail, "nothing was heard of it for %.1f s", silent_s);
        }
        log::write(Level::Info,
                   Mark::System,
                   "ws.reaped",
                   {},
                   detail,
                   {{"conn_id", removed.entry.id},
                    {"kind", name_of(removed.entry.facts.kind)},
                    {"user", removed.entry.facts.user},
                    {"channel", removed.entry.facts.channel},
                    {"reason", name_of(removed.reason)},
                    {"trigger", order.trigger}});
        end(removed.entry.id, removed.reason, detail);
    }

    Entry entry(const ConnectionId& id, const Record& record) const {
        Entry now;
        now.id = id;
        now.facts = record.facts;
        now.state = record.state;
        now.opened_ns = record.opened_ns;
        now.age_ns = base::monotonic_ns() - record.began_ns;
        now.traffic = record.socket->traffic();
        now.fence = record.fence;
        return now;
    }

    std::vector<ConnectionId> ids() const {
        std::vector<ConnectionId> all;
        all.reserve(records_.size());
        for (const auto& [id, record] : records_) all.push_back(id);
        return all;
    }

    static void tell(Level level,
                     std::string_view event,
                     std::string_view text,
                     const ConnectionId& id,
                     const Record& record,
                     std::string_view reason) {
        log::write(level,
                   Mark::System,
                   event,
                   {},
                   text,
                   {{"conn_id", id},
                    {"kind", name_of(record.facts.kind)},
                    {"user", record.facts.user},
                    {"channel", record.facts.channel},
                    {"address", record.facts.address},
                    {"reason", reason}});
    }

    const Settings settings_;
    glib::Ref<GMainContext> context_;
    glib::MainExecutor loop_;
    LeaseStore& leases_;
    ClaimRate rate_;
    Refusals refusals_;
    IdMaker ids_;
    Counters counters_;
    std::array<std::uint64_t, static_cast<std::size_t>(EndReason::Shutdown) + 1> closed_by_{};
    std::unordered_map<ConnectionId, Record> records_;
    std::unordered_map<Place, Holder> holders_;
    std::unordered_map<std::string, std::size_t> users_;  ///< how many each has, but for bots'
    std::size_t bounded_ = 0;                             ///< how many there are, but for bots'
    std::deque<Entry> history_;                           ///< newest first
    Cleanup last_cleanup_;
    bool is_closed_ = false;
    glib::Timer sweep_;
    std::shared_ptr<Impl*> self_ = std::make_shared<Impl*>(this);  ///< for what is posted
};

Registry::Registry(Settings settings, GMainContext* context, LeaseStore& leases)
    : impl_(std::make_unique<Impl>(settings, context, leases)) {}

Registry::~Registry() = default;

base::Result<ConnectionId> Registry::open(Facts facts, Socket& socket) {
    return impl_->open(std::move(facts), socket);
}

void Registry::learn(const ConnectionId& id, const Facts& facts) {
    impl_->learn(id, facts);
}

void Registry::claim(const ConnectionId& id,
                     const Place& place,
                     std::function<void(base::Result<void>)> done) {
    impl_->claim(id, place, std::move(done));
}

void Registry::live(const ConnectionId& id) {
    impl_->live(id);
}

void Registry::ended(const ConnectionId& id, EndReason why, const std::string& detail) {
    impl_->ended(id, why, detail);
}

void Registry::refused(std::string_view why) {
    impl_->refused(why);
}

base::Result<void> Registry::remove(const ConnectionId& id, const std::string& who) {
    return impl_->remove(id, who);
}

Cleanup Registry::cleanup(const CleanupOrder& order) {
    return impl_->cleanup(order);
}

void Registry::close() {
    impl_->close();
}

std::vector<Entry> Registry::connections() const {
    return impl_->connections();
}

std::vector<Entry> Registry::history() const {
    return impl_->history();
}

std::optional<Entry> Registry::find(const ConnectionId& id) const {
    return impl_->find(id);
}

Registry::Counters Registry::counters() const {
    return impl_->counters();
}

const Cleanup& Registry::last_cleanup() const {
    return impl_->last_cleanup();
}

model::HealthCheck Registry::health() const {
    return impl_->health();
}

}  // namespace offhook::connection
