#include "call/admission.h"

#include <array>
#include <cstdio>

namespace offhook::call {
namespace {

constexpr std::int64_t kPatienceNs = 3'000'000'000;

std::string breach_of(const model::WorkerStats& worker, const config::Admission& limits) {
    std::array<char, 160> text{};
    if (worker.tick_p99_ms > limits.tick_p99_ms) {
        std::snprintf(text.data(),
                      text.size(),
                      "media worker %d is late: tick p99 %.1f ms, limit %.1f ms",
                      worker.index,
                      worker.tick_p99_ms,
                      limits.tick_p99_ms);
    } else if (worker.cpu_share > limits.cpu_share) {
        std::snprintf(text.data(),
                      text.size(),
                      "media worker %d uses %.0f %% of a core, limit %.0f %%",
                      worker.index,
                      worker.cpu_share * 100,
                      limits.cpu_share * 100);
    }
    return text.data();
}

}  // namespace

void Admission::observe(const std::vector<model::WorkerStats>& workers, std::int64_t now_ns) {
    std::string breach;
    for (const model::WorkerStats& worker : workers) {
        if (breach.empty()) breach = breach_of(worker, limits_);
    }
    if (breach.empty()) {
        breach_since_ns_.reset();
        overload_.clear();
        return;
    }
    if (!breach_since_ns_) breach_since_ns_ = now_ns;
    if (now_ns - *breach_since_ns_ >= kPatienceNs) overload_ = breach;
}

std::optional<std::string> Admission::refuse(std::uint64_t active_calls) const {
    if (draining_) return "draining: this daemon is about to stop";
    if (active_calls >= static_cast<std::uint64_t>(limits_.max_calls)) {
        return "at the limit of " + std::to_string(limits_.max_calls) +
               " calls ([admission] max_calls)";
    }
    if (!overload_.empty()) return overload_;
    return std::nullopt;
}

}  // namespace offhook::call
