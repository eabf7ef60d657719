#include "ai/protocols/url_query.h"

namespace offhook::ai {
namespace {

void append_encoded(std::string_view text, std::string& out) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_unreserved = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                                   (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
                                   byte == '_' || byte == '~';
        if (is_unreserved) {
            out += c;
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 0xF];
        }
    }
}

}  // namespace

std::string with_query(std::string_view url,
                       const std::vector<std::pair<std::string, std::string>>& parameters) {
    std::string out(url);
    char separator = url.find('?') == std::string_view::npos ? '?' : '&';
    for (const auto& [name, value] : parameters) {
        out += separator;
        append_encoded(name, out);
        out += '=';
        append_encoded(value, out);
        separator = '&';
    }
    return out;
}

}  // namespace offhook::ai
