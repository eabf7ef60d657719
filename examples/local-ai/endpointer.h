#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace offhook::local_ai {

/// Cuts a caller's sound into utterances by its energy: an utterance begins when frames of 10 ms
/// stay above the line's noise, and ends with a pause. The noise is followed: quickly down, slowly
/// up.
/// @thread one at a time
class Endpointer {
public:
    static constexpr int kFrameMs = 10;
    static constexpr int kStartMs = 60;  ///< so much of the last kStartWindowMs is loud
    static constexpr int kStartWindowMs = 100;
    static constexpr int kPauseMs = 600;      ///< longer than any between words of a phrase
    static constexpr int kBeforeMs = 250;     ///< kept from before the start
    static constexpr int kLongestMs = 10000;  ///< then it is cut
    static constexpr double kAboveNoiseDb = 12;
    static constexpr double kFloorDbov = -48;  ///< nothing below it is speech

    /// Told in order, from inside `take`.
    class Events {
    public:
        virtual ~Events() = default;
        virtual void on_speech_started() = 0;
        /// @param pcm  the utterance with quiet around it, at the rate that came in
        virtual void on_utterance(std::vector<std::int16_t> pcm) = 0;
    };

    Endpointer(std::uint32_t sample_rate_hz, Events& events);

    /// The caller's sound, any length.
    void take(std::span<const std::int16_t> pcm);
    /// The sound ends here; an utterance under way does as well.
    void finish();

private:
    void judge_frame();
    void end();

    Events& events_;
    const std::size_t frame_samples_;
    std::vector<std::int16_t> frame_;      ///< not whole yet
    std::vector<std::int16_t> utterance_;  ///< or what came before one, up to kBeforeMs
    std::deque<bool> recent_;              ///< loudness of the frames of kStartWindowMs
    double noise_dbov_ = -70;
    int quiet_ms_ = 0;
    bool is_speech_ = false;
};

}  // namespace offhook::local_ai
