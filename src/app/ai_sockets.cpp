#include "app/ai_sockets.h"

#include <string_view>
#include <utility>

namespace offhook::app {
namespace {

using connection::EndReason;
using model::AiState;
using model::AiStats;

/// @param word  AiStats::last_loss; may be null
EndReason reason_of(const char* word) {
    const std::string_view why = word == nullptr ? "" : word;
    if (why == "closed-by-peer" || why == "finished" || why == "planned") return EndReason::Client;
    if (why == "silent" || why == "timeout") return EndReason::Stale;
    return why == "slow" ? EndReason::Slow : EndReason::Broken;
}

}  // namespace

class AiSockets::Entry final : public connection::Socket {
public:
    Entry(AiSockets& owner, model::CallId call, std::shared_ptr<const AiStats> stats)
        : owner_(owner), call_(std::move(call)), stats_(std::move(stats)) {}

    [[nodiscard]] connection::Traffic traffic() const override {
        const auto get = [](const auto& cell) { return cell.load(std::memory_order_relaxed); };
        connection::Traffic now;
        now.received_messages = get(stats_->link_received_messages);
        now.received_bytes = get(stats_->link_received_bytes);
        now.sent_messages = get(stats_->link_sent_messages);
        now.sent_bytes = get(stats_->link_sent_bytes);
        now.queue_bytes = get(stats_->link_queued_bytes);
        now.last_heard_ns = get(stats_->link_heard_ns);
        now.rtt_ms = get(stats_->round_trip_ms);
        return now;
    }

    void end(EndReason why, const std::string& detail, bool /*must_cut*/) override {
        // A daemon that stops ends the calls, and those their bots.
        if (why == EndReason::Shutdown) {
            const model::CallId call = call_;  // of an entry that goes
            return owner_.end(call, why, detail);
        }
        owner_.drop_(call_, stats_->connections.load(std::memory_order_relaxed));
    }

    connection::ConnectionId id;

private:
    AiSockets& owner_;
    const model::CallId call_;
    const std::shared_ptr<const AiStats> stats_;
};

AiSockets::AiSockets(connection::Registry& registry, Drop drop)
    : registry_(registry), drop_(std::move(drop)) {}

AiSockets::~AiSockets() {
    while (!entries_.empty())
        end(model::CallId(entries_.begin()->first), EndReason::Shutdown, "the daemon stops");
}

void AiSockets::on_state(const model::CallInfo& call, const std::shared_ptr<AiStats>& stats) {
    if (call.bot.state != AiState::Live) {
        if (call.bot.state == AiState::Ended) return end(call.id, EndReason::Left, call.bot.reason);
        const char* word = stats ? stats->last_loss.load(std::memory_order_relaxed) : nullptr;
        return end(call.id, reason_of(word), call.bot.reason);
    }
    if (!stats || entries_.contains(call.id)) return;
    auto entry = std::make_unique<Entry>(*this, call.id, stats);
    auto id = registry_.open({.kind = connection::Kind::Ai,
                              .user = call.ai,
                              .channel = call.id.text,
                              .address = call.bot.where,
                              .protocol = call.bot.protocol},
                             *entry);
    if (!id) return;  // the daemon stops
    entry->id = *id;
    entries_.emplace(call.id, std::move(entry));
    registry_.live(*id);
}

void AiSockets::on_left(const model::CallId& call) {
    end(call, EndReason::Left, "the call, or its part in it, is over");
}

void AiSockets::end(const model::CallId& call, EndReason why, const std::string& detail) {
    auto entry = entries_.extract(call);
    if (entry.empty()) return;
    registry_.ended(entry.mapped()->id, why, detail);
}

}  // namespace offhook::app
