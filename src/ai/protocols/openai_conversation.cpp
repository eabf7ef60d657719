#include "ai/protocols/openai_conversation.h"

#include <algorithm>

namespace offhook::ai {
namespace {

/// Never inside a character.
void shorten(std::string& text, std::size_t bytes) {
    if (text.size() <= bytes) return;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
    text.resize(bytes);
}

}  // namespace

OpenAiConversation::Turn* OpenAiConversation::find(std::string_view item_id) {
    const auto turn = std::find_if(
        turns_.rbegin(), turns_.rend(), [&](const Turn& t) { return t.item_id == item_id; });
    return turn == turns_.rend() ? nullptr : &*turn;
}

void OpenAiConversation::bound() {
    while (turns_.size() > kMaxTurns || (bytes_ > kMaxBytes && turns_.size() > 1)) {
        bytes_ -= turns_.front().text.size();
        turns_.pop_front();
    }
}

void OpenAiConversation::add(std::string_view item_id, Role role, std::string_view text) {
    if (find(item_id) != nullptr) return;
    turns_.push_back({std::string(item_id), role, std::string(text)});
    shorten(turns_.back().text, kMaxTurnBytes);
    bytes_ += turns_.back().text.size();
    bound();
}

void OpenAiConversation::append(std::string_view item_id, std::string_view text) {
    add(item_id, Role::Assistant);
    Turn& turn = *find(item_id);
    bytes_ -= turn.text.size();
    turn.text += text;
    shorten(turn.text, kMaxTurnBytes);
    bytes_ += turn.text.size();
    bound();
}

void OpenAiConversation::set(std::string_view item_id, Role role, std::string_view text) {
    add(item_id, role);
    Turn& turn = *find(item_id);
    bytes_ -= turn.text.size();
    turn.text = text;
    shorten(turn.text, kMaxTurnBytes);
    bytes_ += turn.text.size();
    bound();
}

void OpenAiConversation::cut(std::string_view item_id, double heard) {
    Turn* turn = find(item_id);
    if (turn == nullptr || heard >= 1) return;
    bytes_ -= turn->text.size();
    auto keep = static_cast<std::size_t>(static_cast<double>(turn->text.size()) * heard);
    const auto space = turn->text.rfind(' ', keep);
    keep = space == std::string::npos ? 0 : space;
    turn->text.resize(keep);
    bytes_ += keep;
}

}  // namespace offhook::ai
