#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace offhook::sdp::detail {

/// Whether two words of a description are the same, without regard to case.
[[nodiscard]] bool same(std::string_view a, std::string_view b) noexcept;

/// Takes the word before the next `separator` off the front, and the separators behind it.
[[nodiscard]] std::string_view take(std::string_view& rest, char separator = ' ') noexcept;

/// Whether `word` is 1 to `most` bytes of printable ASCII without blanks: what may come back in a
/// description of ours.
[[nodiscard]] bool is_word(std::string_view word, std::size_t most) noexcept;

/// The number that the whole of `text` is, `least` to `most`.
template <class Number>
[[nodiscard]] std::optional<Number> number_in(std::string_view text, Number least, Number most) {
    Number value{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || stop != text.data() + text.size() || value < least || value > most)
        return std::nullopt;
    return value;
}

}  // namespace offhook::sdp::detail
