#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ai/bot_protocol.h"
#include "ai/bot_settings.h"
#include "cli/check_line.h"
#include "socket/event_loop.h"
#include "socket/link.h"

namespace offhook::cli {

/// One thing that was looked at.
struct BotFinding {
    enum class State : std::uint8_t {
        Ok,
        Failed,
        Unused,  ///< nothing to look at: the bot did not use it, or it had gone
    };
    std::string name;  ///< a stable word with hyphens
    State state = State::Ok;
    std::string detail;  ///< a sentence with numbers
    std::string advice;  ///< of a failure: what to do
};
[[nodiscard]] std::string_view name_of(BotFinding::State state) noexcept;

/// A call to a bot as Offhook would make it, in real time, some 10 to 30 s long: greeting, one
/// utterance, answer, interruption, a key, the end, and a second connection as after a loss.
class BotCheck final : private socket::LinkEvents {
public:
    struct Settings {
        ai::BotSettings bot;
        std::vector<std::int16_t> speech{};  ///< at 16000 Hz; empty: `test_speech`
        int patience_s = 10;                 ///< for an answer
    };
    using Report = std::function<void(const BotFinding&)>;

    /// @param report  told each finding as it is made
    BotCheck(Settings settings, Report report);
    ~BotCheck() override;
    BotCheck(const BotCheck&) = delete;
    BotCheck& operator=(const BotCheck&) = delete;

    /// Does it all. @return whether nothing failed
    /// @errors InvalidArgument: URL or settings cannot work; Io: no descriptor
    [[nodiscard]] base::Result<bool> run();

private:
    void on_open() override { is_open_ = true; }
    void on_text(std::string_view text) override;
    void on_binary(std::span<const std::byte> bytes) override;
    void on_closed(const socket::LinkEnd& end) override;

    [[nodiscard]] base::Result<void> connect();
    /// Handshake and first messages. @return whether the bot is there
    bool begin(const ai::Continuation& before, std::string_view handshake, std::string_view first);
    void converse();
    void talk_over();
    void press_key();
    void speak_of_later_versions();
    void end();
    void come_again();
    void judge_sound();
    void judge_words();

    /// Time passes, the caller is silent or says what is left of `saying_`, until `is_enough` or
    /// `ms` are over or the bot is gone. @return whether `is_enough`
    bool pass(int ms, const std::function<bool()>& is_enough);
    void say(std::size_t samples);
    void send_frame(bool is_replay);
    [[nodiscard]] bool is_here() const { return is_open_ && !is_closed_; }
    [[nodiscard]] bool has_more_to_say() const { return said_ < to_say_; }

    void ok(std::string name, std::string detail);
    void failed(std::string name, std::string detail, std::string advice);
    void unused(std::string name, std::string detail);
    void gone(std::string name);

    const Settings settings_;
    const Report report_;
    std::unique_ptr<socket::EventLoop> loop_;
    CheckLine line_;
    std::unique_ptr<ai::BotProtocol> protocol_;
    std::unique_ptr<socket::Link> link_;
    std::vector<std::int16_t> speech_;  ///< at the protocol's rate
    std::size_t said_ = 0, to_say_ = 0;
    std::vector<std::int16_t> frame_;
    std::uint64_t position_ = 0;
    std::int64_t next_ns_ = 0;
    bool is_open_ = false, is_closed_ = false, is_good_ = true;
    socket::LinkEnd end_;
    double greeting_ms_ = -1, answer_ms_ = -1;
};

}  // namespace offhook::cli
