#include "config/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <charconv>

#include "config/cidr.h"

namespace offhook::config {
namespace {

base::Result<HostPort> refuse(std::string_view what) {
    return base::fail(base::ErrorCode::InvalidArgument,
                      "must be " + std::string(what) + ", such as 127.0.0.1:5000 or [::1]:5000");
}

}  // namespace

bool is_numeric_address(std::string_view text) {
    if (text.size() >= INET6_ADDRSTRLEN) return false;
    const std::string copy(text);
    std::array<std::uint8_t, 16> bytes{};
    return inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1 ||
           inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1;
}

bool HostPort::is_loopback() const {
    static const auto kV4 = *Cidr::parse("127.0.0.0/8");
    static const auto kV6 = *Cidr::parse("::1");
    return kV4.contains(host) || kV6.contains(host);
}

bool HostPort::is_wildcard() const {
    return host == "0.0.0.0" || host == "::";
}

std::string HostPort::text() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

base::Result<HostPort> parse_host_port(std::string_view text) {
    HostPort result;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return refuse("host:port");
    std::string_view host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return refuse("host:port with an IPv6 address in brackets");
    }
    if (host == "localhost") host = "127.0.0.1";
    if (!is_numeric_address(host)) return refuse("host:port with a numeric address");
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
        return refuse("host:port with a port of 0 (the kernel chooses) to 65535");
    }
    result.host = host;
    return result;
}

base::Result<HostPort> parse_server(std::string_view text, std::uint16_t default_port) {
    constexpr std::size_t kMaxNameBytes = 253;
    const auto refuse_server = [] {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "must be host or host:port, such as stun.example.com:3478 or "
                          "[2001:db8::1]:3478");
    };
    HostPort result{.host = {}, .port = default_port};
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return refuse_server();
        result.host = text.substr(1, end - 1);
        if (!is_numeric_address(result.host)) return refuse_server();
        port = text.substr(end + 1);
    } else {
        result.host = text.substr(0, text.find(':'));
        port = text.substr(result.host.size());
    }
    const bool is_host = !result.host.empty() && result.host.size() <= kMaxNameBytes &&
                         result.host.find_first_not_of(
                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
                             "RSTUVWXYZ0123456789.-:_") == std::string::npos;
    if (!is_host || (!port.empty() && port.front() != ':')) return refuse_server();
    if (port.empty()) return result;
    const auto [end, error] =
        std::from_chars(port.data() + 1, port.data() + port.size(), result.port);
    if (error != std::errc{} || end != port.data() + port.size() || result.port == 0)
        return refuse_server();
    return result;
}

base::Result<SipListen> parse_sip_listen(std::string_view text) {
    SipListen result;
    const std::string_view transport = text.substr(0, text.find(':'));
    if (transport == "udp") {
        result.transport = Transport::Udp;
    } else if (transport == "tcp") {
        result.transport = Transport::Tcp;
    } else {
        return base::fail(
            base::ErrorCode::InvalidArgument,
            "must be transport:host:port with transport udp or tcp, such as udp:127.0.0.1:5060");
    }
    auto address =
        parse_host_port(text.substr(transport.size() + (text.size() > transport.size() ? 1 : 0)));
    if (!address) return tl::unexpected(address.error());
    result.address = *std::move(address);
    return result;
}

}  // namespace offhook::config
