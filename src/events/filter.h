#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "events/event.h"

namespace offhook::events {

/// Which events somebody wants; what is empty lets everything pass.
struct Filter {
    std::vector<std::string> types{};  ///< globs of which one has to match; `*` is any text
    std::string call{}, channel{}, account{};
    log::Level level = log::Level::Info;  ///< this, or worse

    [[nodiscard]] bool takes(const Event& event) const;
};

inline constexpr std::size_t kMaxGlobs = 64;
inline constexpr std::size_t kMaxGlobBytes = 64;

/// "call.*,rtp.*" to globs.
/// @errors InvalidArgument: more than kMaxGlobs, longer than kMaxGlobBytes, or another letter than
///         of a-z 0-9 . _ *
[[nodiscard]] base::Result<std::vector<std::string>> parse_types(std::string_view list);

/// "info", "warning", "error". @errors InvalidArgument
[[nodiscard]] base::Result<log::Level> parse_level(std::string_view name);

/// @param glob `*` stands for any text, also none
[[nodiscard]] bool matches(std::string_view glob, std::string_view text) noexcept;

}  // namespace offhook::events
