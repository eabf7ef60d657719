#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace offhook::ai {

/// What was said on a call, for the next session of the service: it knows nothing of the one before.
/// The last 50 turns and 32 KiB.
class OpenAiConversation {
public:
    static constexpr std::size_t kMaxTurns = 50, kMaxBytes = 32 * 1024, kMaxTurnBytes = 8 * 1024;
    enum class Role : std::uint8_t { User, Assistant, System };

    struct Turn {
        std::string item_id;
        Role role = Role::User;
        std::string text;  ///< empty until it is known
    };

    /// A turn begins; nothing when there is one of this id.
    void add(std::string_view item_id, Role role, std::string_view text = {});
    /// More of what the assistant says. Begins a turn when there is none of this id.
    void append(std::string_view item_id, std::string_view text);
    void set(std::string_view item_id, Role role, std::string_view text);
    /// Only this share of it was heard; cut at a word. @param heard 0 to 1
    void cut(std::string_view item_id, double heard);

    [[nodiscard]] std::deque<Turn>& turns() noexcept { return turns_; }

private:
    Turn* find(std::string_view item_id);
    void bound();

    std::deque<Turn> turns_;
    std::size_t bytes_ = 0;
};

}  // namespace offhook::ai
