#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ai/bot_protocol.h"
#include "ai/protocols/message.h"

namespace offhook::ai {

/// jambonz' part of its `listen` verb with bidirectional streaming, the dialect whose sound is
/// binary S16 both ways, so that hardly a word of Twilio's is left.
///
///     facts of the call, then binary ... dtmf, mark, playDone -->
///                 <-- binary, playAudio, killAudio, mark, clearMarks, disconnect
///
/// A `disconnect` asks for the verb hang-up, which the route has to allow. Of a barge-in that we
/// noticed the bot is not told, as on Twilio; `killAudio` confirms it.
class Jambonz final : public BotProtocol {
public:
    /// @param host  outlives this
    explicit Jambonz(BotHost& host);

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
    void play_audio(const Message& message);
    void play(std::span<const std::byte> bytes);

    BotHost& host_;
    const std::uint32_t rate_hz_;
    std::vector<std::byte> bytes_;
    std::vector<std::int16_t> pcm_;
};

}  // namespace offhook::ai
