#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace offhook::ai {

/// Changes the sample rate of a stream of mono S16: a fixed polyphase low-pass between 8000, 16000,
/// 24000 and 48000 Hz. Flat to 0.84 of the lower rate's half (3.36 kHz with 8 kHz), images and
/// aliases more than 60 dB down from that half on. Equal rates pass bit by bit.
///
/// The sound is `delay_ms` later: 28 samples of the lower rate, 3.5 ms with 8 kHz, 1.75 ms with 16
/// kHz, 0 when the rates are equal. N samples in give ceil(N x to / from) out, however they are cut.
/// 0.1 to 0.3 ms of CPU for a second of sound (g++ 12 -O2, one core of a virtual machine).
/// @thread one; `process` does not allocate
class Resampler {
public:
    /// @param from_hz, to_hz  8000, 16000, 24000 or 48000
    Resampler(std::uint32_t from_hz, std::uint32_t to_hz);

    /// How many samples the next `process` of `input` ones gives.
    [[nodiscard]] std::size_t output_samples(std::size_t input) const noexcept;
    /// @param in any length  @param out room for `output_samples(in.size())`
    /// @return samples written
    std::size_t process(std::span<const std::int16_t> in, std::span<std::int16_t> out) noexcept;
    /// Forgets the sound, not the phase: what follows begins out of silence.
    void forget() noexcept;

    [[nodiscard]] bool is_unity() const noexcept { return up_ == down_; }
    [[nodiscard]] double delay_ms() const noexcept;

private:
    static constexpr std::size_t kSpan = 56;  ///< of the filter, in samples of the lower rate
    static constexpr std::size_t kLanes = 8;  ///< taps come in so many, for vectors
    static constexpr std::size_t kMaxTaps = kSpan * 6;
    static constexpr std::size_t kBlock = 480;

    std::size_t process_block(std::span<const std::int16_t> in, std::int16_t* out) noexcept;

    std::uint32_t from_hz_, to_hz_;
    std::size_t up_, down_;  ///< to / from in lowest terms
    std::size_t taps_ = 0;   ///< of one phase
    std::vector<float> phases_;
    /// Of the next output, in 1/up_ of an input sample, from the next input sample.
    std::size_t next_ = 0;
    /// taps_ - 1 samples of the past, then a block.
    std::array<float, kMaxTaps + kBlock> window_{};
};

}  // namespace offhook::ai
