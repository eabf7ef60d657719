#include "sdp/detail/text.h"

#include <strings.h>

#include <algorithm>

namespace offhook::sdp::detail {

bool same(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view take(std::string_view& rest, char separator) noexcept {
    const auto skip = [&] {
        rest.remove_prefix(std::min(rest.find_first_not_of(separator), rest.size()));
    };
    skip();
    const std::string_view word = rest.substr(0, rest.find(separator));
    rest.remove_prefix(word.size());
    skip();
    return word;
}

bool is_word(std::string_view word, std::size_t most) noexcept {
    return !word.empty() && word.size() <= most &&
           std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace offhook::sdp::detail
