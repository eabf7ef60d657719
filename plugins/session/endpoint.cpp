#include "session/endpoint.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace offhook::session {

base::Result<Endpoint> Endpoint::make(const std::string& address, std::uint16_t port) {
    Endpoint endpoint;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&endpoint.address_, &v4, sizeof v4);
        endpoint.size_ = sizeof v4;
    } else if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&endpoint.address_, &v6, sizeof v6);
        endpoint.size_ = sizeof v6;
    } else {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "\"" + address + "\" is not a numeric IP address");
    }
    return endpoint;
}

Endpoint Endpoint::from(const sockaddr_storage& address, socklen_t size) noexcept {
    Endpoint endpoint;
    if (size > sizeof endpoint.address_) return endpoint;
    std::memcpy(&endpoint.address_, &address, size);
    endpoint.size_ = size;
    return endpoint;
}

std::uint16_t Endpoint::port() const noexcept {
    if (family() == AF_INET)
        return ntohs(reinterpret_cast<const sockaddr_in*>(&address_)->sin_port);
    if (family() == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&address_)->sin6_port);
    return 0;
}

bool Endpoint::same_address(const Endpoint& other) const noexcept {
    if (family() != other.family()) return false;
    if (family() == AF_INET) {
        return reinterpret_cast<const sockaddr_in*>(&address_)->sin_addr.s_addr ==
               reinterpret_cast<const sockaddr_in*>(&other.address_)->sin_addr.s_addr;
    }
    return family() == AF_INET6 &&
           std::memcmp(&reinterpret_cast<const sockaddr_in6*>(&address_)->sin6_addr,
                       &reinterpret_cast<const sockaddr_in6*>(&other.address_)->sin6_addr,
                       sizeof(in6_addr)) == 0;
}

std::string Endpoint::host() const {
    std::array<char, INET6_ADDRSTRLEN> host{};
    if (family() == AF_INET) {
        inet_ntop(AF_INET,
                  &reinterpret_cast<const sockaddr_in*>(&address_)->sin_addr,
                  host.data(),
                  host.size());
    } else if (family() == AF_INET6) {
        inet_ntop(AF_INET6,
                  &reinterpret_cast<const sockaddr_in6*>(&address_)->sin6_addr,
                  host.data(),
                  host.size());
    }
    return host.data();
}

std::string Endpoint::text() const {
    const std::string port_text = ":" + std::to_string(port());
    if (family() == AF_INET) return host() + port_text;
    if (family() == AF_INET6) return "[" + host() + "]" + port_text;
    return "none";
}

}  // namespace offhook::session
