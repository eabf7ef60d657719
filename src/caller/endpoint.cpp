#include "caller/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/escape.h"

namespace offhook::caller {

Endpoint Endpoint::from(const sockaddr_storage& address) noexcept {
    Endpoint result;
    if (address.ss_family == AF_INET)
        std::memcpy(&result.storage_.v4, &address, sizeof(sockaddr_in));
    if (address.ss_family == AF_INET6)
        std::memcpy(&result.storage_.v6, &address, sizeof(sockaddr_in6));
    return result;
}

std::optional<Endpoint> Endpoint::numeric(std::string_view host, std::uint16_t port) {
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    const std::string text(host);
    Endpoint result;
    in_addr v4{};
    in6_addr v6{};
    if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
        result.storage_.v4.sin_family = AF_INET;
        result.storage_.v4.sin_addr = v4;
    } else if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) {
        result.storage_.v6.sin6_family = AF_INET6;
        result.storage_.v6.sin6_addr = v6;
    } else {
        return std::nullopt;
    }
    result.set_port(port);
    return result;
}

base::Result<Endpoint> Endpoint::resolve(const std::string& host, std::uint16_t port) {
    if (auto direct = numeric(host, port)) return *direct;
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    const int status = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(status == 0 ? found : nullptr,
                                                                   freeaddrinfo);
    if (status != 0) {
        return base::fail(base::ErrorCode::NotFound,
                          "cannot find the host " + base::escape_untrusted(host),
                          gai_strerror(status));
    }
    sockaddr_storage storage{};
    std::memcpy(&storage, found->ai_addr, found->ai_addrlen);
    Endpoint result = from(storage);
    result.set_port(port);
    return result;
}

std::uint16_t Endpoint::port() const noexcept {
    if (!is_set()) return 0;
    return ntohs(is_v6() ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

void Endpoint::set_port(std::uint16_t port) noexcept {
    if (is_v6()) {
        storage_.v6.sin6_port = htons(port);
    } else {
        storage_.v4.sin_port = htons(port);
    }
}

const sockaddr* Endpoint::address() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage_);
}

socklen_t Endpoint::length() const noexcept {
    return is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

std::string Endpoint::host() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* bytes = is_v6() ? static_cast<const void*>(&storage_.v6.sin6_addr)
                                : static_cast<const void*>(&storage_.v4.sin_addr);
    if (!is_set() || inet_ntop(family(), bytes, text.data(), text.size()) == nullptr) return {};
    return text.data();
}

std::string Endpoint::uri_host() const {
    return is_v6() ? "[" + host() + "]" : host();
}

std::string Endpoint::text() const {
    return uri_host() + ":" + std::to_string(port());
}

bool Endpoint::operator==(const Endpoint& other) const noexcept {
    if (family() != other.family()) return false;
    if (is_v6()) {
        return storage_.v6.sin6_port == other.storage_.v6.sin6_port &&
               std::memcmp(
                   &storage_.v6.sin6_addr, &other.storage_.v6.sin6_addr, sizeof(in6_addr)) == 0;
    }
    return storage_.v4.sin_port == other.storage_.v4.sin_port &&
           storage_.v4.sin_addr.s_addr == other.storage_.v4.sin_addr.s_addr;
}

}  // namespace offhook::caller
