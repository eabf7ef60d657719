#include "bot_log.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "ai/protocols/base64.h"
#include "ai/protocols/message.h"

namespace offhook::harness {

std::vector<BotLine> read_bot_log(const std::filesystem::path& path) {
    std::vector<BotLine> lines;
    std::ifstream file(path);
    for (std::string text; std::getline(file, text);) {
        const auto message = ai::Message::read(text);
        if (!message) break;  // half a line: it is being written
        BotLine line{.at_ms = message->number("at").value_or(0),
                     .got = std::string(message->text("got").value_or("")),
                     .sound = {},
                     .note = std::string(message->text("note").value_or("")),
                     .line = text};
        if (const auto bytes = message->text("bytes");
            bytes && !ai::decode_base64(*bytes, line.sound))
            throw std::runtime_error("no base64: " + text);
        lines.push_back(std::move(line));
    }
    return lines;
}

std::size_t find_bytes(const std::vector<std::byte>& whole, const std::vector<std::byte>& part) {
    const auto found = std::search(whole.begin(), whole.end(), part.begin(), part.end());
    return found == whole.end() ? kNowhere : static_cast<std::size_t>(found - whole.begin());
}

}  // namespace offhook::harness
