#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "ai/bot_protocol.h"

namespace offhook::ai::testing {

/// What a session does for its protocol, without sockets and clock: a queue that plays when it is
/// told to, and a list of all that was asked of it.
class FakeHost final : public BotHost {
public:
    BotSettings bot;
    BotCall facts{.id = {"c-0123456789ab"},
                  .direction = "inbound",
                  .from = "100",
                  .to = "200",
                  .account = "front",
                  .route = "default",
                  .codec = "PCMU"};

    std::vector<std::string> said;  ///< what was sent as text, and other wishes in brackets
    std::vector<std::vector<std::byte>> bytes;  ///< what was sent as binary
    std::vector<std::int16_t> heard;            ///< what was given to be played
    std::vector<std::string> complaints;
    std::vector<BotRequest> requests;
    bool takes = true;                ///< whether the link takes what is sent
    BotProtocol* protocol = nullptr;  ///< is told of marks

    bool send_text(std::string_view text) override {
        if (takes) said.emplace_back(text);
        return takes;
    }
    bool send_binary(std::span<const std::byte> message) override {
        if (takes) bytes.emplace_back(message.begin(), message.end());
        return takes;
    }
    void ready() override { said.emplace_back("[ready]"); }
    std::uint64_t play(std::span<const std::int16_t> pcm) override {
        heard.insert(heard.end(), pcm.begin(), pcm.end());
        return given_ += pcm.size();
    }
    void mark(std::string name) override {
        marks_.emplace_back(given_, std::move(name));
        look();
    }
    void clear() override {
        said.emplace_back("[clear]");
        drop();
    }
    void pause() override { said.emplace_back("[pause]"); }
    void resume() override { said.emplace_back("[resume]"); }
    std::uint64_t given() const noexcept override { return given_; }
    std::uint64_t played() const noexcept override { return played_; }
    std::uint64_t queued() const noexcept override { return given_ - played_; }
    void judge_barge_in(bool is_one) override {
        said.emplace_back(is_one ? "[barge-in]" : "[no barge-in]");
        if (is_one) drop();
    }
    void note_caller_speech(bool is_speaking) override {
        said.emplace_back(is_speaking ? "[caller speaks]" : "[caller stops]");
    }
    void ask(BotRequest request) override {
        request.number = requests.size() + 1;
        std::string text = "[" + std::string(name_of(request.verb));
        if (!request.argument.empty()) text += " " + request.argument;
        if (!request.correlation.empty()) text += " #" + request.correlation;
        if (request.is_after_speech) text += " after speech";
        said.push_back(text + "]");
        requests.push_back(std::move(request));
    }
    void finish() override { said.emplace_back("[finish]"); }
    void fail(std::string sentence, bool is_final) override {
        said.push_back((is_final ? "[fail for good: " : "[fail: ") + std::move(sentence) + "]");
    }
    void reconnect(std::string why) override {
        said.push_back("[reconnect: " + std::move(why) + "]");
    }
    void complain(std::string sentence) override { complaints.push_back(std::move(sentence)); }
    const BotSettings& settings() const noexcept override { return bot; }
    const BotCall& call() const noexcept override { return facts; }

    /// Samples leave as RTP.
    void leave(std::uint64_t samples) {
        played_ = std::min(given_, played_ + samples);
        look();
    }
    /// What was said since the last time.
    std::vector<std::string> take() { return std::exchange(said, {}); }

private:
    void look() {
        while (!marks_.empty() && marks_.front().first <= played_) {
            const auto [position, name] = std::move(marks_.front());
            marks_.pop_front();
            protocol->on_mark(name, BotProtocol::MarkEnd::Played, position);
        }
    }
    void drop() {
        const auto marks = std::exchange(marks_, {});
        const std::uint64_t from = std::exchange(played_, given_);
        for (const auto& [position, name] : marks)
            protocol->on_mark(name, BotProtocol::MarkEnd::Cleared, from);
        if (from < given_) protocol->on_dropped(from, given_);
    }

    std::uint64_t given_ = 0, played_ = 0;
    std::deque<std::pair<std::uint64_t, std::string>> marks_;
};

/// Bytes as a list of numbers, for the eye.
inline std::string hex(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte b : bytes) {
        constexpr std::string_view kHex = "0123456789abcdef";
        if (!text.empty()) text += ' ';
        text += kHex[std::to_integer<std::size_t>(b) >> 4];
        text += kHex[std::to_integer<std::size_t>(b) & 0xF];
    }
    return text;
}

inline std::vector<std::byte> bytes_of(std::string_view text) {
    std::vector<std::byte> out(text.size());
    std::transform(
        text.begin(), text.end(), out.begin(), [](char c) { return static_cast<std::byte>(c); });
    return out;
}

}  // namespace offhook::ai::testing
