#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/utf8.h"

namespace offhook::base {
namespace {

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const Utf8Char c = decode_utf8(text);
        if (c.length == 0) {
            out += "\xEF\xBF\xBD";  // U+FFFD
            text.remove_prefix(1);
            continue;
        }
        if (c.code_point == '"' || c.code_point == '\\') {
            out += '\\';
            out += text[0];
        } else if (c.code_point < 0x20 || c.code_point == 0x7F || c.code_point == 0x2028 ||
                   c.code_point == 0x2029) {
            std::array<char, 8> escaped{};
            std::snprintf(escaped.data(), escaped.size(), "\\u%04x", c.code_point);
            out += escaped.data();
        } else {
            out += text.substr(0, c.length);
        }
        text.remove_prefix(c.length);
    }
    out += '"';
}

}  // namespace

std::string short_number(double number) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(
        text.data(), text.data() + text.size(), number, std::chars_format::general, 10);
    return {text.data(), end.ptr};
}

JsonWriter& JsonWriter::end() {
    out_ += closers_.back();
    closers_.pop_back();
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    append_quoted(out_, name);
    out_ += ':';
    first_ = true;  // the value that follows takes no comma
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    append_quoted(out_, text);
    return *this;
}

JsonWriter& JsonWriter::value(double number) {
    return std::isfinite(number) ? raw(short_number(number)) : null();
}

JsonWriter& JsonWriter::open(char opening, char closing) {
    separate();
    out_ += opening;
    closers_ += closing;
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::raw(std::string_view literal) {
    separate();
    out_ += literal;
    return *this;
}

void JsonWriter::separate() {
    if (!first_) out_ += ',';
    first_ = false;
}

}  // namespace offhook::base
