#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ai/bot_settings.h"
#include "ai/bot_verb.h"
#include "base/secret.h"
#include "model/call_end.h"

namespace offhook::ai {

/// How a connection to a bot begins. URL, headers of authorization, proxy and CAs are the session's;
/// this is what only the protocol knows.
struct Opening {
    std::string url;  ///< of the settings, with what the protocol adds to it
    std::string subprotocol{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::vector<std::pair<std::string, base::Secret>> secret_headers{};
};

/// What a connection is told of those before it.
struct Continuation {
    int attempt = 1;       ///< 1: the first connection of the call that came up
    double gap_ms = 0;     ///< since the one before was lost
    double played_ms = 0;  ///< of all that bots said on this call, what left as RTP
    double replay_ms = 0;  ///< of the caller's sound, that follows at once, marked as replay
    std::vector<std::string> marks{};    ///< played, the last 32, oldest first
    std::vector<std::string> dropped{};  ///< that went with the connection, unplayed
    std::string traceparent{};           ///< of this connection (W3C Trace Context); may be empty
};

/// One frame of the caller on its way to the bot.
struct FrameAt {
    std::uint64_t position = 0;  ///< samples of the bot's rate since the AI came to the call
    bool is_replay = false;      ///< said before or during the gap, sent faster than real time
};

/// What a session does for its protocol. Positions count samples at the protocol's rate, from 0 at
/// the call's first, over all connections.
/// @thread the ai thread
class BotHost {
public:
    virtual ~BotHost() = default;

    /// @return false: the link did not take it (full or closed); counted
    virtual bool send_text(std::string_view text) = 0;
    virtual bool send_binary(std::span<const std::byte> bytes) = 0;
    /// The bot is ready to hear: what the caller said before comes first. Once a connection.
    virtual void ready() = 0;

    /// Appends to what is played. @param pcm mono S16 at the protocol's rate, any amount
    /// @return the position after its last sample
    virtual std::uint64_t play(std::span<const std::int16_t> pcm) = 0;
    /// Comes back by `on_mark` when what was given so far has left as RTP; at once when it has.
    virtual void mark(std::string name) = 0;
    /// All that has not left is dropped; pending marks come back as cleared.
    virtual void clear() = 0;
    virtual void pause() = 0;
    virtual void resume() = 0;
    [[nodiscard]] virtual std::uint64_t given() const noexcept = 0;   ///< position after the last
    [[nodiscard]] virtual std::uint64_t played() const noexcept = 0;  ///< left as RTP, or dropped
    [[nodiscard]] virtual std::uint64_t queued()
        const noexcept = 0;  ///< samples that have not left

    /// The bot's word on a barge-in that we noticed: true: it is one, what is queued goes; false:
    /// playout goes on where it stopped. Nothing when none is pending.
    virtual void judge_barge_in(bool is_one) = 0;
    /// The bot's own detector heard the caller begin or stop.
    virtual void note_caller_speech(bool is_speaking) = 0;
    /// By the route's policy done, handed to control, or refused (`on_verb`).
    virtual void ask(BotRequest request) = 0;
    /// An orderly end from inside the protocol (AudioSocket's 0x00): as if the link were closed with
    /// 1000.
    virtual void finish() = 0;
    /// The bot cannot be used like this. @param is_final false: a new connection may help
    virtual void fail(std::string sentence, bool is_final) = 0;
    /// The connection has served its time and a fresh one is wanted now: it is closed with 1000 and
    /// another one dialled without back-off; what is queued plays on. Only a session that knows
    /// nothing better treats it as a failure.
    virtual void reconnect(std::string why) { fail(std::move(why), false); }
    /// A sentence about the bot for log and API: what it sent and we ignored. Rate-limited.
    virtual void complain(std::string sentence) = 0;

    [[nodiscard]] virtual const BotSettings& settings() const noexcept = 0;
    [[nodiscard]] virtual const BotCall& call() const noexcept = 0;
};

/// The words of one family of bots, without socket, clock or queue: one object a call, over all its
/// connections. One file each under ai/protocols.
///
///     on_open --> (first messages) --> host.ready() --> on_frame 50/s, on_text, on_binary ... on_lost
///
/// What a bot sends is untrusted: bounded, never asserted on; what cannot be read is ignored, with
/// `complain`.
/// @thread the ai thread
class BotProtocol {
public:
    enum class MarkEnd : std::uint8_t { Played, Cleared, Lost };

    virtual ~BotProtocol() = default;

    /// Of both directions, 8000, 16000 or 24000. Does not change.
    [[nodiscard]] virtual std::uint32_t sample_rate_hz() const noexcept = 0;
    [[nodiscard]] virtual Opening opening() const = 0;
    /// What an orderly close by the bot means where the settings do not say.
    [[nodiscard]] virtual OnClose on_close() const noexcept = 0;

    /// The link is open. Whatever belonged to the connection before is forgotten.
    virtual void on_open(const Continuation& before) = 0;
    virtual void on_text(std::string_view text) = 0;
    virtual void on_binary(std::span<const std::byte> bytes) = 0;
    /// The caller's sound: settings().frame_ms of it, at `sample_rate_hz`.
    virtual void on_frame(std::span<const std::int16_t> pcm, FrameAt at) = 0;
    /// Every 10 ms while open. @param now_ns CLOCK_MONOTONIC
    virtual void on_tick(std::int64_t /*now_ns*/) {}
    /// The link is gone; `mark`s that are pending came back as Lost before.
    virtual void on_lost() {}

    // What happened, told while open.

    virtual void on_digit(char digit, unsigned duration_ms) = 0;
    /// @param position  where it stood
    virtual void on_mark(const std::string& name, MarkEnd how, std::uint64_t position) = 0;
    /// The queue ran empty: all that was given has left.
    virtual void on_drained() {}
    /// By `clear`, a barge-in or an overflow: samples of `from` to `to` will never be heard.
    virtual void on_dropped(std::uint64_t /*from*/, std::uint64_t /*to*/) {}
    /// We noticed the caller speak over the bot and paused; the bot says what it is
    /// (`judge_barge_in`). A protocol without such a word judges by itself.
    virtual void on_barge_in(std::uint64_t played) = 0;
    /// Our detector. @param position  of the caller's sound
    virtual void on_caller_speech(bool /*is_speaking*/, std::uint64_t /*position*/) {}
    virtual void on_hold(bool /*is_held*/) {}
    /// @param how  "done", "refused", "failed", or progress in words
    virtual void on_verb(const BotRequest& /*request*/,
                         std::string_view /*how*/,
                         std::string_view /*detail*/) {}
    /// The call is over or goes elsewhere: last words; the link is closed with 1000 after them.
    virtual void on_end(model::EndReason reason) = 0;
};

/// The protocol that the host's settings name. @return null for a built-in one
[[nodiscard]] std::unique_ptr<BotProtocol> make_protocol(BotHost& host);

}  // namespace offhook::ai
