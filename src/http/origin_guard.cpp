#include "http/origin_guard.h"

#include <algorithm>

namespace offhook::http {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower(x) == lower(y);
    });
}

// "[::1]:5000" -> "::1", "name:5000" -> "name"; empty when what follows is not a port.
std::string_view name_of(std::string_view host) {
    std::string_view rest;
    std::string_view name;
    if (!host.empty() && host.front() == '[') {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos) return {};
        name = host.substr(1, end - 1);
        rest = host.substr(end + 1);
    } else {
        const std::size_t colon = host.find(':');
        name = host.substr(0, colon);
        rest = colon == std::string_view::npos ? std::string_view() : host.substr(colon);
    }
    const bool good_port =
        rest.empty() ||
        (rest.front() == ':' && rest.size() <= 6 &&
         std::all_of(rest.begin() + 1, rest.end(), [](char c) { return c >= '0' && c <= '9'; }));
    return good_port ? name : std::string_view();
}

}  // namespace

OriginGuard::OriginGuard(const std::string& listen_host, const std::vector<std::string>& hosts)
    : names_(hosts) {
    names_.insert(names_.end(), {"localhost", "127.0.0.1", "::1", listen_host});
}

bool OriginGuard::allows_host(std::string_view host, std::string_view local_host) const {
    const std::string_view name = name_of(host);
    if (name.empty()) return false;
    return same(name, local_host) ||
           std::any_of(names_.begin(), names_.end(), [&](const std::string& good) {
               return same(name, good);
           });
}

bool OriginGuard::is_same_origin(std::string_view origin, std::string_view host) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (origin.starts_with(scheme) && same(origin.substr(scheme.size()), host)) return true;
    }
    return false;
}

}  // namespace offhook::http
