#include "ai/ai_sessions.h"

#include <array>
#include <exception>
#include <utility>

#include "ai/bot_session.h"
#include "base/log.h"
#include "model/codec.h"

namespace offhook::ai {
namespace {

/// Until the next packet of the caller is due.
constexpr int kSkippedVisits = 2;

bool is_built_in(config::AiProtocol protocol) noexcept {
    switch (protocol) {
        case config::AiProtocol::Echo:
        case config::AiProtocol::Mute:
        case config::AiProtocol::Burst:
        case config::AiProtocol::Tone:
            return true;
        default:
            return false;
    }
}

}  // namespace

void AiSessions::attach(const AiOrder& order, std::int64_t now_ns) {
    const model::CallId& id = order.call.id;
    LastWords before;
    if (const auto found = index_.find(id); found != index_.end()) {
        before = sessions_[found->second].ai->last_words();
    }
    detach(id);
    const bool is_bot = !is_built_in(order.settings->ai.protocol);
    Session session{id, order.port, make(order, std::move(before), now_ns), is_bot};
    session.ai->on_tick(now_ns);
    ears_.push_back({&session.port->tap, 0, 0});
    sessions_.push_back(std::move(session));
    index_.emplace(id, sessions_.size() - 1);
    parts_.counters->sessions.store(sessions_.size(), std::memory_order_relaxed);
}

std::unique_ptr<CallAi> AiSessions::make(const AiOrder& order,
                                         LastWords before,
                                         std::int64_t now_ns) {
    auto stats = order.stats ? order.stats : std::make_shared<model::AiStats>();
    if (is_built_in(order.settings->ai.protocol)) {
        stats->state.store(model::AiState::BuiltIn, std::memory_order_relaxed);
        return make_ai(order.settings->ai, *order.port, *parts_.counters);
    }
    BotSession::Parts parts;
    parts.loop = parts_.loop;
    parts.door = parts_.door;
    parts.farewells = &farewells_;
    parts.events = parts_.events;
    parts.latencies = parts_.latencies;
    parts.settings = order.settings;
    parts.call = order.call;
    parts.port = order.port;
    parts.stats = std::move(stats);
    parts.before = std::move(before);
    parts.now_ns = now_ns;
    return std::make_unique<BotSession>(std::move(parts));
}

void AiSessions::tell(const model::CallId& id, const CallNews& news) {
    const auto found = index_.find(id);
    if (found == index_.end()) return;
    const bool is_here = attempt(found->second, [&news](Session& it) { it.ai->on_news(news); });
    if (is_here && std::holds_alternative<EndNews>(news)) detach(id);
}

void AiSessions::detach(const model::CallId& id) {
    if (const auto found = index_.find(id); found != index_.end()) remove(found->second);
}

void AiSessions::clear() {
    while (!sessions_.empty()) remove(sessions_.size() - 1);
}

void AiSessions::listen() {
    for (std::size_t i = 0; i < ears_.size();) {
        const std::uint64_t written = ears_[i].tap->written_samples();
        if (written == ears_[i].heard_samples) {
            ++i;
            continue;
        }
        ears_[i].heard_samples = written;
        if (!attempt(i, [this](Session& it) { hear(it); })) continue;
        if (sessions_[i].is_bot) heard_.push_back(i);
        ++i;
    }
}

// Who moved in the order meanwhile has its frame measured another time.
void AiSessions::sent(std::int64_t now_ns) {
    for (const std::size_t i : heard_) {
        if (i < sessions_.size()) sessions_[i].ai->on_sent(now_ns);
    }
    heard_.clear();
}

void AiSessions::sent_and_visit(std::int64_t now_ns) {
    for (const std::size_t i : heard_) {
        if (i >= sessions_.size()) continue;
        const bool is_here = attempt(i, [now_ns](Session& it) {
            it.ai->on_sent(now_ns);
            it.ai->on_tick(now_ns);
        });
        if (is_here) ears_[i].skipped_visits = kSkippedVisits;
    }
    heard_.clear();
}

// Who takes the place of one that went is visited once more or once less.
void AiSessions::visit(std::size_t slot, std::int64_t now_ns) {
    for (std::size_t i = slot; i < sessions_.size();) {
        if (ears_[i].skipped_visits > 0) {
            --ears_[i].skipped_visits;
            i += kTicksPerVisit;
            continue;
        }
        if (attempt(i, [now_ns](Session& it) { it.ai->on_tick(now_ns); })) i += kTicksPerVisit;
    }
}

void AiSessions::visit_all(std::int64_t now_ns) {
    for (std::size_t slot = 0; slot < kTicksPerVisit; ++slot) visit(slot, now_ns);
}

void AiSessions::hear(Session& session) {
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    session.port->heard_ns.store(session.port->tapped_ns.load(std::memory_order_relaxed),
                                 std::memory_order_relaxed);
    for (;;) {
        const std::size_t n = session.port->tap.read(pcm);
        if (n == 0) return;
        session.ai->on_caller_audio(std::span(pcm).first(n));
        AiCounters::add(parts_.counters->caller_samples, n);
        if (n < pcm.size()) return;
    }
}

/// One AI that fails is taken off its call, which then lives on filler; the others do not notice.
/// @return false: it was, another one has its place
template <class Do>
bool AiSessions::attempt(std::size_t index, const Do& act) {
    try {
        act(sessions_[index]);
        return true;
    } catch (const std::exception& error) {
        log::write(log::Level::Error,
                   log::Mark::Error,
                   "ai.failed",
                   sessions_[index].id.text,
                   "the AI is taken off the call",
                   {{"cause", error.what()}});
        AiCounters::add(parts_.counters->failed_sessions, 1);
        remove(index);
        return false;
    }
}

void AiSessions::remove(std::size_t index) {
    index_.erase(sessions_[index].id);
    if (index + 1 != sessions_.size()) {
        sessions_[index] = std::move(sessions_.back());
        ears_[index] = ears_.back();
        index_[sessions_[index].id] = index;
    }
    sessions_.pop_back();
    ears_.pop_back();
    parts_.counters->sessions.store(sessions_.size(), std::memory_order_relaxed);
}

}  // namespace offhook::ai
