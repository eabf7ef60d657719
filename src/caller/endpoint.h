#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::caller {

/// A numeric IPv4 or IPv6 address with a port. A plain value.
class Endpoint {
public:
    Endpoint() = default;  ///< none: `is_set()` is false

    /// From the kernel's form; unset for other families.
    [[nodiscard]] static Endpoint from(const sockaddr_storage& address) noexcept;
    /// From a numeric address ("127.0.0.1", "::1", also in brackets); empty when it is not one.
    [[nodiscard]] static std::optional<Endpoint> numeric(std::string_view host, std::uint16_t port);
    /// Resolves a name or numeric address. Blocks on the resolver: before the loop only.
    /// @errors NotFound with the resolver's words
    [[nodiscard]] static base::Result<Endpoint> resolve(const std::string& host,
                                                        std::uint16_t port);

    [[nodiscard]] bool is_set() const noexcept { return storage_.v4.sin_family != AF_UNSPEC; }
    [[nodiscard]] bool is_v6() const noexcept { return storage_.v4.sin_family == AF_INET6; }
    [[nodiscard]] int family() const noexcept { return storage_.v4.sin_family; }
    [[nodiscard]] std::uint16_t port() const noexcept;
    void set_port(std::uint16_t port) noexcept;
    [[nodiscard]] const sockaddr* address() const noexcept;
    [[nodiscard]] socklen_t length() const noexcept;
    /// "127.0.0.1" or "::1".
    [[nodiscard]] std::string host() const;
    /// The host as a URI has it: IPv6 in brackets.
    [[nodiscard]] std::string uri_host() const;
    /// "127.0.0.1:5060" or "[::1]:5060".
    [[nodiscard]] std::string text() const;
    /// "IP4" or "IP6", as SDP says it.
    [[nodiscard]] std::string_view sdp_family() const noexcept { return is_v6() ? "IP6" : "IP4"; }

    [[nodiscard]] bool operator==(const Endpoint& other) const noexcept;

private:
    union Storage {
        sockaddr_in v4;
        sockaddr_in6 v6;
    };
    Storage storage_{};
};

}  // namespace offhook::caller
