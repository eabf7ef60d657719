#pragma once

#include <cstdint>

namespace offhook::ai {

/// What becomes of a caller who speaks while the bot does, where the route says `detect`. Playout
/// pauses at once; the bot says what it is, or the time decides.
///
///     Idle --speech begins while something plays--> Pending --judge(true), or spoke enough--> Idle, confirmed
///       ^                                              '-----judge(false), or did not-------> Idle, taken back
///       '-- for `rest_ms` after it nothing begins
///
/// @thread one; time is the caller's to tell
class BargeInJudge {
public:
    class Events {
    public:
        virtual ~Events() = default;
        /// Pause playout, tell the bot.
        virtual void on_barge_in() = 0;
        /// It is one: drop what is queued.
        virtual void on_confirmed() = 0;
        /// It is none: playout goes on where it stopped.
        virtual void on_taken_back() = 0;
    };
    struct Settings {
        int verdict_ms = 1000;  ///< the bot's time to say what it is
        int enough_ms = 300;    ///< without a word of its: so much of speech is a barge-in
        int rest_ms = 500;      ///< after a verdict, until playout may be paused again
        int late_ms = 300;      ///< the detector knows the end of speech so much later
    };

    BargeInJudge(Settings settings, Events& events) noexcept
        : settings_(settings), events_(events) {}

    /// As CallerSpeech tells it. @param at_ns  when the speech began or ended, by its own time
    /// @param is_playing  something of the bot's is queued, and not paused for another reason
    void on_speech(bool is_speaking, std::int64_t at_ns, bool is_playing, std::int64_t now_ns);
    /// The bot's word. Nothing when none is pending: it came too late.
    void judge(bool is_one, std::int64_t now_ns);
    /// The bot cleared its sound by itself, or is gone: nothing is left to decide, no event.
    void forget(std::int64_t now_ns) noexcept;
    /// Every 10 ms or so.
    void tick(bool is_playing, std::int64_t now_ns);

    [[nodiscard]] bool is_pending() const noexcept { return is_pending_; }

private:
    void begin(std::int64_t now_ns);
    void end(bool is_one, std::int64_t now_ns);
    /// What was certainly spoken of it.
    [[nodiscard]] std::int64_t spoken_ns(std::int64_t now_ns) const noexcept;

    const Settings settings_;
    Events& events_;
    bool is_pending_ = false;
    bool is_speaking_ = false;
    bool is_waiting_ = false;       ///< speech began over the bot while we rested
    std::int64_t began_ns_ = 0;     ///< of the speech that goes on
    std::int64_t spoken_ns_ = 0;    ///< while pending: of the speech that ended
    std::int64_t deadline_ns_ = 0;  ///< of the verdict
    std::int64_t rest_until_ns_ = 0;
};

}  // namespace offhook::ai
