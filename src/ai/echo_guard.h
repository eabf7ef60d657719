#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "model/level_ring.h"

namespace offhook::ai {

/// How loud our own sound may be in the caller's. Levels only: the levels of what we sent are put
/// beside the levels of what is heard, for every delay up to 600 ms at once:
///
///     sent    ..##..####..##....        return loss[delay] = median of sent(t - delay) - heard(t)
///     heard   ......++..++++..++        likeness[delay]    = correlation of the two
///                 |<->| delay
///
/// Until something is known, each return loss is 12 dB: the loudest of the last 600 ms may come back
/// that loud. Where one delay is alike, it is the echo's, and the others bound only what is left of
/// it. A path that leaves no echo is known by its return losses too: our words, and nothing heard.
/// @thread one
class EchoGuard {
public:
    static constexpr std::size_t kFrameMs = 20;

    explicit EchoGuard(const model::LevelRing& sent) noexcept;

    /// A frame of 20 ms was heard.
    /// @param end_ns  CLOCK_MONOTONIC, when its last sample was tapped
    /// @param noise_dbov  of the line: what is quieter is no echo
    /// @param is_caller  the caller is known to speak: nothing is learned from it in haste
    /// @return  a sound must be louder than this to be the caller's, dBov
    double hear(double level_dbov, double noise_dbov, std::int64_t end_ns, bool is_caller) noexcept;

    /// -1 and 0: none noticed.
    [[nodiscard]] double delay_ms() const noexcept;
    [[nodiscard]] double return_loss_db() const noexcept;

private:
    static constexpr std::size_t kLags = 31;  ///< 0 to 600 ms
    static constexpr std::size_t kSent = 64;
    static constexpr std::size_t kNone = kLags;

    struct Level {
        std::int64_t left_ms = 0;
        double dbov = -127;
    };

    void take_sent() noexcept;
    /// What we sent at each delay before `at_ms`.
    void look_back(std::int64_t at_ms) noexcept;
    void compare(double heard_dbov) noexcept;
    void find_delay() noexcept;
    void learn(double heard_dbov, bool is_caller) noexcept;
    [[nodiscard]] double bound() const noexcept;

    const model::LevelRing& ring_;
    std::uint64_t taken_ = 0;
    std::array<Level, kSent> sent_{};  ///< the newest, by number

    std::array<float, kLags> before_{};  ///< our level that long before, dBov
    std::array<float, kLags> loss_db_{};
    std::array<float, kLags> learned_{};  ///< frames that taught
    // running means, forgotten over some three seconds
    float mean_heard_ = 0, square_heard_ = 0;
    std::array<float, kLags> mean_sent_{}, square_sent_{}, product_{};
    float compared_ = 0;  ///< frames
    std::array<float, kLags> likeness_{};
    std::size_t delay_ = kNone;
    double bound_dbov_ = -127;
};

}  // namespace offhook::ai
