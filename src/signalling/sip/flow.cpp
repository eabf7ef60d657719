#include "signalling/sip/flow.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "glib/stream_dialer.h"

namespace offhook::signalling::sip {
namespace {

const sockaddr_in& as_v4(const SocketAddress& a) {
    return *reinterpret_cast<const sockaddr_in*>(&a.storage);
}

const sockaddr_in6& as_v6(const SocketAddress& a) {
    return *reinterpret_cast<const sockaddr_in6*>(&a.storage);
}

}  // namespace

std::string_view name_of(Transport transport) noexcept {
    constexpr std::array<std::string_view, 5> kNames{"udp", "tcp", "tls", "ws", "wss"};
    return kNames[static_cast<std::size_t>(transport)];
}

std::string_view via_name_of(Transport transport) noexcept {
    constexpr std::array<std::string_view, 5> kNames{"UDP", "TCP", "TLS", "WS", "WSS"};
    return kNames[static_cast<std::size_t>(transport)];
}

std::string_view uri_transport_of(Transport transport) noexcept {
    constexpr std::array<std::string_view, 5> kNames{"", "tcp", "tls", "ws", "ws"};
    return kNames[static_cast<std::size_t>(transport)];
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view host, std::uint16_t port) {
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (host.empty() || host.size() >= text.size()) return std::nullopt;
    std::memcpy(text.data(), host.data(), host.size());
    SocketAddress address;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (inet_pton(AF_INET, text.data(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        address.length = sizeof(sockaddr_in);
    } else if (inet_pton(AF_INET6, text.data(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        address.length = sizeof(sockaddr_in6);
    } else {
        return std::nullopt;
    }
    address.set_port(port);
    return address;
}

bool SocketAddress::is_wildcard() const {
    if (family() == AF_INET) return as_v4(*this).sin_addr.s_addr == htonl(INADDR_ANY);
    return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&as_v6(*this).sin6_addr);
}

std::string SocketAddress::host() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* address = family() == AF_INET ? static_cast<const void*>(&as_v4(*this).sin_addr)
                                              : static_cast<const void*>(&as_v6(*this).sin6_addr);
    if (length == 0 || inet_ntop(family(), address, text.data(), text.size()) == nullptr) return {};
    return text.data();
}

std::string SocketAddress::uri_host() const {
    return family() == AF_INET6 ? "[" + host() + "]" : host();
}

std::uint16_t SocketAddress::port() const {
    return ntohs(family() == AF_INET6 ? as_v6(*this).sin6_port : as_v4(*this).sin_port);
}

void SocketAddress::set_port(std::uint16_t port) {
    if (family() == AF_INET6) {
        reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
    } else {
        reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
    }
}

std::string SocketAddress::text() const {
    return uri_host() + ":" + std::to_string(port());
}

bool SocketAddress::operator==(const SocketAddress& other) const {
    if (family() != other.family() || port() != other.port()) return false;
    if (family() == AF_INET) return as_v4(*this).sin_addr.s_addr == as_v4(other).sin_addr.s_addr;
    return std::memcmp(&as_v6(*this).sin6_addr, &as_v6(other).sin6_addr, sizeof(in6_addr)) == 0;
}

base::Result<ListenSpec> ListenSpec::parse(std::string_view text) {
    using base::ErrorCode;
    const auto wrong = [&](std::string_view why) {
        return base::fail(ErrorCode::InvalidArgument,
                          "sip.listen \"" + std::string(text) + "\" " + std::string(why));
    };
    ListenSpec spec;
    if (text.starts_with("udp:")) {
        spec.transport = Transport::Udp;
    } else if (text.starts_with("tcp:")) {
        spec.transport = Transport::Tcp;
    } else {
        return wrong("must begin with udp: or tcp:");
    }
    const std::string_view rest = text.substr(4);
    const auto colon = rest.rfind(':');
    if (colon == std::string_view::npos) return wrong("has no port (udp:ADDRESS:PORT)");
    const std::string_view digits = rest.substr(colon + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size() || port > 65535) {
        return wrong("has no port between 0 and 65535");
    }
    const auto address =
        SocketAddress::parse(rest.substr(0, colon), static_cast<std::uint16_t>(port));
    if (!address) return wrong("needs a numeric address, IPv6 in brackets");
    spec.address = *address;
    return spec;
}

Fd& Fd::operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Fd::~Fd() {
    if (fd_ >= 0) close(fd_);
}

base::Result<Fd> bind_socket(ListenSpec& spec, int dscp) {
    const bool udp = spec.transport == Transport::Udp;
    const std::string what = std::string(name_of(spec.transport)) + ":" + spec.address.text();
    Fd fd(socket(
        spec.address.family(), (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return base::fail_errno("cannot make a socket for " + what, errno);
    const int on = 1;
    if (spec.address.family() == AF_INET6) {
        setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    }
    glib::set_dscp(fd.get(), spec.address.family(), dscp);
    // A restarted daemon must get its TCP port back while old connections are in TIME_WAIT.
    if (!udp) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd.get(), spec.address.raw(), spec.address.length) != 0) {
        return base::fail_errno("cannot listen on " + what, errno);
    }
    if (!udp && listen(fd.get(), 128) != 0)
        return base::fail_errno("cannot listen on " + what, errno);
    const SocketAddress real = local_address_of(fd.get());
    if (real.length == 0) return base::fail_errno("cannot read the port of " + what, errno);
    spec.address = real;
    return fd;
}

SocketAddress local_address_of(int fd) {
    SocketAddress local;
    local.length = sizeof(local.storage);
    if (getsockname(fd, local.raw(), &local.length) != 0) local.length = 0;
    return local;
}

}  // namespace offhook::signalling::sip
