#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "ai/ai_events.h"
#include "ai/ai_order.h"
#include "ai/bot_door.h"
#include "ai/call_ai.h"
#include "ai/farewells.h"
#include "ai/latency.h"
#include "model/call_id.h"
#include "socket/event_loop.h"

namespace offhook::ai {

/// The AIs of one thread, without the thread: who is attached to which call, and what is done on a
/// visit.
/// @thread one
class AiSessions {
public:
    /// A visit comes every so many ticks of a millisecond.
    static constexpr int kTicksPerVisit = 10;

    struct Parts {
        socket::EventLoop* loop = nullptr;
        BotDoor* door = nullptr;     ///< may be null
        AiEvents* events = nullptr;  ///< may be null
        AiCounters* counters = nullptr;
        Latencies* latencies = nullptr;
    };
    explicit AiSessions(Parts parts) noexcept : parts_(parts) {}

    /// Starts the AI on the call; an older one of the same id goes, and what the caller said last is
    /// told to the new one.
    void attach(const AiOrder& order, std::int64_t now_ns);
    /// EndNews takes it off. Does nothing for an id that is not here.
    void tell(const model::CallId& id, const CallNews& news);

    /// Hands over what callers said since the last time. Costs a load for each who said nothing.
    void listen();
    /// What `listen` gave to sockets has gone to the kernel. @param now_ns CLOCK_MONOTONIC
    void sent(std::int64_t now_ns);
    /// The same, and visits them, while all of them is in the cache; `visit` leaves them out twice.
    void sent_and_visit(std::int64_t now_ns);
    /// The time, for a tenth of the sessions. @param slot 0 to 9
    void visit(std::size_t slot, std::int64_t now_ns);
    void visit_all(std::int64_t now_ns);
    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }
    /// All go; their links say farewell.
    void clear();
    /// Links that are about to close.
    [[nodiscard]] std::size_t leaving() const noexcept { return farewells_.size(); }

private:
    struct Session {
        model::CallId id;
        std::shared_ptr<model::AudioPort> port;
        std::unique_ptr<CallAi> ai;  ///< refers to `port`, so it goes first
        bool is_bot;                 ///< behind a socket
    };
    /// What `listen` looks at for each session, apart from it: a thousand of these stay in the
    /// cache.
    struct Ear {
        const model::TapRing* tap;
        std::uint64_t heard_samples;
        int skipped_visits = 0;  ///< still to skip, as it was visited behind its sound
    };

    [[nodiscard]] std::unique_ptr<CallAi> make(const AiOrder& order,
                                               LastWords before,
                                               std::int64_t now_ns);
    void detach(const model::CallId& id);
    void hear(Session& session);
    template <class Do>
    bool attempt(std::size_t index, const Do& act);
    void remove(std::size_t index);

    const Parts parts_;
    Farewells farewells_;
    std::vector<Session> sessions_;
    std::vector<Ear> ears_;           ///< same order
    std::vector<std::size_t> heard_;  ///< by `listen`, in this round
    std::unordered_map<model::CallId, std::size_t> index_;
};

}  // namespace offhook::ai
