#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "menu.h"

namespace offhook::local_ai {

/// Hours and minutes of a day.
struct TimeOfDay {
    int hour = 0, minute = 0;
};

struct Answer {
    std::string words;  ///< empty: says nothing
    bool hangs_up = false;
};

/// What the bot says to what it heard. Knows the order of one call and what it said last; nothing
/// of sound or sockets.
/// @thread one at a time
class Dialogue {
public:
    static constexpr std::size_t kMostItems = 2;

    [[nodiscard]] Answer greet();
    /// @param words  as the grammar has them; nothing: not understood
    [[nodiscard]] Answer answer(const std::optional<std::string>& words, TimeOfDay now);
    /// A key of the phone: 0 the menu, * once more, # goodbye.
    [[nodiscard]] Answer press(char digit);

private:
    Answer grant(Wish wish, TimeOfDay now);
    Answer take_order(std::string item);
    Answer say(std::string words, bool hangs_up = false);

    std::vector<std::string> order_;
    std::string last_;
};

/// "twenty minutes after seven in the evening", to five minutes. Not "past" and "to", which a telephone
/// makes one.
[[nodiscard]] std::string spoken_time(TimeOfDay now);

/// Lower case, only letters and single spaces: as the grammars have it.
[[nodiscard]] std::string plain_words(std::string_view text);

}  // namespace offhook::local_ai
