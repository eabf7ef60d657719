#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "ai/ai_events.h"
#include "ai/bot_protocol.h"
#include "ai/bot_settings.h"
#include "ai/call_ai.h"
#include "model/ai_stats.h"
#include "model/audio_port.h"
#include "socket/event_loop.h"
#include "socket/link.h"

namespace offhook::ai {

/// Bots that come to us wait here for their call, and calls for their bot. @thread the ai thread
class BotDoor;

/// A bot on a call, over as many connections as it takes.
///
///     Connecting --open, ready--> Live --closed--> Lost --back-off--> Connecting ...
///          '-------------------------- reconnect_s over --> fallback, Ended
///
/// The line never waits for any of it: what the bot said plays on, then the filler; what the caller
/// says meanwhile is kept (3 s) and given to the next connection first.
/// @thread the ai thread
class BotSession final : public CallAi {
public:
    struct Parts {
        socket::EventLoop* loop = nullptr;
        BotDoor* door = nullptr;  ///< for bots that come to us; may be null
        AiEvents* events = nullptr;
        AiCounters* counters = nullptr;
        std::shared_ptr<const BotSettings> settings;
        BotCall call;
        std::shared_ptr<model::AudioPort> port;
        std::shared_ptr<model::AiStats> stats;
        std::int64_t now_ns = 0;  ///< CLOCK_MONOTONIC
    };
    explicit BotSession(Parts parts);
    ~BotSession() override;

    void on_caller_audio(std::span<const std::int16_t> pcm) override;
    void on_tick(std::int64_t now_ns) override;
    void on_news(const CallNews& news) override;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::ai
