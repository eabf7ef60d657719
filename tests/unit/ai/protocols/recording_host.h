#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ai/bot_protocol.h"

namespace offhook::ai {

/// A host that writes down what its protocol does, in order: ">" and a text that was sent,
/// ">N bytes" of a binary, else the name of the call and its argument.
class RecordingHost final : public BotHost {
public:
    RecordingHost() {
        call_.id.text = "c-0123456789ab";
        call_.direction = "inbound";
        call_.from = "+15550100";
        call_.to = "100";
        call_.account = "front";
        call_.route = "any";
        call_.codec = "PCMU";
        settings_.ai.name = "bot";
        settings_.ai.url = "wss://bot.example/media";
    }

    BotSettings settings_;
    BotCall call_;
    bool is_full_ = false;  ///< the link takes nothing
    std::uint64_t given_ = 0, played_ = 0;
    std::vector<std::string> log_;
    std::vector<std::vector<std::byte>> binaries_;
    std::vector<std::int16_t> heard_;  ///< what the bot said
    std::vector<BotRequest> requests_;

    /// The log, emptied.
    std::vector<std::string> take() { return std::exchange(log_, {}); }

    bool send_text(std::string_view text) override {
        if (is_full_) return false;
        log_.push_back(">" + std::string(text));
        return true;
    }
    bool send_binary(std::span<const std::byte> bytes) override {
        if (is_full_) return false;
        log_.push_back(">" + std::to_string(bytes.size()) + " bytes");
        binaries_.emplace_back(bytes.begin(), bytes.end());
        return true;
    }
    void ready() override { log_.emplace_back("ready"); }
    std::uint64_t play(std::span<const std::int16_t> pcm) override {
        log_.push_back("play " + std::to_string(pcm.size()));
        heard_.insert(heard_.end(), pcm.begin(), pcm.end());
        return given_ += pcm.size();
    }
    void mark(std::string name) override { log_.push_back("mark " + name); }
    void clear() override { log_.emplace_back("clear"); }
    void pause() override { log_.emplace_back("pause"); }
    void resume() override { log_.emplace_back("resume"); }
    [[nodiscard]] std::uint64_t given() const noexcept override { return given_; }
    [[nodiscard]] std::uint64_t played() const noexcept override { return played_; }
    [[nodiscard]] std::uint64_t queued() const noexcept override { return given_ - played_; }
    void judge_barge_in(bool is_one) override {
        log_.emplace_back(is_one ? "barge-in yes" : "barge-in no");
    }
    void note_caller_speech(bool is_speaking) override {
        log_.emplace_back(is_speaking ? "caller speaks" : "caller is silent");
    }
    void ask(BotRequest request) override {
        log_.push_back("ask " + std::string(name_of(request.verb)) + " " + request.argument);
        requests_.push_back(std::move(request));
    }
    void finish() override { log_.emplace_back("finish"); }
    void fail(std::string sentence, bool is_final) override {
        log_.push_back((is_final ? "fail for good: " : "fail: ") + sentence);
    }
    void complain(std::string sentence) override { log_.push_back("complain: " + sentence); }
    [[nodiscard]] const BotSettings& settings() const noexcept override { return settings_; }
    [[nodiscard]] const BotCall& call() const noexcept override { return call_; }
};

}  // namespace offhook::ai
