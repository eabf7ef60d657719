#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace offhook::http {

/// Decides whether a Host and an Origin header belong to us: against DNS rebinding and requests
/// that a page of somebody else's makes in an operator's browser.
class OriginGuard {
public:
    /// @param listen_host the address we listen on  @param hosts further names that a proxy or
    /// operator uses
    OriginGuard(const std::string& listen_host, const std::vector<std::string>& hosts);

    /// @param host       Host header, "name[:port]"
    /// @param local_host numeric address the request came in on; always good, since a rebinding
    /// page has a name
    [[nodiscard]] bool allows_host(std::string_view host, std::string_view local_host) const;

    /// Whether `origin` (Origin header) is the very origin of `host`: same name and port, http or
    /// https. "null" never is.
    [[nodiscard]] static bool is_same_origin(std::string_view origin, std::string_view host);

private:
    std::vector<std::string> names_;
};

}  // namespace offhook::http
