#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/monotonic.h"
#include "socket/event_loop.h"
#include "socket/link.h"

namespace offhook::socket {

inline constexpr std::int64_t kTestLimit_ns = 20 * base::kNsPerS;

/// Turns the loop until `done`; false after 20 s.
inline bool turn_until(EventLoop& loop, const std::function<bool()>& done) {
    const std::int64_t deadline_ns = base::monotonic_ns() + kTestLimit_ns;
    while (!done()) {
        if (base::monotonic_ns() > deadline_ns) return false;
        loop.turn(50 * base::kNsPerMs);
    }
    return true;
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

/// Writes down what a link tells, and does what a test asks meanwhile.
struct Recorder final : LinkEvents {
    void on_open() override {
        EXPECT_FALSE(is_opened || end) << "opened twice, or after the end";
        is_opened = true;
        if (when_open) when_open();
    }
    void on_text(std::string_view text) override { add("t", text); }
    void on_binary(std::span<const std::byte> bytes) override {
        add("b", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    void on_closed(const LinkEnd& why) override {
        EXPECT_FALSE(end) << "ended twice";
        end = why;
        if (when_closed) when_closed();
    }
    void add(const char* kind, std::string_view text) {
        EXPECT_TRUE(is_opened && !end) << "a message outside of the connection";
        messages.emplace_back(std::string(kind) + std::string(text));
        if (when_message) when_message();
    }
    [[nodiscard]] std::string ending() const {
        return end ? std::string(name_of(end->why)) + " " + std::to_string(end->code) : "none";
    }
    /// All bytes, as a TCP link gives them.
    [[nodiscard]] std::string bytes() const {
        std::string all;
        for (const std::string& one : messages) all += one.substr(1);
        return all;
    }

    bool is_opened = false;
    std::vector<std::string> messages;  ///< "t" or "b" and the payload
    std::optional<LinkEnd> end;
    std::function<void()> when_open, when_message, when_closed;
    std::unique_ptr<Link> link;
};

}  // namespace offhook::socket
