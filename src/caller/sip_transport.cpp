#include "caller/sip_transport.h"

#include <linux/errqueue.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace offhook::caller {
namespace {

constexpr int kConnectMs = 5000;

std::string refused_text(bool is_tcp, const Endpoint& peer, int error) {
    const std::string where = std::string(is_tcp ? "tcp:" : "udp:") + peer.text();
    if (error == ECONNREFUSED) {
        return "no answer: nothing listens on " + where +
               (is_tcp ? " (connection refused)" : " (ICMP port unreachable)");
    }
    return "no answer: " + where + " cannot be reached (" + std::strerror(error) + ")";
}

base::Result<void> connect_tcp(int fd, const Endpoint& peer) {
    int error = ::connect(fd, peer.address(), peer.length()) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        pollfd waiting{fd, POLLOUT, 0};
        if (::poll(&waiting, 1, kConnectMs) <= 0) {
            return base::fail(base::ErrorCode::Unavailable,
                              "no answer: tcp:" + peer.text() + " did not accept within 5 s");
        }
        socklen_t length = sizeof(error);
        if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    }
    if (error != 0)
        return base::fail(base::ErrorCode::Unavailable, refused_text(true, peer, error));
    return {};
}

base::Result<Endpoint> bound_address(int fd) {
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
        return base::fail_errno("cannot read the SIP socket's address", errno);
    }
    return Endpoint::from(storage);
}

/// The address that packets to `peer` would leave from.
base::Result<Endpoint> route_to(const Endpoint& peer) {
    const FileDescriptor probe(::socket(peer.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!probe || ::connect(probe.get(), peer.address(), peer.length()) != 0) {
        return base::fail_errno("no route to " + peer.host(), errno);
    }
    auto local = bound_address(probe.get());
    if (local) local->set_port(0);
    return local;
}

}  // namespace

SipTransport::SipTransport(FileDescriptor fd,
                           const Endpoint& peer,
                           const Endpoint& local,
                           bool is_tcp)
    : fd_(std::move(fd)), peer_(peer), local_(local), is_tcp_(is_tcp) {}

base::Result<std::unique_ptr<SipTransport>> SipTransport::create(const Endpoint& peer,
                                                                 bool is_tcp,
                                                                 const Endpoint& local) {
    auto own = local.is_set() ? base::Result<Endpoint>(local) : route_to(peer);
    if (!own) return tl::unexpected(own.error());
    if (own->family() != peer.family()) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "--local " + own->host() + " and the server " + peer.host() +
                              " are not of one IP version");
    }
    const int type = (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    FileDescriptor fd(::socket(peer.family(), type, 0));
    if (!fd) return base::fail_errno("no socket for SIP", errno);
    if (::bind(fd.get(), own->address(), own->length()) != 0) {
        return base::fail_errno(
            "cannot bind " + own->host() + " (is it an address of this machine?)", errno);
    }
    const int on = 1;
    const int buffer_bytes = 4 << 20;
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
    if (is_tcp) {
        (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (auto ok = connect_tcp(fd.get(), peer); !ok) return tl::unexpected(ok.error());
    } else {
        // Tells which destination an ICMP error is about, on a socket that has many.
        (void)::setsockopt(fd.get(),
                           peer.is_v6() ? IPPROTO_IPV6 : IPPROTO_IP,
                           peer.is_v6() ? IPV6_RECVERR : IP_RECVERR,
                           &on,
                           sizeof(on));
    }
    auto bound = bound_address(fd.get());
    if (!bound) return tl::unexpected(bound.error());
    return std::unique_ptr<SipTransport>(new SipTransport(std::move(fd), peer, *bound, is_tcp));
}

void SipTransport::send(const std::string& text, const Endpoint& to) {
    if (!is_open_) return;
    if (is_tcp_) {
        backlog_ += text;
        flush();
        return;
    }
    // A pending ICMP error of an earlier packet is reported by this call instead of sending: once
    // more then.
    for (int i = 0; i < 2; ++i) {
        if (::sendto(
                fd_.get(), text.data(), text.size(), MSG_DONTWAIT, to.address(), to.length()) >= 0)
            return;
    }
}

void SipTransport::flush() {
    while (!backlog_.empty()) {
        const ssize_t sent =
            ::send(fd_.get(), backlog_.data(), backlog_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        // A broken connection is noticed by the reading side.
        if (sent <= 0) return;
        backlog_.erase(0, static_cast<std::size_t>(sent));
    }
}

void SipTransport::receive(const ArrivalClock& clock, Listener& listener) {
    if (!is_open_) return;
    if (is_tcp_) {
        receive_tcp(clock, listener);
    } else {
        receive_udp(clock, listener);
    }
}

void SipTransport::receive_udp(const ArrivalClock& clock, Listener& listener) {
    constexpr int kMaxErrors = 16;
    read_errors(listener);
    for (int errors = 0; errors < kMaxErrors;) {
        sockaddr_storage from{};
        alignas(cmsghdr) std::array<std::uint8_t, 64> control{};
        iovec vector{buffer_.data(), buffer_.size()};
        msghdr header{};
        header.msg_name = &from;
        header.msg_namelen = sizeof(from);
        header.msg_iov = &vector;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const ssize_t got = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (got < 0) {
            ++errors;
            read_errors(listener);
            continue;
        }
        listener.on_sip({buffer_.data(), static_cast<std::size_t>(got)},
                        Endpoint::from(from),
                        clock.arrival_ns(header));
    }
}

void SipTransport::read_errors(Listener& listener) {
    for (;;) {
        sockaddr_storage destination{};
        alignas(cmsghdr) std::array<std::uint8_t, 512> control{};
        std::array<char, 64> start{};
        iovec vector{start.data(), start.size()};
        msghdr header{};
        header.msg_name = &destination;
        header.msg_namelen = sizeof(destination);
        header.msg_iov = &vector;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        if (::recvmsg(fd_.get(), &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
        for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
            const bool is_v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
            const bool is_v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
            if (!is_v4 && !is_v6) continue;
            sock_extended_err error{};
            std::memcpy(&error, CMSG_DATA(c), sizeof(error));
            const Endpoint to = Endpoint::from(destination);
            listener.on_sip_failure(to, refused_text(false, to, static_cast<int>(error.ee_errno)));
        }
    }
}

void SipTransport::receive_tcp(const ArrivalClock& clock, Listener& listener) {
    for (;;) {
        alignas(cmsghdr) std::array<std::uint8_t, 128> control{};
        iovec vector{buffer_.data(), buffer_.size()};
        msghdr header{};
        header.msg_iov = &vector;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const ssize_t got = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (got <= 0) {
            is_open_ = false;
            listener.on_sip_failure(
                {},
                "tcp:" + peer_.text() + " closed the connection" +
                    (got < 0 ? std::string(" (") + std::strerror(errno) + ")" : ""));
            return;
        }
        const std::int64_t arrival_ns = clock.arrival_ns(header);
        if (auto ok = stream_.feed({buffer_.data(), static_cast<std::size_t>(got)}); !ok) {
            is_open_ = false;
            listener.on_sip_failure({}, ok.error().message);
            return;
        }
        while (auto message = stream_.next()) listener.on_sip(*message, peer_, arrival_ns);
    }
}

}  // namespace offhook::caller
