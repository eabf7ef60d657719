#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace offhook::harness {

/// A value of rtpengine's control protocol ("ng"): bencoded strings, integers, lists and
/// dictionaries.
struct Bencode {
    std::string text;                      ///< of a string
    std::int64_t number = 0;               ///< of an integer
    std::vector<Bencode> items;            ///< of a list
    std::map<std::string, Bencode> table;  ///< of a dictionary

    /// The member, or an empty value.
    [[nodiscard]] const Bencode& operator[](const std::string& key) const;

    /// Nothing when `encoded` is not one whole value, or nests deeper than 32.
    static std::optional<Bencode> parse(std::string_view encoded);
};

/// A dictionary of strings, encoded.
std::string bencoded(const std::map<std::string, std::string>& table);

}  // namespace offhook::harness
