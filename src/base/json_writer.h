#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace offhook::base {

/// Writes one JSON text (RFC 8259), front to back, without a tree:
/// `w.begin_object().key("a").value(1).end()`. Any bytes make valid JSON: controls are escaped,
/// invalid UTF-8 becomes U+FFFD, a number that is not finite becomes null. Numbers are short (0.2,
/// not 0.20000000000000001, which is why json-glib's generator is not used). Nesting that does not
/// fit together is the caller's bug and gives broken JSON.
class JsonWriter {
public:
    JsonWriter& begin_object() { return open('{', '}'); }
    JsonWriter& begin_array() { return open('[', ']'); }
    /// Closes the innermost object or array.
    JsonWriter& end();
    JsonWriter& key(std::string_view name);

    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
    JsonWriter& value(bool yes) { return raw(yes ? "true" : "false"); }
    JsonWriter& value(double number);
    template <std::integral I>
    requires(!std::same_as<I, bool>) JsonWriter& value(I number) {
        return raw(std::to_string(number));
    }
    JsonWriter& null() { return raw("null"); }

    /// `key(name).value(v)`.
    template <class T>
    JsonWriter& field(std::string_view name, const T& v) {
        return key(name).value(v);
    }

    [[nodiscard]] const std::string& text() const& { return out_; }
    [[nodiscard]] std::string text() && { return std::move(out_); }

private:
    JsonWriter& open(char opening, char closing);
    JsonWriter& raw(std::string_view literal);
    void separate();

    std::string out_;
    std::string closers_;
    bool first_ = true;
};

/// Shortest text of at most 10 significant digits, "." as decimal point whatever the locale; "nan"
/// and "inf" as such.
[[nodiscard]] std::string short_number(double number);

}  // namespace offhook::base
