#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace offhook::model {

/// Sound of one direction between a leg and the mixer of its channel, 16 kHz mono S16: one writer
/// (a media worker), one reader (perhaps another). Neither waits, locks or allocates. The two have
/// clocks of their own: what waits is kept between `kTargetSamples` and `kMaxSamples`.
///
///     writer --any amount--> [ up to 256 ms ] --frames of 20 ms--> reader
///
/// The reader starts once a frame and a bit are there, says so when it has nothing, and skips to the
/// target when too much waits.
class SoundLane {
public:
    static constexpr std::uint32_t kRateHz = 16'000;
    static constexpr std::size_t kFrameSamples = 320;  ///< 20 ms
    static constexpr std::size_t kCapacity = 4'096;    ///< 256 ms
    static constexpr std::size_t kTargetSamples =
        480;  ///< 30 ms: what a frame may be late by, and it
    static constexpr std::size_t kMaxSamples = 1'280;  ///< 80 ms

    SoundLane();

    /// @thread writer
    void write(std::span<const std::int16_t> pcm) noexcept;

    enum class Read : std::uint8_t { Frame, Missing, Idle };
    /// Fills a frame. Missing: it was running and ran dry, the frame is silence; Idle: nothing came
    /// since it last ran dry, or ever. Edges are faded over 5 ms. @thread reader
    Read read(std::span<std::int16_t, kFrameSamples> frame) noexcept;

    /// @thread any
    [[nodiscard]] std::uint64_t dropped_samples() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }

private:
    std::vector<std::atomic<std::int16_t>> samples_;
    std::atomic<std::uint64_t> claimed_{0}, written_{0}, dropped_{0};
    std::uint64_t read_ = 0;  ///< reader's own, as what follows
    bool is_running_ = false;
    std::int16_t last_sample_ = 0;
};

/// A leg's place in a channel. Its worker writes `from_leg` (aitap) and reads `to_leg` (linekeeper);
/// the mixer does the other two.
struct ChannelSeat {
    SoundLane from_leg;
    SoundLane to_leg;
    std::atomic<std::uint64_t> unheard_frames{
        0};  ///< of `to_leg`, that the line keeper had to fill
};

}  // namespace offhook::model
