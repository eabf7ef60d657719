#include "ai/ai_sessions.h"

#include <array>
#include <exception>
#include <utility>

#include "base/log.h"
#include "model/codec.h"

namespace offhook::ai {

void AiSessions::attach(const AiOrder& order, std::int64_t now_ns) {
    const model::CallId& id = order.call.id;
    detach(id);
    Session session{id, order.port, nullptr};
    session.ai = make_ai(order.settings->ai, *session.port, counters_);
    session.ai->on_tick(now_ns);
    sessions_.push_back(std::move(session));
    index_.emplace(id, sessions_.size() - 1);
    counters_.sessions.store(sessions_.size(), std::memory_order_relaxed);
}

void AiSessions::tell(const model::CallId& id, const CallNews& news) {
    const auto found = index_.find(id);
    if (found == index_.end()) return;
    sessions_[found->second].ai->on_news(news);
    if (std::holds_alternative<EndNews>(news)) detach(id);
}

void AiSessions::detach(const model::CallId& id) {
    if (const auto found = index_.find(id); found != index_.end()) remove(found->second);
}

void AiSessions::listen() {
    for_each([this](Session& session) { hear(session); });
}

void AiSessions::visit(std::int64_t now_ns) {
    for_each([this, now_ns](Session& session) {
        hear(session);
        session.ai->on_tick(now_ns);
    });
}

void AiSessions::hear(Session& session) {
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    for (;;) {
        const std::size_t n = session.port->tap.read(pcm);
        if (n == 0) return;
        session.ai->on_caller_audio(std::span(pcm).first(n));
        AiCounters::add(counters_.caller_samples, n);
        if (n < pcm.size()) return;
    }
}

// One AI that fails is taken off its call, which then lives on filler; the others do not notice.
template <class Visit>
void AiSessions::for_each(const Visit& visit) {
    for (std::size_t i = 0; i < sessions_.size();) {
        try {
            visit(sessions_[i]);
            ++i;
        } catch (const std::exception& error) {
            log::write(log::Level::Error,
                       log::Mark::Error,
                       "ai.failed",
                       sessions_[i].id.text,
                       "the AI is taken off the call",
                       {{"cause", error.what()}});
            AiCounters::add(counters_.failed_sessions, 1);
            remove(i);
        }
    }
}

void AiSessions::remove(std::size_t index) {
    index_.erase(sessions_[index].id);
    if (index + 1 != sessions_.size()) {
        sessions_[index] = std::move(sessions_.back());
        index_[sessions_[index].id] = index;
    }
    sessions_.pop_back();
    counters_.sessions.store(sessions_.size(), std::memory_order_relaxed);
}

}  // namespace offhook::ai
