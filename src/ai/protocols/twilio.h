#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ai/bot_protocol.h"
#include "ai/protocols/encoding.h"
#include "ai/protocols/message.h"
#include "ai/protocols/twilio_dialect.h"

namespace offhook::ai {

/// Twilio's part of Media Streams, bidirectional, in one of its dialects: a server that was written
/// for Twilio takes us for it.
///
///     connected, start, media ... dtmf, mark ... stop  -->
///                          <-- media, mark, clear
///
/// There is no word for a barge-in that we noticed. Playout waits: the bot's own `clear` confirms
/// it, else how long the caller speaks decides, and a cough is taken back. A mark that went with a
/// connection is not told: a stream knows only its own.
///
/// A connection that follows another is a new stream with the same call. It hears what the caller
/// said meanwhile first; timestamps rise by a frame with each all the same. start's custom
/// parameters `offhook_*` say what was before, and messages with the event "offhook", which servers
/// ignore, stand around the replay.
class Twilio final : public BotProtocol {
public:
    /// @param host  outlives this
    explicit Twilio(BotHost& host);

    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept override { return rate_hz_; }
    [[nodiscard]] Opening opening() const override;
    [[nodiscard]] OnClose on_close() const noexcept override { return OnClose::HangUp; }

    void on_open(const Continuation& before) override;
    void on_text(std::string_view text) override;
    void on_binary(std::span<const std::byte> bytes) override;
    void on_frame(std::span<const std::int16_t> pcm, FrameAt at) override;
    void on_digit(char digit, unsigned duration_ms) override;
    void on_mark(const std::string& name, MarkEnd how, std::uint64_t position) override;
    void on_barge_in(std::uint64_t /*played*/) override {}
    void on_end(model::EndReason reason) override;

private:
    void send_start(const Continuation& before);
    void send_replay(bool is_begin);
    void send_media();
    void play(const Message& message);
    /// Begins a message of the stream in `out_`: `{"event":"...",` and what each has.
    void begin(std::string_view event);
    bool send();

    BotHost& host_;
    const TwilioDialect& dialect_;
    const Encoding encoding_;
    const std::uint32_t rate_hz_;
    const std::size_t chunk_samples_;
    const std::string account_id_, call_id_;

    // of the connection
    unsigned streams_ = 0;  ///< of the call, this one included
    std::string stream_id_;
    std::string tail_;  ///< `","streamSid":"MZ..."`, what each message has behind its number
    std::uint64_t sequence_ = 0, chunk_ = 0;
    std::uint64_t sent_samples_ = 0;  ///< also of messages that the link did not take
    double replay_ms_ = 0;            ///< to be told of; 0: nothing
    bool is_in_replay_ = false;

    std::vector<std::int16_t> gathered_;  ///< frames of a chunk that is not full
    std::string out_;
    std::vector<std::byte> bytes_;
    std::vector<std::int16_t> pcm_;
};

}  // namespace offhook::ai
