#include "call/call_table.h"

#include <algorithm>
#include <utility>

#include "base/monotonic.h"

namespace offhook::call {

using model::CallId;
using model::CallInfo;

namespace {

constexpr std::size_t kHistory = 1000;

}  // namespace

Call& CallTable::add(std::unique_ptr<Call> call) {
    const CallId id = call->id;
    return *live_.emplace(id, std::move(call)).first->second;
}

std::unique_ptr<Call> CallTable::take(const CallId& id) {
    auto node = live_.extract(id);
    return node ? std::move(node.mapped()) : nullptr;
}

Call* CallTable::get(const CallId& id) const {
    const auto it = live_.find(id);
    return it == live_.end() ? nullptr : it->second.get();
}

void CallTable::remember(CallInfo info) {
    ++ended_[info.end->reason];
    history_.push_back(std::move(info));
    if (history_.size() > kHistory) history_.pop_front();
}

std::vector<CallId> CallTable::ids() const {
    std::vector<CallId> ids;
    for (const auto& [id, call] : live_) ids.push_back(id);
    return ids;
}

CallInfo CallTable::info_of(const Call& call) {
    CallInfo info = call.info;
    info.is_sound_expected = call.is_sound_expected();
    if (call.is_agreed) info.stats = call.leg->stats(call.answered_ns, base::monotonic_ns());
    if (call.record) {
        info.quality = call.record->quality(info.stats);
        info.quality.gap_alarms = info.stats.long_gaps;
    }
    if (call.bot.stats) {
        info.bot.figures = model::figures_of(*call.bot.stats, base::monotonic_ns());
        // Newer than what was told; of a built-in one there is no more to know.
        const auto state = call.bot.stats->state.load(std::memory_order_relaxed);
        if (state != model::AiState::None && state != model::AiState::BuiltIn) {
            info.bot.state = state;
        }
    }
    return info;
}

std::vector<CallInfo> CallTable::calls(bool ended) const {
    std::vector<CallInfo> all;
    for (const auto& [id, call] : live_) all.push_back(info_of(*call));
    if (ended) all.insert(all.end(), history_.begin(), history_.end());
    std::stable_sort(all.begin(), all.end(), [](const CallInfo& a, const CallInfo& b) {
        return a.created_ns < b.created_ns;
    });
    return all;
}

std::optional<CallInfo> CallTable::find(const CallId& id) const {
    if (const Call* call = get(id)) return info_of(*call);
    const auto it = std::find_if(
        history_.rbegin(), history_.rend(), [&](const CallInfo& info) { return info.id == id; });
    return it == history_.rend() ? std::nullopt : std::optional(*it);
}

model::CallDirectory::Totals CallTable::totals() const {
    constexpr double kAliveMs = 60;
    model::CallDirectory::Totals totals;
    totals.started = started_;
    totals.answered = answered_;
    totals.active = live_.size();
    for (const auto& [id, call] : live_) {
        if (call->media_started_ns == 0) continue;
        const auto stats = call->leg->stats(call->answered_ns, base::monotonic_ns());
        const bool sends = stats.since_last_sent_ms >= 0 && stats.since_last_sent_ms < kAliveMs;
        if (sends || call->is_held()) ++totals.alive;
    }
    totals.ended.assign(ended_.begin(), ended_.end());
    return totals;
}

}  // namespace offhook::call
