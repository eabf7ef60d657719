#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace offhook::sdp::detail {

/// "a=name:value", of the names that something here reads. A view into the text.
struct Attribute {
    std::string_view name, value;
};

/// What stands under one m= line, or before the first (then without media).
struct Section {
    std::string_view media, protocol;
    std::string_view formats;  ///< as written, words and single or more blanks
    std::uint16_t port = 0;
    std::string_view connection;  ///< of its c= line, "IN IP4 192.0.2.1"; empty: none
    std::vector<Attribute> attributes;

    [[nodiscard]] bool has(std::string_view name) const;
    /// The value of the first one of that name.
    [[nodiscard]] std::optional<std::string_view> value(std::string_view name) const;
    [[nodiscard]] std::vector<std::string_view> values(std::string_view name) const;
};

/// A session description as lines, nothing understood yet. Views into the text.
struct Description {
    std::string_view session_id, version;  ///< of o=
    std::string_view name;                 ///< of s=
    Section session;
    std::vector<Section> media;
};

/// parse (RFC 8866). Line ends may be CRLF, LF or CR.
/// @errors Malformed: no v=, o= or m=, a broken m= line, or a bound exceeded (32 KiB, 16 m= lines,
/// 256 attributes that matter under one of them)
[[nodiscard]] base::Result<Description> parse(std::string_view text);

}  // namespace offhook::sdp::detail
