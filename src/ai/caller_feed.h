#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ai/bot_protocol.h"
#include "ai/call_ai.h"
#include "ai/caller_history.h"
#include "ai/resampler.h"

namespace offhook::ai {

/// The caller's sound on its way to the bot: at the bot's rate, in the bot's frames, in order, each
/// once a connection. What was said before a connection was ready comes first, at up to four times
/// real time; what is said meanwhile waits behind it.
///
///     hear --resampled--> CallerHistory --cursor--> Sink::on_frame
/// @thread the ai thread
class CallerFeed {
public:
    static constexpr int kReplaySpeed = 4;

    class Sink {
    public:
        virtual ~Sink() = default;
        virtual void on_frame(std::span<const std::int16_t> pcm, FrameAt at) = 0;
    };

    CallerFeed(std::uint32_t port_rate_hz, std::uint32_t bot_rate_hz, int frame_ms, Sink& sink);

    /// What was said to the AI before this one: as if it had been heard here. Before all else.
    void recall(const LastWords& words);
    [[nodiscard]] LastWords last_words() const { return {bot_rate_hz_, history_.kept()}; }
    /// How many samples of the bot's rate were recalled.
    [[nodiscard]] std::uint64_t recalled() const noexcept { return recalled_; }

    /// @param pcm  at the port's rate, any length
    void hear(std::span<const std::int16_t> pcm);
    /// A connection is ready: from the oldest that is kept on.
    void start(std::int64_t now_ns);
    void stop() noexcept { is_started_ = false; }
    /// Every 10 ms.
    void tick(std::int64_t now_ns);

    /// How much `start` would give now of what was said before.
    [[nodiscard]] double kept_ms() const noexcept;

private:
    void send(bool is_replay);
    void send_backlog();

    const std::uint32_t bot_rate_hz_;
    Sink& sink_;
    std::optional<Resampler> resampler_;  ///< only where the rates differ
    std::vector<std::int16_t> resampled_;
    CallerHistory history_;

    std::uint64_t recalled_ = 0;
    bool is_started_ = false;
    bool is_behind_ = false;        ///< what was said before has not all been sent
    std::uint64_t cursor_ = 0;      ///< of the next frame
    std::uint64_t replay_end_ = 0;  ///< said before the connection was ready
    double credit_samples_ = 0;     ///< while behind: may be sent now
    std::int64_t ticked_ns_ = 0;
};

}  // namespace offhook::ai
