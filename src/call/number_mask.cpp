#include "call/number_mask.h"

#include <algorithm>

namespace offhook::call {

std::string mask_numbers(std::string_view text) {
    constexpr std::size_t kNumberDigits = 7;
    constexpr std::size_t kShown = 3;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const auto begin = text.begin() + static_cast<std::ptrdiff_t>(i);
        const auto run =
            static_cast<std::size_t>(std::find_if_not(begin, text.end(), is_digit) - begin);
        if (run >= kNumberDigits) {
            out += "***";
            out += text.substr(i + run - kShown, kShown);
        } else {
            out += text.substr(i, std::max<std::size_t>(run, 1));
        }
        i += std::max<std::size_t>(run, 1);
    }
    return out;
}

}  // namespace offhook::call
