#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "ai/ai_events.h"
#include "ai/bot_protocol.h"
#include "ai/bot_settings.h"
#include "ai/call_ai.h"
#include "base/monotonic.h"
#include "model/ai_stats.h"
#include "model/audio_port.h"
#include "socket/event_loop.h"
#include "socket/link.h"

namespace offhook::ai {

class BotDoor;
class Farewells;
struct Latencies;

/// A bot on a call, over as many connections as it takes.
///
///     Connecting --open, ready--> Live --closed--> Lost --back-off, open, ready--> Live ...
///          '------------------------------------------- reconnect_s over --> fallback, Ended
///
/// The line never waits for any of it: what the bot said plays on, then the filler; what the caller
/// says meanwhile is kept (3 s) and given to the next connection first.
///
///     tap -> CallerFeed -> BotProtocol -> Link          caller_feed.h: frames, replay
///     Link -> BotProtocol -> BotLine -> Playout          bot_line.h: prompts, marks, positions
///     tap -> CallerSpeech -> BargeInJudge -> BotLine     who interrupts whom
///     BackOff, BotDoor, Farewells                        how connections come and go
///     VerbDesk -> AiEvents                               what the bot may ask for
/// @thread the ai thread
class BotSession final : public CallAi {
public:
    using Dial = std::function<base::Result<std::unique_ptr<socket::Link>>(
        socket::EventLoop&, const socket::DialSettings&, socket::LinkEvents&)>;

    struct Parts {
        socket::EventLoop* loop = nullptr;
        BotDoor* door = nullptr;  ///< for bots that come to us; null: none may
        Farewells* farewells = nullptr;
        AiEvents* events = nullptr;
        Latencies* latencies = nullptr;
        std::shared_ptr<const BotSettings> settings;
        BotCall call;
        std::shared_ptr<model::AudioPort> port;
        std::shared_ptr<model::AiStats> stats;
        LastWords before{};       ///< of the call, said to the AI before this one
        std::int64_t now_ns = 0;  ///< CLOCK_MONOTONIC
        // What a test replaces.
        Dial dial = socket::dial;
        std::function<std::unique_ptr<BotProtocol>(BotHost&)> protocol = make_protocol;
        std::function<std::int64_t()> clock = base::monotonic_ns;
        std::uint64_t seed = 0;  ///< of the back-off's jitter; 0: random
    };
    /// Begins to connect. Everything but `door` is there, and outlives this.
    explicit BotSession(Parts parts);
    ~BotSession() override;

    void on_caller_audio(std::span<const std::int16_t> pcm) override;
    void on_tick(std::int64_t now_ns) override;
    void on_news(const CallNews& news) override;
    [[nodiscard]] LastWords last_words() const override;
    void on_sent(std::int64_t now_ns) override;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::ai
