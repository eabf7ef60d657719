#include "http/router.h"

#include <utility>

namespace offhook::http {
namespace {

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty() && path.front() == '/') {
        path.remove_prefix(1);
        const std::size_t slash = path.find('/');
        segments.emplace_back(path.substr(0, slash));
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash);
    }
    return segments;
}

bool is_parameter(const std::string& segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool fits(const std::vector<std::string>& pattern,
          const std::vector<std::string>& path,
          std::map<std::string, std::string>& params) {
    if (pattern.size() != path.size()) return false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (is_parameter(pattern[i])) {
            if (path[i].empty()) return false;
            params[pattern[i].substr(1, pattern[i].size() - 2)] = path[i];
        } else if (pattern[i] != path[i]) {
            return false;
        }
    }
    return true;
}

}  // namespace

void Router::add(std::string method, std::string pattern, Target target) {
    auto segments = segments_of(pattern);
    routes_.push_back(
        {std::move(method), std::move(pattern), std::move(segments), std::move(target)});
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
    const std::vector<std::string> segments = segments_of(path);
    Match match;
    for (const Route& route : routes_) {
        std::map<std::string, std::string> params;
        if (!fits(route.segments, segments, params)) continue;
        if (!match.allow.empty()) match.allow += ", ";
        match.allow += route.method == "GET" ? "GET, HEAD" : route.method;
        if (match.target != nullptr) continue;
        match.pattern = route.pattern;
        if (route.method == method || (method == "HEAD" && route.method == "GET")) {
            match.target = &route.target;
            match.params = std::move(params);
        }
    }
    return match;
}

}  // namespace offhook::http
