#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace offhook::ai {

/// A JSON object that a bot sent, or an object inside one. Read once, by simdjson: 0.15 us for a
/// message of 20 ms of sound (json-glib: 4.5 us, rapidjson: 0.9 us).
///
///     const auto message = Message::read(text);
///     if (message) play(message->text("media.payload"));
///
/// A member is named by its path, with dots. One that is missing and one of another type are the
/// same: empty. Of two with one name the first counts.
///
/// It stands in a buffer of the thread's: valid, with all that came from it, until the next `read`
/// on this thread. For JSON in a string of another message, copy what you need of that one first.
class Message {
public:
    static constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;  ///< a minute of 24 kHz in base64
    static constexpr int kMaxDepth = 32;

    /// @errors Malformed: no JSON (RFC 8259), not UTF-8, deeper than kMaxDepth, longer than
    /// kMaxBytes, or not an object. A sentence for `BotHost::complain`.
    [[nodiscard]] static base::Result<Message> read(std::string_view text);

    [[nodiscard]] std::optional<std::string_view> text(std::string_view path) const noexcept;
    [[nodiscard]] std::optional<double> number(std::string_view path) const noexcept;
    /// Also of a number that is written with a fraction of zero.
    [[nodiscard]] std::optional<std::int64_t> whole(std::string_view path) const noexcept;
    [[nodiscard]] std::optional<bool> boolean(std::string_view path) const noexcept;
    [[nodiscard]] std::optional<Message> object(std::string_view path) const noexcept;
    /// The objects in an array, others left out.
    [[nodiscard]] std::vector<Message> objects(std::string_view path) const;

private:
    // A simdjson::dom::element, whose header is too long for everybody who reads this one.
    struct Element {
        const void* document = nullptr;
        std::size_t index = 0;
    };
    explicit Message(Element element) noexcept : element_(element) {}

    Element element_;
};

}  // namespace offhook::ai
