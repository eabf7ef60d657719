#pragma once

#include <cstdint>
#include <random>

namespace offhook::signalling::sip {

/// When to try again: after 0.25 s, doubling to 2 s for the first ten minutes of an outage, then
/// doubling to 30 s. Counted from the beginning of the try that failed, so that a slow failure does
/// not make the tries rarer; each delay is shortened by up to a quarter at random, so that a
/// thousand phones do not come back together.
class RetrySchedule {
public:
    explicit RetrySchedule(std::uint64_t seed) : random_(seed) {}

    /// @param began_ns   when the try that failed began (what was lost was no try: give `now_ns`)
    /// @return when the next one begins, CLOCK_MONOTONIC; at least `kMinPauseNs` after `now_ns`
    [[nodiscard]] std::int64_t next(std::int64_t now_ns, std::int64_t began_ns);
    /// The outage is over.
    void reset() {
        failures_ = 0;
        first_failure_ns_ = 0;
    }
    /// Tries that failed in this outage.
    [[nodiscard]] int failures() const { return failures_; }

    /// Uniform in [from, to).
    [[nodiscard]] std::int64_t between(std::int64_t from, std::int64_t to);

    static constexpr std::int64_t kFirstNs = 250'000'000;
    static constexpr std::int64_t kQuickNs = 2'000'000'000;
    static constexpr std::int64_t kSlowNs = 30'000'000'000;
    static constexpr std::int64_t kQuickForNs = 600'000'000'000;
    static constexpr std::int64_t kMinPauseNs = 150'000'000;

private:
    std::mt19937_64 random_;
    int failures_ = 0;
    std::int64_t first_failure_ns_ = 0;
    std::int64_t delay_ns_ = 0;
};

/// Hands out moments for REGISTERs and new flows of all accounts of a process, evenly spaced: a
/// registrar that comes back, or our own start, is not met by a thousand at once.
class RegisterPacer {
public:
    /// 400 a second: a thousand accounts are through after 2.5 s.
    static constexpr std::int64_t kSpacingNs = 2'500'000;

    /// The next free moment, `now_ns` or later; it is taken.
    [[nodiscard]] std::int64_t take(std::int64_t now_ns) {
        const std::int64_t slot = free_ns_ > now_ns ? free_ns_ : now_ns;
        free_ns_ = slot + kSpacingNs;
        return slot;
    }

private:
    std::int64_t free_ns_ = 0;
};

}  // namespace offhook::signalling::sip
