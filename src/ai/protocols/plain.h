#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ai/bot_protocol.h"
#include "ai/protocols/message.h"

namespace offhook::ai {

/// Our own protocol, version 1 (docs/plain-protocol.md and its JSON schema): JSON text both ways,
/// S16LE mono as binary both ways, everything a bot may want to know of a line.
///
///     start, [replay begin, binary ..., replay end,] binary ... dtmf, mark, played-to ... stop -->
///             <-- binary, mark, clear, pause, resume, barge-in, speech, hangup, transfer, ...
class Plain final : public BotProtocol {
public:
    static constexpr std::string_view kSubprotocol = "offhook.plain.v1";
    static constexpr std::uint32_t kDefaultHz = 16000;

    /// @param host  outlives this
    explicit Plain(BotHost& host);

    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept override { return rate_hz_; }
    [[nodiscard]] Opening opening() const override;
    [[nodiscard]] OnClose on_close() const noexcept override { return OnClose::HangUp; }

    void on_open(const Continuation& before) override;
    void on_text(std::string_view text) override;
    void on_binary(std::span<const std::byte> bytes) override;
    void on_frame(std::span<const std::int16_t> pcm, FrameAt at) override;
    void on_tick(std::int64_t now_ns) override;
    void on_digit(char digit, unsigned duration_ms) override;
    void on_mark(const std::string& name, MarkEnd how, std::uint64_t position) override;
    void on_drained() override;
    void on_dropped(std::uint64_t from, std::uint64_t to) override;
    void on_barge_in(std::uint64_t played) override;
    void on_caller_speech(bool is_speaking, std::uint64_t position) override;
    void on_hold(bool is_held) override;
    void on_verb(const BotRequest& request, std::string_view how, std::string_view detail) override;
    void on_end(model::EndReason reason) override;

private:
    void obey(std::string_view type, const Message& message);
    void ask(BotVerb verb, const Message& message, std::string_view argument);
    /// To the bot, ten a second at most, and to the log.
    void refuse(std::string sentence);
    [[nodiscard]] double to_ms(std::uint64_t position) const noexcept;

    BotHost& host_;
    const std::uint32_t rate_hz_;

    // of the connection
    double replay_ms_ = 0;
    bool is_in_replay_ = false;
    bool has_half_ = false;  ///< `half_` is the first byte of a sample that a message cut
    std::byte half_{};
    std::int64_t told_ns_ = 0;         ///< when played-to was sent the last time
    std::uint64_t told_position_ = 0;  ///< and where that was
    std::int64_t second_ns_ = 0;       ///< when the errors below began to be counted
    int errors_ = 0;

    std::vector<std::int16_t> pcm_;
    std::vector<std::byte> bytes_;
};

}  // namespace offhook::ai
