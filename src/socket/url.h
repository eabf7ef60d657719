#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::socket {

struct Url {
    enum class Scheme : std::uint8_t { Ws, Wss, Tcp };
    Scheme scheme = Scheme::Ws;
    std::string host;  ///< lower case; IPv6 without brackets
    std::uint16_t port = 0;
    std::string target;  ///< "/path?query" as written; "/" when there is none

    [[nodiscard]] bool is_secure() const noexcept { return scheme == Scheme::Wss; }
    /// For a Host header: the port only when it is not the scheme's own.
    [[nodiscard]] std::string authority() const;
    /// "host:port" with the port always, as CONNECT wants it.
    [[nodiscard]] std::string host_and_port() const;
};

/// RFC 3986 §3, as far as a configuration needs it: scheme, host, port, path, query.
/// @errors InvalidArgument with a sentence; the URL itself is not in it, its query may be secret
[[nodiscard]] base::Result<Url> parse_url(std::string_view text);

struct ProxyAddress {
    std::string host;
    std::uint16_t port = 0;
};
/// "http://host:port". @errors InvalidArgument
[[nodiscard]] base::Result<ProxyAddress> parse_proxy(std::string_view text);

/// The target ("/path?query") that a Location leads to; nothing when it leaves the origin of `from`,
/// which is scheme, host and port, `http` counting as `ws` and `https` as `wss`.
[[nodiscard]] std::optional<std::string> redirect_within(const Url& from,
                                                         std::string_view location);

}  // namespace offhook::socket
