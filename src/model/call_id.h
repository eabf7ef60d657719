#pragma once

#include <compare>
#include <functional>
#include <string>

namespace offhook::model {

/// Our name for one call: "c-" and 12 hex digits, random, unique in the process and safe in paths,
/// logs and URLs. Not the SIP Call-ID. Crosses threads by value; pointers to calls never do.
struct CallId {
    std::string text;

    [[nodiscard]] static CallId make();
    [[nodiscard]] bool empty() const noexcept { return text.empty(); }
    auto operator<=>(const CallId&) const = default;
};

}  // namespace offhook::model

template <>
struct std::hash<offhook::model::CallId> {
    std::size_t operator()(const offhook::model::CallId& id) const noexcept {
        return std::hash<std::string>{}(id.text);
    }
};
