#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/monotonic.h"

namespace offhook::model {

/// Sound of one direction between a leg and the mixer of its channel, 16 kHz mono S16: one writer
/// (a media worker), one reader (perhaps another). Neither waits, locks or allocates.
///
///     writer --any amount--> [ up to 256 ms ] --frames of 20 ms--> reader
///
/// *In hand* is by how much later the newest sound could have come without a gap: what waited before
/// it, in whole frames, and the time since it came. The reader starts with 10 ms in hand, so that a
/// lane of clean 20 ms packets holds a sound for 10 to 30 ms beside its packet's own length. When
/// less than 6 or more than 32 ms were in hand for 3 s (clocks drift apart, jitter has passed), it
/// plays a frame's worth slower or faster: one sample a frame, which nobody hears (up to 3,000 ppm),
/// or thirty-two in a frame that is next to silent. Beyond 80 ms it skips, faded.
class SoundLane {
public:
    static constexpr std::uint32_t kRateHz = 16'000;
    static constexpr std::size_t kFrameSamples = 320;  ///< 20 ms
    static constexpr std::size_t kCapacity = 4'096;    ///< 256 ms
    static constexpr std::size_t kMaxSamples = 1'280;  ///< 80 ms, and what a long packet adds

    /// @param now_ns the clock of both ends
    explicit SoundLane(std::int64_t (*now_ns)() noexcept = base::monotonic_ns);

    /// @thread writer
    void write(std::span<const std::int16_t> pcm) noexcept;

    enum class Read : std::uint8_t { Frame, Missing, Idle };
    /// Fills a frame. Missing: it ran dry, and goes on when enough is there again; Idle: nothing
    /// came since it ran dry, or never was enough. The frame is silence then, but for the 5 ms in
    /// which the sound before it dies away; what begins is faded in. @thread reader
    Read read(std::span<std::int16_t, kFrameSamples> frame) noexcept;

    /// Gone over: too many waited, by the writer's clock, its start, or a late reader. @thread any
    [[nodiscard]] std::uint64_t dropped_samples() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }

private:
    [[nodiscard]] std::int64_t in_hand_ns(std::uint64_t waiting) const noexcept;
    void watch(std::uint64_t written, std::uint64_t waiting) noexcept;
    Read run_dry(std::span<std::int16_t, kFrameSamples> frame,
                 std::uint64_t written,
                 bool was_running) noexcept;
    void skip_to(std::uint64_t position) noexcept;
    void copy(std::uint64_t from, std::span<std::int16_t> out) const noexcept;
    [[nodiscard]] std::size_t stretch(std::span<std::int16_t, kFrameSamples> frame,
                                      std::uint64_t waiting) noexcept;
    void fade_from_last(std::span<std::int16_t, kFrameSamples> frame) const noexcept;

    std::int64_t (*const now_ns_)() noexcept;
    std::vector<std::atomic<std::int16_t>> samples_;
    std::atomic<std::uint64_t> claimed_{0};         ///< the writer may be overwriting up to here
    std::atomic<std::uint64_t> written_{0};         ///< complete up to here
    std::atomic<std::uint32_t> newest_samples_{0};  ///< of the last write
    std::atomic<std::int64_t> newest_ns_{0};
    std::atomic<std::uint64_t> dropped_{0};
    // reader
    std::uint64_t read_ = 0;
    std::uint64_t seen_ = 0;  ///< `written_` at the read before
    std::uint64_t dry_ = 0;   ///< `written_` when it ran dry
    bool is_running_ = false, has_run_ = false;
    std::int16_t last_sample_ = 0;
    std::int64_t least_in_hand_ns_ = 0;  ///< in this window
    int window_reads_ = 0;
    int surplus_samples_ = 0;  ///< still to be won back (below 0: given out) by playing on
};

/// A leg's place in a channel. Its worker writes `from_leg` (aitap) and reads `to_leg` (linekeeper);
/// the mixer does the other two.
struct ChannelSeat {
    /// @param now_ns the clock of all ends
    explicit ChannelSeat(std::int64_t (*now_ns)() noexcept = base::monotonic_ns)
        : from_leg(now_ns), to_leg(now_ns) {}

    SoundLane from_leg;
    SoundLane to_leg;
    std::atomic<std::uint64_t> unheard_frames{
        0};  ///< of `to_leg`, that the line keeper had to fill
};

}  // namespace offhook::model
