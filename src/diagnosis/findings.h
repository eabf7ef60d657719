#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace offhook::diagnosis {

enum class Severity : std::uint8_t { Error, Warning, Info };
/// "error", "warning", "info"
[[nodiscard]] std::string_view name_of(Severity severity) noexcept;

/// One entry of findings.json, which browsers have as well.
struct Known {
    std::string_view code;
    Severity severity = Severity::Error;
    bool is_seen_by_daemon = false;
    std::string_view cause, fix;  ///< a sentence each
};
/// The whole table, in its order.
[[nodiscard]] std::span<const Known> known_findings() noexcept;

/// Something that is wrong, and the figures that show it.
struct Finding {
    Known known;
    std::string evidence;  ///< a sentence; escaped
};

}  // namespace offhook::diagnosis
