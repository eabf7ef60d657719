#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace offhook::mixer {

/// How loud a member is, and whether it speaks: above -45 dBov and 9 dB above its own floor, which
/// is the quietest 20 ms of the last three seconds; until 300 ms after.
/// @thread one
class SpeechMeter {
public:
    static constexpr std::int32_t kSilenceCdb = -12'700;

    /// @param pcm 20 ms at 16 kHz; empty: it had nothing
    void feed(std::span<const std::int16_t> pcm) noexcept;

    /// RMS of the last 200 ms, 1/100 dBov.
    [[nodiscard]] std::int32_t level_cdb() const noexcept { return level_cdb_; }
    [[nodiscard]] std::int32_t peak_cdb() const noexcept { return peak_cdb_; }
    [[nodiscard]] bool is_speaking() const noexcept { return speaking_frames_ > 0; }
    /// At full scale, since the start.
    [[nodiscard]] std::uint64_t clipped_samples() const noexcept { return clipped_samples_; }

private:
    static constexpr std::size_t kWindowFrames = 10;
    static constexpr std::size_t kFloorWindows = 15;
    void follow_floor(std::int32_t frame_cdb) noexcept;

    std::array<std::uint64_t, kWindowFrames> sums_{};
    std::array<std::int32_t, kWindowFrames> peaks_{};
    std::array<std::int32_t, kFloorWindows> floors_cdb_;  ///< quietest frame of each 200 ms
    std::uint64_t frames_ = 0;
    std::int32_t level_cdb_ = kSilenceCdb, peak_cdb_ = kSilenceCdb;
    std::int32_t floor_cdb_ = kSilenceCdb;
    int speaking_frames_ = 0;
    std::uint64_t clipped_samples_ = 0;

public:
    SpeechMeter() noexcept { floors_cdb_.fill(kSilenceCdb); }
};

}  // namespace offhook::mixer
