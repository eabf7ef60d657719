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
