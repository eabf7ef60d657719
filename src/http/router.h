#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "http/route.h"

namespace offhook::http {

/// Method and path pattern to what answers. A segment `{name}` of a pattern takes any one non-empty
/// segment.
class Router {
public:
    void add(std::string method, std::string pattern, Target target);

    struct Match {
        const Target* target = nullptr;  ///< empty: no such path, or not with this method
        std::string_view pattern;        ///< empty: no such path. Bounded: fit for a metric label
        std::string allow;               ///< "GET, HEAD": the methods the path has
        std::map<std::string, std::string> params;
    };
    [[nodiscard]] Match find(std::string_view method, std::string_view path) const;

    struct Route {
        std::string method, pattern;
        std::vector<std::string> segments;
        Target target;
    };
    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

private:
    std::vector<Route> routes_;
};

}  // namespace offhook::http
