#include "config/value.h"

#include <array>
#include <cstdio>

#include "base/json_writer.h"

namespace offhook::config {
namespace {

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            std::array<char, 8> escaped{};
            std::snprintf(escaped.data(), escaped.size(), "\\u%04X", static_cast<unsigned>(byte));
            out += escaped.data();
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace

std::string text_of(const Value& value) {
    if (const auto* yes = std::get_if<bool>(&value)) return *yes ? "true" : "false";
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
    if (const auto* number = std::get_if<double>(&value)) {
        const std::string text = base::short_number(*number);
        // TOML tells 10.0 from 10
        return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
    }
    if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
    std::string out = "[";
    for (const std::string& item : std::get<std::vector<std::string>>(value)) {
        if (out.size() > 1) out += ", ";
        out += quoted(item);
    }
    return out + "]";
}

std::string_view type_of(const Value& value) {
    static constexpr std::array<std::string_view, 5> kNames{
        "true or false", "whole number", "number", "string", "list of strings"};
    return kNames[value.index()];
}

std::string with_article(std::string_view type) {
    return (type.starts_with("true") ? "" : "a ") + std::string(type);
}

}  // namespace offhook::config
