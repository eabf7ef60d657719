#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace offhook::socket {

/// Bytes of a head, its start line and blank line included; longer ones are refused.
inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;

/// What stands before the body of an HTTP/1.1 message (RFC 9112 §2).
struct HttpHead {
    std::string start_line;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names lower-case

    /// The first of that name (lower-case); null when there is none.
    [[nodiscard]] const std::string* find(std::string_view name) const noexcept;
    /// Whether a comma-separated list has `token`, in any case.
    [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;
    /// All elements of a comma-separated list, over several headers of that name.
    [[nodiscard]] std::vector<std::string> list(std::string_view name) const;
};

/// Bytes up to and with the blank line; 0 while it has not come.
[[nodiscard]] std::size_t head_length(std::string_view bytes) noexcept;
/// @param bytes  a head with its blank line. @return nothing when it is malformed
[[nodiscard]] std::optional<HttpHead> parse_head(std::string_view bytes);

struct StatusLine {
    int code = 0;  ///< 100 to 599
    std::string reason;
};
[[nodiscard]] std::optional<StatusLine> parse_status_line(std::string_view line);

/// Whether it can stand in a head without ending its line (RFC 9110 §5.1, §5.5).
[[nodiscard]] bool is_header_name(std::string_view text) noexcept;
[[nodiscard]] bool is_header_value(std::string_view text) noexcept;
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// 16 random bytes in base64 (RFC 6455 §4.1).
[[nodiscard]] std::string new_websocket_key();
/// What a server answers to a key (RFC 6455 §4.2.2).
[[nodiscard]] std::string websocket_accept(std::string_view key);

}  // namespace offhook::socket
