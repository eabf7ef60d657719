#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace offhook::ai {

/// Bucket bounds in seconds, upper and inclusive; one more bucket is for what is above the last.
/// Steps of the path inside this machine.
inline constexpr std::array<double, 12> kPathBoundsS{
    0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.04, 0.1, 0.5};
/// A turn and its parts: network and thinking.
inline constexpr std::array<double, 12> kTurnBoundsS{
    0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 4, 8};

/// A histogram with fixed buckets. One writer, any reader; a reader may see a value's bucket before
/// its sum.
class LatencyHistogram {
public:
    static constexpr std::size_t kBounds = 12;
    static_assert(kPathBoundsS.size() == kBounds && kTurnBoundsS.size() == kBounds);

    struct Snapshot {
        std::array<std::uint64_t, kBounds + 1> buckets{};  ///< not cumulative; the last: above all
        std::uint64_t count = 0;
        double sum_s = 0;
    };

    explicit constexpr LatencyHistogram(std::span<const double, kBounds> bounds_s) noexcept
        : bounds_s_(bounds_s) {}

    /// @thread writer; some ns
    void add_ns(std::int64_t value_ns) noexcept;
    /// @thread any
    [[nodiscard]] Snapshot snapshot() const noexcept;
    [[nodiscard]] std::span<const double, kBounds> bounds_s() const noexcept { return bounds_s_; }

private:
    std::span<const double, kBounds> bounds_s_;
    std::array<std::atomic<std::uint64_t>, kBounds + 1> buckets_{};
    std::atomic<std::uint64_t> sum_ns_{0};
};

/// Of all calls of the process. Written by the ai thread.
struct Latencies {
    /// The last sample of a frame was tapped -> the frame was given to the socket.
    LatencyHistogram caller_to_socket{kPathBoundsS};
    /// A bot's sound came and nothing was queued before it -> its first sample left as RTP.
    LatencyHistogram socket_to_wire{kPathBoundsS};
    /// The caller's last speech was tapped -> the bot's first sample left, and its parts, that add
    /// up to it.
    LatencyHistogram turn{kTurnBoundsS};
    LatencyHistogram turn_network{kTurnBoundsS};
    LatencyHistogram turn_bot{kTurnBoundsS};
    LatencyHistogram turn_playout{kTurnBoundsS};
};

}  // namespace offhook::ai
