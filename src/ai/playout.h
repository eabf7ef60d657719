#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "model/audio_port.h"

namespace offhook::ai {

/// What a bot said and where each sample of it went. Between a bot's rate and the line's it
/// resamples, once; positions are the bot's.
///
///     write, mark --> VoiceQueue --> linekeeper --> rtpcallsink --> left
///                        '--- clear, overflow --> dropped
///
/// written = left + cleared + overflowed + queued, at any time. Left is what was in a packet that
/// the network took. What came due while the call was on hold, the line muted or a digit in its
/// place counts as cleared; what found no room counts as overflowed. Queued is all of which nothing
/// is known yet, that which is in a frame under way too.
///
/// Through a resampler the sound is up to 3.5 ms later than its position (Resampler::delay_ms), and
/// the end of an utterance that long goes under in the line's fade.
/// @thread the ai thread
class Playout {
public:
    /// What `look` finds out.
    class Events {
    public:
        virtual ~Events() = default;
        /// @param is_played  false: the sample before it was dropped
        virtual void on_mark(const std::string& name, bool is_played, std::uint64_t position) = 0;
        /// They will never be heard. Rising, and each sample at most once; what goes frame by frame
        /// (a call on hold) is told as one stretch, once it ends.
        virtual void on_dropped(std::uint64_t from, std::uint64_t to) = 0;
        /// The first sample after silence of the bot's has left. @param left_ns CLOCK_MONOTONIC
        virtual void on_started(std::uint64_t position, std::int64_t left_ns) = 0;
        virtual void on_drained(std::uint64_t position) = 0;
    };
    struct Totals {
        std::uint64_t written = 0, left = 0, cleared = 0, overflowed = 0, queued = 0;  ///< samples
    };
    static constexpr std::size_t kMaxMarks = 256;  ///< pending; one more is played at once

    /// @param bot_rate_hz 8000, 16000, 24000 or 48000
    /// @param limit_ms  of the bot's sound that is queued; beyond it the oldest goes. Prompts do not
    /// count
    Playout(std::shared_ptr<model::AudioPort> port,
            std::uint32_t bot_rate_hz,
            std::uint64_t limit_ms,
            Events& events);
    ~Playout();
    Playout(const Playout&) = delete;
    Playout& operator=(const Playout&) = delete;

    /// @return the position after the last sample
    std::uint64_t write(std::span<const std::int16_t> pcm);
    /// Appends sound of the line that is none of the bot's: a prompt. It takes no positions.
    void insert(std::span<const std::int16_t> line_pcm);
    /// Comes back once what was written before it has left or was dropped; at once, from here, when
    /// that is known already.
    void mark(std::string name);
    /// What has not left is dropped; the line fades over 5 ms at its next frame. What comes of it is
    /// told by `look`, once the line has done it.
    void clear();
    /// The line fades out at its next frame, over 5 ms, and fades in where it stopped, 20 ms after
    /// `resume` at most: no sample is lost or doubled.
    void pause();
    void resume();
    [[nodiscard]] bool is_paused() const noexcept;

    /// Finds out what left since the last time. Every 10 ms, and when one wants to know.
    void look(std::int64_t now_ns);

    [[nodiscard]] Totals totals() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace offhook::ai
