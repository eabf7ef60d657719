#include "ai/protocols/message.h"

#include <simdjson.h>

#include <bit>
#include <cmath>
#include <string>
#include <type_traits>

namespace offhook::ai {
namespace {

using simdjson::dom::element;

/// What the parsers of all a thread's bots share: their buffers are a multiple of the longest
/// message, and hot.
struct Reader {
    simdjson::dom::parser parser{Message::kMaxBytes};
    bool has_depth = false;
};

// A parser that one long message made grow is made anew.
constexpr std::size_t kKeepBytes = std::size_t{64} * 1024;

base::Result<element> parse(std::string_view text) {
    thread_local Reader reader;
    if (!reader.has_depth || (reader.parser.capacity() > kKeepBytes && text.size() < kKeepBytes)) {
        reader.parser = simdjson::dom::parser{Message::kMaxBytes};
        const auto error =
            reader.parser.allocate(kKeepBytes, static_cast<std::size_t>(Message::kMaxDepth));
        reader.has_depth = error == simdjson::SUCCESS;
        if (!reader.has_depth) {
            return base::fail(base::ErrorCode::LimitReached,
                              "there is no memory to read a message",
                              simdjson::error_message(error));
        }
    }
    element root;
    // It copies the text: simdjson reads past its end.
    const auto error = reader.parser.parse(text.data(), text.size(), true).get(root);
    if (error != simdjson::SUCCESS) {
        return base::fail(
            base::ErrorCode::Malformed, "the message is no JSON", simdjson::error_message(error));
    }
    return root;
}

std::optional<element> find(element from, std::string_view path) noexcept {
    while (true) {
        const std::size_t dot = path.find('.');
        simdjson::dom::object object;
        if (from.get(object) != simdjson::SUCCESS) return std::nullopt;
        if (object.at_key(path.substr(0, dot)).get(from) != simdjson::SUCCESS) return std::nullopt;
        if (dot == std::string_view::npos) return from;
        path.remove_prefix(dot + 1);
    }
}

template <class T, class Opaque>
std::optional<T> get(const Opaque& root, std::string_view path) noexcept {
    const auto found = find(std::bit_cast<element>(root), path);
    T value{};
    if (!found || found->get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
}

}  // namespace

base::Result<Message> Message::read(std::string_view text) {
    static_assert(std::is_trivially_copyable_v<element> && sizeof(element) == sizeof(Element));
    if (text.size() > kMaxBytes) {
        return base::fail(base::ErrorCode::Malformed,
                          "the message has " + std::to_string(text.size()) + " bytes, " +
                              std::to_string(kMaxBytes) + " are read");
    }
    auto root = parse(text);
    if (!root) return tl::unexpected(root.error());
    if (!root->is_object())
        return base::fail(base::ErrorCode::Malformed, "the message is JSON, but not an object");
    return Message(std::bit_cast<Element>(*root));
}

std::optional<std::string_view> Message::text(std::string_view path) const noexcept {
    return get<std::string_view>(element_, path);
}

std::optional<double> Message::number(std::string_view path) const noexcept {
    return get<double>(element_, path);
}

std::optional<std::int64_t> Message::whole(std::string_view path) const noexcept {
    if (const auto value = get<std::int64_t>(element_, path)) return value;
    const auto value = number(path);
    constexpr double kExact = 9007199254740992;  // 2^53
    if (!value || std::trunc(*value) != *value || std::abs(*value) > kExact) return std::nullopt;
    return static_cast<std::int64_t>(*value);
}

std::optional<bool> Message::boolean(std::string_view path) const noexcept {
    return get<bool>(element_, path);
}

std::optional<Message> Message::object(std::string_view path) const noexcept {
    const auto found = find(std::bit_cast<element>(element_), path);
    if (!found || !found->is_object()) return std::nullopt;
    return Message(std::bit_cast<Element>(*found));
}

std::vector<Message> Message::objects(std::string_view path) const {
    std::vector<Message> out;
    simdjson::dom::array items;
    const auto found = find(std::bit_cast<element>(element_), path);
    if (!found || found->get(items) != simdjson::SUCCESS) return out;
    for (const element item : items)
        if (item.is_object()) out.push_back(Message(std::bit_cast<Element>(item)));
    return out;
}

}  // namespace offhook::ai
