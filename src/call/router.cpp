#include "call/router.h"

namespace offhook::call {

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) &&
            pattern[p] != '*') {
            ++p;
            ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (star != std::string_view::npos) {
            // Only the last star needs to give way: what stood before it matched already.
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

const config::Route* find_route(const std::vector<config::Route>& routes,
                                std::string_view to_user,
                                std::string_view from_user,
                                std::string_view account) noexcept {
    for (const config::Route& route : routes) {
        if (!route.account.empty() && route.account != account) continue;
        if (glob_matches(route.to, to_user) && glob_matches(route.from, from_user)) return &route;
    }
    return nullptr;
}

const config::Route* route_named(const std::vector<config::Route>& routes,
                                 std::string_view name) noexcept {
    for (const config::Route& route : routes) {
        if (route.name == name) return &route;
    }
    return nullptr;
}

}  // namespace offhook::call
