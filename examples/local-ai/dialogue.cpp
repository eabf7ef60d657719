#include "dialogue.h"

#include <algorithm>
#include <cctype>

#include "sentences.h"

namespace offhook::local_ai {
namespace {

std::string capitalised(std::string text) {
    if (!text.empty())
        text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
    return text;
}

}  // namespace

std::string spoken_time(TimeOfDay now) {
    const int rounded = (now.hour * 60 + now.minute + 2) / 5 * 5 % (24 * 60);
    const int minute = rounded % 60;
    const int hour = rounded / 60;
    const bool is_past = minute <= 30;
    const int named = (is_past ? hour : hour + 1) % 24;
    std::string text;
    if (minute != 0) {
        const int away = is_past ? minute : 60 - minute;
        text = std::string(kMinutes[static_cast<std::size_t>(away / 5 - 1)]) +
               (is_past ? " after " : " before ");
    }
    text += kHours[static_cast<std::size_t>(named % 12)];
    if (minute == 0) text += " o'clock";
    const std::size_t part = named < 5 ? 3 : named < 12 ? 0 : named < 18 ? 1 : named < 22 ? 2 : 3;
    return text + " " + std::string(kDayParts[part]);
}

std::string plain_words(std::string_view text) {
    std::string plain;
    for (const char c : text) {
        if (c == '\'' || std::isalpha(static_cast<unsigned char>(c)) != 0) {
            plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else if (!plain.empty() && plain.back() != ' ') {
            plain += ' ';
        }
    }
    if (!plain.empty() && plain.back() == ' ') plain.pop_back();
    return plain;
}

Answer Dialogue::say(std::string words, bool hangs_up) {
    last_ = words;
    return {std::move(words), hangs_up};
}

Answer Dialogue::greet() {
    return say(std::string(kGreeting));
}

Answer Dialogue::answer(const std::optional<std::string>& words, TimeOfDay now) {
    if (!words) return say(std::string(kNotUnderstood));
    const auto phrase = std::find_if(
        kPhrases.begin(), kPhrases.end(), [&](const Phrase& p) { return p.words == *words; });
    if (phrase != kPhrases.end()) return grant(phrase->wish, now);
    std::string item = *words;
    if (item.starts_with(kWouldLike)) item.erase(0, kWouldLike.size() + 1);
    return take_order(std::move(item));
}

Answer Dialogue::press(char digit) {
    switch (digit) {
        case '0':
            return grant(Wish::Menu, {});
        case '*':
            return grant(Wish::Again, {});
        case '#':
            return grant(Wish::Goodbye, {});
        default:
            return {};
    }
}

Answer Dialogue::grant(Wish wish, TimeOfDay now) {
    switch (wish) {
        case Wish::Time:
            return say(std::string(kItIs) + " " + spoken_time(now) + ".");
        case Wish::Hours:
            return say(std::string(kOpeningHours));
        case Wish::Menu:
            return say(menu_sentence());
        case Wish::Ready: {
            if (order_.empty()) return say(std::string(kNothingOrdered));
            std::string all;
            for (const std::string& item : order_) all += (all.empty() ? "" : ", and ") + item;
            order_.clear();
            return say(std::string(kOrderBefore) + " " + all + " " + std::string(kOrderBehind));
        }
        case Wish::Cancel:
            order_.clear();
            return say(std::string(kCancelled));
        case Wish::Again:
            return {last_, false};
        case Wish::Quiet:
            return {std::string(kListening), false};
        case Wish::Goodbye:
            return say(std::string(kGoodbye), true);
    }
    return {};
}

Answer Dialogue::take_order(std::string item) {
    if (order_.size() == kMostItems) return say(std::string(kTooMuch));
    order_.push_back(item);
    return say(capitalised(std::move(item)) + ". " + std::string(kAnythingElse));
}

}  // namespace offhook::local_ai
