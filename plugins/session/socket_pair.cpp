#include "session/socket_pair.h"

#include <unistd.h>

#include <cerrno>

#include "session/endpoint.h"

namespace offhook::session {
namespace {

constexpr int kKernelPortTries = 64;

struct Bound {
    int fd = -1;
    int error = 0;
};

Bound bind_udp(const Endpoint& endpoint, int dscp) {
    const int fd = socket(endpoint.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return {-1, errno};
    const int on = 1;
    if (endpoint.family() == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, endpoint.data(), endpoint.size()) != 0) {
        const int error = errno;
        ::close(fd);
        return {-1, error};
    }
    const int tos = dscp << 2;
    if (endpoint.family() == AF_INET) {
        setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    } else {
        setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    }
    return {fd, 0};
}

std::uint16_t bound_port(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    return Endpoint::from(address, size).port();
}

}  // namespace

base::Result<SocketPair> SocketPair::open(const std::string& address,
                                          std::uint16_t port,
                                          int dscp) {
    const int tries = port == 0 ? kKernelPortTries : 1;
    int error = 0;
    for (int i = 0; i < tries; ++i) {
        auto rtp_at = Endpoint::make(address, port);
        if (!rtp_at) return tl::unexpected(rtp_at.error());
        SocketPair pair;
        const Bound rtp = bind_udp(*rtp_at, dscp);
        pair.rtp_fd_ = rtp.fd;
        error = rtp.error;
        if (rtp.fd < 0) {
            if (error == EADDRINUSE) continue;
            break;
        }
        pair.port_ = bound_port(rtp.fd);
        if (port == 0 && (pair.port_ % 2 != 0 || pair.port_ == 65534)) continue;
        auto rtcp_at = Endpoint::make(address, static_cast<std::uint16_t>(pair.port_ + 1));
        const Bound rtcp = bind_udp(*rtcp_at, dscp);
        pair.rtcp_fd_ = rtcp.fd;
        error = rtcp.error;
        if (rtcp.fd >= 0) return pair;
        if (error != EADDRINUSE) break;
    }
    if (error == EADDRINUSE || error == 0) {
        return base::fail(
            base::ErrorCode::Conflict,
            "RTP ports " + std::to_string(port) + "/" + std::to_string(port + 1) + " are taken");
    }
    return base::fail_errno("cannot bind RTP ports on " + address, error);
}

void SocketPair::close() noexcept {
    if (rtp_fd_ >= 0) ::close(rtp_fd_);
    if (rtcp_fd_ >= 0) ::close(rtcp_fd_);
    rtp_fd_ = rtcp_fd_ = -1;
}

}  // namespace offhook::session
