#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::config {

/// A numeric address and a port, as written in `listen` keys.
struct HostPort {
    std::string host;  ///< without brackets: "127.0.0.1", "::1"; "localhost" is read as 127.0.0.1
    std::uint16_t port = 0;  ///< 0: chosen by the kernel

    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] bool is_wildcard() const;  ///< 0.0.0.0 or ::
    /// "127.0.0.1:5000", "[::1]:5000"
    [[nodiscard]] std::string text() const;
};

enum class Transport : std::uint8_t { Udp, Tcp };

/// One of `[sip] listen`: "udp:127.0.0.1:5060".
struct SipListen {
    Transport transport = Transport::Udp;
    HostPort address;
};

/// "host:port" with a numeric host (IPv6 in brackets) or localhost.
/// @errors InvalidArgument with a sentence that says what is allowed
[[nodiscard]] base::Result<HostPort> parse_host_port(std::string_view text);
/// "host" or "host:port" of a server that we ask: a name, or a numeric address (IPv6 in brackets).
/// @param default_port  when none is written
/// @errors InvalidArgument with a sentence that says what is allowed
[[nodiscard]] base::Result<HostPort> parse_server(std::string_view text,
                                                  std::uint16_t default_port);
/// "udp:host:port" or "tcp:host:port".
[[nodiscard]] base::Result<SipListen> parse_sip_listen(std::string_view text);

/// Whether `text` is a numeric IPv4 or IPv6 address (no port, no brackets).
[[nodiscard]] bool is_numeric_address(std::string_view text);

}  // namespace offhook::config
