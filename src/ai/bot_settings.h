#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "config/config.h"
#include "model/call_facts.h"
#include "model/call_id.h"

namespace offhook::ai {

/// What an orderly close by the bot means.
enum class OnClose : std::uint8_t { HangUp, Reconnect, Fallback };
/// Who decides that the caller interrupts the bot.
enum class BargeInPolicy : std::uint8_t { Off, Bot, Detect };

/// A recording, read once and shared: mono S16 at both rates that a line has, so that playing it
/// costs nothing.
struct PromptSound {
    std::string name;
    std::vector<std::int16_t> pcm_8k, pcm_16k;

    /// @param line_rate_hz  8000 or 16000
    [[nodiscard]] std::span<const std::int16_t> at(std::uint32_t line_rate_hz) const noexcept {
        return line_rate_hz == 16000 ? pcm_16k : pcm_8k;
    }
};
using PromptBook = std::map<std::string, std::shared_ptr<const PromptSound>, std::less<>>;

/// What follows when a bot stays away.
struct Fallback {
    enum class Kind : std::uint8_t { Ai, Prompt, Transfer, HangUp };
    Kind kind = Kind::HangUp;
    std::string argument;  ///< name of the AI or prompt, target of the transfer
};

/// All that a call's AI needs to know, checked and with its secrets read: one object for all calls of
/// a route. Immutable, so any thread may read it.
struct BotSettings {
    config::Ai ai;
    base::Secret bearer, password, signature;
    std::vector<std::pair<std::string, base::Secret>> headers;
    std::string instructions;  ///< what `ai.session.instructions_file` holds

    // of the route
    BargeInPolicy barge_in = BargeInPolicy::Bot;
    bool may_hang_up = false, may_transfer = false, may_send_digits = false;
    bool may_play_prompt = false, may_hold = false;
    std::shared_ptr<const PromptBook> prompts;
    std::string greeting, lost_prompt;  ///< names of `prompts`; empty: none
    int lost_prompt_s = 5;
    int reconnect_s = 60;
    std::vector<Fallback> fallback;
};

/// What a bot is told of its call. Strings are bounded and escaped.
struct BotCall {
    model::CallId id{};
    std::string direction{};  ///< "inbound", "outbound"
    /// `from`, `to`: user parts ("+15550100"), the whole URI where it has none.
    std::string from{}, to{}, account{}, route{}, codec{};
    model::CallFacts facts{};
    std::vector<std::pair<std::string, std::string>> parameters{};  ///< of the settings, filled in
};

}  // namespace offhook::ai
