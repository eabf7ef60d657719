#include "media/media_address.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "session/endpoint.h"

namespace offhook::media {
namespace {

using session::Endpoint;

/// 0: not an address.
int family_of(const std::string& address) {
    const auto endpoint = Endpoint::make(address, 0);
    return endpoint ? endpoint->family() : 0;
}

bool is_wildcard(const std::string& address) {
    return address == "0.0.0.0" || address == "::";
}

bool is_loopback(const std::string& address) {
    return address == "::1" || (address.starts_with("127.") && family_of(address) == AF_INET);
}

/// A usable address of `family`.
bool is_of(const std::string& address, int family) {
    return !is_wildcard(address) && family_of(address) == family;
}

/// The local address of packets to `remote`; empty when there is no route. Connecting a UDP socket
/// asks the routing table and sends nothing.
std::string address_towards(const std::string& remote) {
    constexpr std::uint16_t kAnyPort = 9;
    const auto to = Endpoint::make(remote, kAnyPort);
    if (!to) return {};
    const int fd = socket(to->family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return {};
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    const bool is_known = connect(fd, to->data(), to->size()) == 0 &&
                          getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) == 0;
    close(fd);
    if (!is_known) return {};
    const std::string host = Endpoint::from(local, size).host();
    return is_wildcard(host) ? std::string() : host;
}

/// The address of ours that a call of `family` can be reached at, whatever the sockets bind to.
std::string reachable(const AddressFacts& facts, int family) {
    if (is_of(facts.flow_local, family)) return facts.flow_local;
    if (const std::string own = address_towards(facts.remote); is_of(own, family)) return own;
    // Nobody is named yet, or the peer is on hold (0.0.0.0): where the default route leads. The
    // targets are documentation's (RFC 5737, RFC 3849).
    const std::string own = address_towards(family == AF_INET6 ? "2001:db8::1" : "192.0.2.1");
    return is_of(own, family) ? own : std::string();
}

int family_needed(const AddressFacts& facts) {
    for (const std::string* address : {&facts.remote,
                                       is_wildcard(facts.configured) ? nullptr : &facts.configured,
                                       &facts.flow_local,
                                       &facts.advertise}) {
        if (address == nullptr) continue;
        if (const int family = family_of(*address); family != 0) return family;
    }
    return AF_INET;
}

std::string advertised(const AddressFacts& facts, const std::string& bind, int family) {
    if (is_of(facts.advertise, family)) return facts.advertise;
    if (is_of(facts.learned, family) && !is_loopback(bind)) return facts.learned;
    return is_wildcard(bind) ? reachable(facts, family) : bind;
}

}  // namespace

bool MediaAddress::reaches(const std::string& remote) const {
    return is_wildcard(remote) || family_of(remote) == family_of(bind);
}

base::Result<MediaAddress> choose_media_address(const AddressFacts& facts) {
    const int family = family_needed(facts);
    const std::string name = family == AF_INET6 ? "IPv6" : "IPv4";
    MediaAddress chosen;
    if (is_wildcard(facts.configured)) {
        chosen.bind = family == AF_INET6 ? "::" : "0.0.0.0";
    } else if (facts.configured.empty()) {
        chosen.bind = reachable(facts, family);
    } else if (family_of(facts.configured) == family) {
        chosen.bind = facts.configured;
    } else {
        return base::fail(base::ErrorCode::Unsupported,
                          "the peer's media address is " + name +
                              " and [rtp] address is not; leave it empty to have both");
    }
    if (!chosen.bind.empty()) chosen.advertise = advertised(facts, chosen.bind, family);
    if (chosen.advertise.empty()) {
        return base::fail(base::ErrorCode::Unavailable,
                          "the peer's media address is " + name +
                              " and this machine has no such address to receive at; set [rtp] "
                              "address and advertise");
    }
    return chosen;
}

}  // namespace offhook::media
