#include "socket/http_head.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <span>

namespace offhook::socket {
namespace {

char lower(char one) noexcept {
    return one >= 'A' && one <= 'Z' ? static_cast<char>(one - 'A' + 'a') : one;
}

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string base64(std::span<const unsigned char> bytes) {
    std::array<unsigned char, 64> text{};
    const int length = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
}

}  // namespace

const std::string* HttpHead::find(std::string_view name) const noexcept {
    for (const auto& [own, value] : headers) {
        if (own == name) return &value;
    }
    return nullptr;
}

std::vector<std::string> HttpHead::list(std::string_view name) const {
    std::vector<std::string> result;
    for (const auto& [own, value] : headers) {
        if (own != name) continue;
        for (std::size_t at = 0; at <= value.size();) {
            const std::size_t comma = std::min(value.find(',', at), value.size());
            const auto element = trimmed(std::string_view(value).substr(at, comma - at));
            if (!element.empty()) result.emplace_back(element);
            at = comma + 1;
        }
    }
    return result;
}

bool HttpHead::has_token(std::string_view name, std::string_view token) const {
    const std::vector<std::string> all = list(name);
    return std::any_of(all.begin(), all.end(), [&](const std::string& one) {
        return equals_ignoring_case(one, token);
    });
}

std::size_t head_length(std::string_view bytes) noexcept {
    const std::size_t end = bytes.find("\r\n\r\n");
    return end == std::string_view::npos ? 0 : end + 4;
}

std::optional<HttpHead> parse_head(std::string_view bytes) {
    HttpHead head;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t end = bytes.find("\r\n", at);
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view line = bytes.substr(at, end - at);
        if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
            return std::nullopt;
        }
        at = end + 2;
        if (head.start_line.empty()) {
            if (line.empty()) return std::nullopt;
            head.start_line = line;
            continue;
        }
        if (line.empty()) return at == bytes.size() ? std::optional(std::move(head)) : std::nullopt;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_header_name(line.substr(0, colon))) {
            return std::nullopt;
        }
        std::string name(line.substr(0, colon));
        std::transform(name.begin(), name.end(), name.begin(), lower);
        head.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
    }
    return std::nullopt;
}

std::optional<StatusLine> parse_status_line(std::string_view line) {
    // "HTTP/1.1 101 Switching Protocols"; some leave the reason and its space out.
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' ||
        (line.size() > 12 && line[12] != ' ')) {
        return std::nullopt;
    }
    StatusLine status;
    for (const char digit : line.substr(9, 3)) {
        if (digit < '0' || digit > '9') return std::nullopt;
        status.code = status.code * 10 + (digit - '0');
    }
    if (status.code < 100 || status.code > 599) return std::nullopt;
    if (line.size() > 13) status.reason = line.substr(13);
    return status;
}

bool is_header_name(std::string_view text) noexcept {
    static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char one) {
        return (one >= '0' && one <= '9') || (lower(one) >= 'a' && lower(one) <= 'z') ||
               kOthers.find(one) != std::string_view::npos;
    });
}

bool is_header_value(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char one) {
        const auto byte = static_cast<unsigned char>(one);
        return (byte >= 0x20 && byte != 0x7F) || one == '\t';
    });
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower(x) == lower(y);
    });
}

std::string new_websocket_key() {
    std::array<unsigned char, 16> bytes{};
    RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    return base64(bytes);
}

std::string websocket_accept(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return base64(digest);
}

}  // namespace offhook::socket
