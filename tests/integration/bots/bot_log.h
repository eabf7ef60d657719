#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace offhook::harness {

/// One line of what a bot of the tests wrote down.
struct BotLine {
    double at_ms = 0;
    std::string got;               ///< a text of Offhook, as it came
    std::vector<std::byte> sound;  ///< a binary of Offhook
    std::string note;              ///< what the bot did
    std::string line;              ///< all of it, JSON
};

/// What it wrote down so far.
[[nodiscard]] std::vector<BotLine> read_bot_log(const std::filesystem::path& path);

/// Position of `part` in `whole`, in bytes; npos: it is not there.
[[nodiscard]] std::size_t find_bytes(const std::vector<std::byte>& whole,
                                     const std::vector<std::byte>& part);
inline constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

}  // namespace offhook::harness
