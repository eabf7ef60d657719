#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "model/audio_port.h"

namespace offhook::ai {

/// Hears whether it is the caller who speaks: a voice detector on the caller's sound, bounded by the
/// echo that our own may have left in it. What we sent, as loud as it left and later by the delay
/// that is measured, is what a louder sound must surpass.
/// @thread the ai thread
class CallerSpeech {
public:
    class Events {
    public:
        virtual ~Events() = default;
        /// Told from `hear` or `tick`.
        /// @param position  samples of the caller's sound at the port's rate, from 0 at the first
        /// that was heard; where speech began, or where its last ended
        /// @param heard_ns  CLOCK_MONOTONIC, when the sample at `position` was tapped: earlier than
        /// now by the debounce
        virtual void on_speech(bool is_speaking, std::uint64_t position, std::int64_t heard_ns) = 0;
    };
    struct Settings {
        int begins_after_ms = 60;  ///< debounce: so much of speech within twice the time; 20 to 320
        int ends_after_ms = 300;
    };

    CallerSpeech(std::shared_ptr<model::AudioPort> port, Settings settings, Events& events);
    ~CallerSpeech();
    CallerSpeech(const CallerSpeech&) = delete;
    CallerSpeech& operator=(const CallerSpeech&) = delete;

    /// @param pcm  the caller's, at the port's rate, any length
    /// @param heard_ns  CLOCK_MONOTONIC, when its last sample was tapped
    void hear(std::span<const std::int16_t> pcm, std::int64_t heard_ns);
    /// Speech ends also when no sound comes any more. Every 10 ms or so.
    void tick(std::int64_t now_ns);
    [[nodiscard]] bool is_speaking() const noexcept;
    /// How much later our sound comes back, and how much quieter; -1 and 0: none noticed.
    [[nodiscard]] double echo_delay_ms() const noexcept;
    [[nodiscard]] double echo_return_loss_db() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace offhook::ai
