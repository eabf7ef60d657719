#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace offhook::rtp::detail {

/// Makes up for lost packets of a waveform codec in the manner of G.711 Appendix I: the last pitch
/// period goes on, full for 10 ms, then fading to silence at 60 ms. Unlike the Appendix it delays
/// nothing: the first period starts from the last sample played (the step between the two periods
/// is spread over a few ms), and the next good sound is faded in.
///
/// State: 40 ms of past sound. @thread one
template <std::size_t SamplesPerMs>
class Concealer {
public:
    /// Good sound, in order: fades its head in when it follows concealment, and remembers its tail.
    void good(std::span<std::int16_t> pcm) noexcept {
        if (concealed_ != 0) join(pcm);
        remember(pcm);
    }

    void conceal(std::span<std::int16_t> out) noexcept;

private:
    static constexpr std::size_t kPast = 40 * SamplesPerMs;
    static constexpr std::size_t kMinLag = 5 * SamplesPerMs;   // 200 Hz
    static constexpr std::size_t kMaxLag = 15 * SamplesPerMs;  // 67 Hz
    static constexpr std::size_t kWindow = 20 * SamplesPerMs;
    static constexpr std::size_t kStepSpread = 3 * SamplesPerMs;
    static constexpr std::size_t kJoin = 5 * SamplesPerMs;
    static constexpr std::size_t kFull = 10 * SamplesPerMs;
    static constexpr std::size_t kSilent = 60 * SamplesPerMs;

    void remember(std::span<const std::int16_t> pcm) noexcept;
    void join(std::span<std::int16_t> pcm) noexcept;
    [[nodiscard]] std::size_t find_lag() const noexcept;
    [[nodiscard]] double score(std::size_t lag, std::size_t stride) const noexcept;

    std::array<std::int16_t, kPast> past_{};  ///< what was played, before fading; newest last
    std::uint32_t concealed_ = 0;             ///< samples since the last good one, saturating
    std::uint32_t lag_ = kMaxLag;             ///< the period being repeated
    std::int32_t step_ = 0;                   ///< last sample minus the one a period earlier
};

}  // namespace offhook::rtp::detail
