#include "signalling/sip/stream_framer.h"

#include <strings.h>

#include <charconv>

#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {
namespace {

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

}  // namespace

std::optional<std::size_t> content_length_of(std::string_view headers) {
    std::optional<std::size_t> length;
    while (!headers.empty()) {
        const auto end = headers.find('\n');
        const std::string_view line = headers.substr(0, end);
        headers.remove_prefix(end == std::string_view::npos ? headers.size() : end + 1);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        const std::string_view name = trimmed(line.substr(0, colon));
        if (!same(name, "Content-Length") && !same(name, "l")) continue;
        const std::string_view value = trimmed(line.substr(colon + 1));
        std::size_t number = 0;
        const auto [stop, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || stop != value.data() + value.size()) return std::nullopt;
        // Two lengths that disagree are how one message is smuggled inside another.
        if (length && *length != number) return std::nullopt;
        length = number;
    }
    return length;
}

void StreamFramer::drop_taken() {
    if (taken_ == 0) return;
    buffer_.erase(0, taken_);
    taken_ = 0;
    scanned_ = 0;
}

bool StreamFramer::take_pong() {
    drop_taken();
    if (!buffer_.starts_with("\r\n") || buffer_.starts_with("\r\n\r\n")) return false;
    buffer_.erase(0, 2);
    scanned_ = 0;
    return true;
}

StreamFramer::Step StreamFramer::next() {
    using Kind = Step::Kind;
    drop_taken();
    if (buffer_.starts_with("\r\n\r\n")) {
        taken_ = 4;
        return {Kind::Ping, {}};
    }
    // A pong, or an empty line before a message (RFC 3261 §7.5). A first CRLF may be half a ping:
    // wait for what follows.
    if (buffer_.starts_with("\r\n") && buffer_.size() > 2 && buffer_[2] != '\r') {
        buffer_.erase(0, 2);
    }
    if (buffer_.empty() || buffer_ == "\r" || buffer_ == "\r\n" || buffer_ == "\r\n\r") return {};

    const auto end = buffer_.find("\r\n\r\n", scanned_);
    if (end == std::string::npos) {
        if (buffer_.size() > kMaxMessageBytes) return {Kind::Broken, "headers without end"};
        scanned_ = buffer_.size() < 3 ? 0 : buffer_.size() - 3;
        return {};
    }
    const std::size_t body = end + 4;
    const auto length = content_length_of(std::string_view(buffer_).substr(0, end + 2));
    if (!length) return {Kind::Broken, "no usable Content-Length"};
    if (*length > kMaxMessageBytes || body + *length > kMaxMessageBytes)
        return {Kind::Broken, "message too long"};
    if (buffer_.size() < body + *length) {
        scanned_ = end;
        return {};
    }
    taken_ = body + *length;
    return {Kind::Message, std::string_view(buffer_).substr(0, taken_)};
}

}  // namespace offhook::signalling::sip
