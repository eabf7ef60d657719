#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "ai/ai_order.h"
#include "ai/call_ai.h"
#include "model/call_id.h"

namespace offhook::ai {

/// The AIs of one thread, without the thread: who is attached to which call, and what is done on a
/// visit.
/// @thread one
class AiSessions {
public:
    explicit AiSessions(AiCounters& counters) noexcept : counters_(counters) {}

    /// Starts the AI on the call; an older one of the same id goes.
    void attach(const AiOrder& order, std::int64_t now_ns);
    /// EndNews takes it off. Does nothing for an id that is not here.
    void tell(const model::CallId& id, const CallNews& news);

    /// Hands over what each caller said.
    void listen();
    /// `listen`, and the time.
    void visit(std::int64_t now_ns);
    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

private:
    struct Session {
        model::CallId id;
        std::shared_ptr<model::AudioPort> port;
        std::unique_ptr<CallAi> ai;  ///< refers to `port`, so it goes first
    };

    void detach(const model::CallId& id);
    void hear(Session& session);
    template <class Visit>
    void for_each(const Visit& visit);
    void remove(std::size_t index);

    AiCounters& counters_;
    std::vector<Session> sessions_;
    std::unordered_map<model::CallId, std::size_t> index_;
};

}  // namespace offhook::ai
