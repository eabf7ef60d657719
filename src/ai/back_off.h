#pragma once

#include <cstdint>
#include <optional>
#include <random>

namespace offhook::ai {

/// When a bot that went away is called again: after a random part of 0.25 s, 0.5 s, 1 s ... 10 s,
/// so that a thousand calls do not come back to it at once, and at least 0.1 s. It ends when the
/// route's limit has passed since the first of the losses that follow each other.
class BackOff {
public:
    static constexpr std::int64_t kFirstNs = 250'000'000;
    static constexpr std::int64_t kLongestNs = 10'000'000'000;
    static constexpr std::int64_t kLeastNs = 100'000'000;
    /// A connection that stood so long has ended the misery before it.
    static constexpr std::int64_t kStoodNs = 10'000'000'000;

    BackOff(std::int64_t limit_ns, std::uint64_t seed);

    /// The bot is not there as of now: the call's begin, or a connection that was up went.
    /// @param stood_ns  how long it was
    void lost(std::int64_t now_ns, std::int64_t stood_ns);
    /// When to try (again); the last time is at the limit itself. @return nothing: give up
    [[nodiscard]] std::optional<std::int64_t> next(std::int64_t now_ns);

private:
    const std::int64_t limit_ns_;
    std::minstd_rand random_;
    std::optional<std::int64_t> since_ns_;
    std::int64_t ceiling_ns_ = kFirstNs;
};

}  // namespace offhook::ai
