#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "ai/bot_protocol.h"
#include "socket/link.h"

namespace offhook::cli {

/// A phone line without a phone: what a call's session does for a bot, on a clock of 20 ms, and
/// notes of what the bot did with it. Verbs are refused.
/// @thread the loop's
class CheckLine final : public ai::BotHost {
public:
    static constexpr int kFrameMs = 20;

    struct Notes {
        bool is_ready = false;
        std::uint64_t heard_samples = 0;
        double heard_energy = 0;               ///< sum of squares
        std::int64_t first_heard_ns = 0;       ///< of the bot's sound, since `listen_from`; 0: none
        std::uint64_t overflowed_samples = 0;  ///< more than 60 s were queued
        std::uint64_t refused_sends = 0;       ///< the link took no more
        int utterances = 0;
        int dry_spells = 0;  ///< the line ran empty and the bot went on within 300 ms
        double longest_dry_ms = 0;
        int clears = 0, pauses = 0, marks_asked = 0, marks_played = 0, marks_cleared = 0;
        std::optional<bool> judged{};  ///< the bot's word on a barge-in
        bool is_finished = false;
        std::string failure{};
        int complaints = 0;
        std::vector<std::string> sentences{};  ///< the first complaints
        std::vector<std::string> verbs{};      ///< asked for
    };

    CheckLine(ai::BotSettings settings, ai::BotCall call);

    /// @param protocol  of this line; outlives its use here
    void use(ai::BotProtocol& protocol) { protocol_ = &protocol; }
    /// @param link  null: none
    void use(socket::Link* link) { link_ = link; }
    /// Another connection of the call: the bot is to get ready again.
    void begin_connection() { notes_.is_ready = false; }
    /// 20 ms pass: a frame of the bot's sound is played, what came of it is told.
    void tick(std::int64_t now_ns);
    /// `first_heard_ns` begins anew.
    void listen_from() { notes_.first_heard_ns = 0; }
    /// As we do when the caller speaks over the bot and the route says `detect`.
    void interrupt();
    [[nodiscard]] const Notes& notes() const noexcept { return notes_; }
    [[nodiscard]] double queued_ms() const noexcept;
    [[nodiscard]] bool is_playing() const noexcept { return is_playing_; }

    // of BotHost
    bool send_text(std::string_view text) override;
    bool send_binary(std::span<const std::byte> bytes) override;
    void ready() override { notes_.is_ready = true; }
    std::uint64_t play(std::span<const std::int16_t> pcm) override;
    void mark(std::string name) override;
    void clear() override;
    void pause() override;
    void resume() override { is_paused_ = false; }
    [[nodiscard]] std::uint64_t given() const noexcept override { return given_; }
    [[nodiscard]] std::uint64_t played() const noexcept override { return played_; }
    [[nodiscard]] std::uint64_t queued() const noexcept override { return given_ - played_; }
    void judge_barge_in(bool is_one) override;
    void note_caller_speech(bool /*is_speaking*/) override {}
    void ask(ai::BotRequest request) override;
    void finish() override { notes_.is_finished = true; }
    void fail(std::string sentence, bool is_final) override;
    void complain(std::string sentence) override;
    [[nodiscard]] const ai::BotSettings& settings() const noexcept override { return settings_; }
    [[nodiscard]] const ai::BotCall& call() const noexcept override { return call_; }

private:
    struct Mark {
        std::string name;
        std::uint64_t position;
        bool is_cleared = false;
    };
    void play_frame(std::int64_t now_ns);
    void tell_marks();

    const ai::BotSettings settings_;
    const ai::BotCall call_;
    ai::BotProtocol* protocol_ = nullptr;
    socket::Link* link_ = nullptr;
    Notes notes_;

    std::uint64_t given_ = 0, played_ = 0;
    bool is_paused_ = false, is_playing_ = false, is_judged_ = true, has_drained_ = false;
    std::int64_t dry_since_ns_ = 0;
    int waited_ticks_ = 0;
    std::deque<Mark> marks_;
    std::deque<std::pair<std::uint64_t, std::uint64_t>> dropped_;
    std::deque<ai::BotRequest> refused_;
    std::uint64_t requests_ = 0;
};

}  // namespace offhook::cli
