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

void note_source(model::SourceCells& cells, const Endpoint& source) noexcept {
    using model::LegCounters;
    std::array<std::uint64_t, 2> words{};
    auto* bytes = reinterpret_cast<std::uint8_t*>(words.data());
    if (source.family() == AF_INET6) {
        std::memcpy(
            bytes, &reinterpret_cast<const sockaddr_in6*>(source.data())->sin6_addr, sizeof words);
    } else if (source.family() == AF_INET) {
        bytes[10] = bytes[11] = 0xFF;
        std::memcpy(bytes + 12, &reinterpret_cast<const sockaddr_in*>(source.data())->sin_addr, 4);
    }
    if (LegCounters::get(cells.high) == words[0] && LegCounters::get(cells.low) == words[1] &&
        LegCounters::get(cells.port) == source.port())
        return;
    LegCounters::set(cells.high, words[0]);
    LegCounters::set(cells.low, words[1]);
    LegCounters::set(cells.port, source.port());
    LegCounters::add<std::uint64_t>(cells.changes, 1);
}

Endpoint source_of(const model::SourceCells& cells) {
    using model::LegCounters;
    const std::uint16_t port = LegCounters::get(cells.port);
    if (port == 0) return {};
    const std::array<std::uint64_t, 2> words{LegCounters::get(cells.high),
                                             LegCounters::get(cells.low)};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(words.data());
    sockaddr_storage address{};
    in6_addr v6{};
    std::memcpy(&v6, bytes, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(address);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, bytes + 12, 4);
        return Endpoint::from(address, sizeof v4);
    }
    auto& whole = reinterpret_cast<sockaddr_in6&>(address);
    whole.sin6_family = AF_INET6;
    whole.sin6_port = htons(port);
    whole.sin6_addr = v6;
    return Endpoint::from(address, sizeof whole);
}

}  // namespace offhook::session
