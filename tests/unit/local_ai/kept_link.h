#pragma once

#include <string>
#include <vector>

#include "socket/link.h"

namespace offhook::local_ai {

/// Keeps what is sent.
struct KeptLink final : socket::Link {
    bool send_text(std::string_view text) override {
        texts.emplace_back(text);
        return true;
    }
    bool send_binary(std::span<const std::byte> bytes) override {
        binary_bytes.push_back(bytes.size());
        return true;
    }
    void close(std::uint16_t code, std::string_view /*reason*/) override { closed = code; }
    bool is_open() const noexcept override { return closed == 0; }
    const Counters& counters() const noexcept override { return counted; }

    Counters counted;
    std::vector<std::string> texts;
    std::vector<std::size_t> binary_bytes;
    int closed = 0;  ///< code of our close
};

}  // namespace offhook::local_ai
