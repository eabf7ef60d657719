#include "signalling/sip/udp_socket.h"

#include <netinet/in.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace offhook::signalling::sip {
namespace {

/// Datagrams read in one wake-up, so that timers and commands get their turn in a flood.
constexpr int kDrainMax = 64;
/// A burst of 100 calls in one tick of a sleeping machine must fit.
constexpr int kReceiveBufferBytes = 4 * 1024 * 1024;
/// Local addresses remembered on a wildcard socket.
constexpr std::size_t kMaxFlows = 64;

union ControlBuffer {
    cmsghdr align;
    std::array<char, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo))> bytes;
};

/// The local address a datagram was sent to (IP_PKTINFO), with the socket's port.
std::optional<SocketAddress> destination_of(msghdr& header, std::uint16_t port) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        SocketAddress local;
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(c), sizeof(info));
            auto* v4 = reinterpret_cast<sockaddr_in*>(&local.storage);
            v4->sin_family = AF_INET;
            v4->sin_addr = info.ipi_spec_dst;
            local.length = sizeof(sockaddr_in);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(c), sizeof(info));
            auto* v6 = reinterpret_cast<sockaddr_in6*>(&local.storage);
            v6->sin6_family = AF_INET6;
            v6->sin6_addr = info.ipi6_addr;
            local.length = sizeof(sockaddr_in6);
        } else {
            continue;
        }
        local.set_port(port);
        return local;
    }
    return std::nullopt;
}

/// Makes the kernel send from `local`, which matters when the socket is bound to the wildcard.
void set_source(msghdr& header, ControlBuffer& control, const SocketAddress& local) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = control.bytes.size();
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    if (local.family() == AF_INET) {
        in_pktinfo info{};
        info.ipi_spec_dst = reinterpret_cast<const sockaddr_in*>(&local.storage)->sin_addr;
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(info));
        std::memcpy(CMSG_DATA(c), &info, sizeof(info));
        header.msg_controllen = CMSG_SPACE(sizeof(info));
    } else {
        in6_pktinfo info{};
        info.ipi6_addr = reinterpret_cast<const sockaddr_in6*>(&local.storage)->sin6_addr;
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(info));
        std::memcpy(CMSG_DATA(c), &info, sizeof(info));
        header.msg_controllen = CMSG_SPACE(sizeof(info));
    }
}

}  // namespace

struct UdpSocket::Shared {
    Fd fd;
    bool is_wildcard = false;
    bool is_open = true;
};

class UdpSocket::UdpFlow final : public Flow {
public:
    UdpFlow(std::shared_ptr<Shared> shared, SocketAddress local)
        : shared_(std::move(shared)), local_(local) {}

    Transport transport() const override { return Transport::Udp; }
    SocketAddress local() const override { return local_; }
    bool is_open() const override { return shared_->is_open; }

    bool send(std::string_view message, const SocketAddress& to) override {
        if (!shared_->is_open) return false;
        SocketAddress target = to;
        iovec part{const_cast<char*>(message.data()), message.size()};
        msghdr header{};
        header.msg_name = target.raw();
        header.msg_namelen = target.length;
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        ControlBuffer control{};
        if (shared_->is_wildcard) set_source(header, control, local_);
        ssize_t sent = 0;
        do {
            sent = sendmsg(shared_->fd.get(), &header, MSG_NOSIGNAL);
        } while (sent < 0 && errno == EINTR);
        // A pending ICMP error belongs to an earlier datagram: the kernel reports it once and did
        // not send this one.
        if (sent < 0 && errno == ECONNREFUSED)
            sent = sendmsg(shared_->fd.get(), &header, MSG_NOSIGNAL);
        // A full send buffer is a lost datagram like any other: retransmission repairs it.
        return sent >= 0 || errno == EAGAIN || errno == ENOBUFS || errno == ECONNREFUSED;
    }

private:
    std::shared_ptr<Shared> shared_;
    SocketAddress local_;
};

base::Result<std::unique_ptr<UdpSocket>> UdpSocket::open(ListenSpec spec,
                                                         GMainContext* context,
                                                         FlowEvents& events,
                                                         int dscp) {
    auto fd = bind_socket(spec, dscp);
    if (!fd) return tl::unexpected(std::move(fd.error()));
    // FORCE needs CAP_NET_ADMIN; without it the kernel's rmem_max is what we get.
    if (setsockopt(fd->get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes, sizeof(int)) != 0) {
        setsockopt(fd->get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(int));
    }
    if (spec.address.is_wildcard()) {
        const int on = 1;
        const bool v4 = spec.address.family() == AF_INET;
        if (setsockopt(fd->get(),
                       v4 ? IPPROTO_IP : IPPROTO_IPV6,
                       v4 ? IP_PKTINFO : IPV6_RECVPKTINFO,
                       &on,
                       sizeof(on)) != 0) {
            return base::fail_errno("cannot learn local addresses on udp:" + spec.address.text(),
                                    errno);
        }
    }
    std::unique_ptr<UdpSocket> socket(new UdpSocket(spec, std::move(*fd), events));
    UdpSocket* self = socket.get();
    socket->watch_.start(
        context, socket->shared_->fd.get(), G_IO_IN, [self](GIOCondition) { self->receive(); });
    return socket;
}

UdpSocket::UdpSocket(ListenSpec spec, Fd fd, FlowEvents& events)
    : spec_(spec), events_(events), shared_(std::make_shared<Shared>()) {
    shared_->is_wildcard = spec.address.is_wildcard();
    shared_->fd = std::move(fd);
}

UdpSocket::~UdpSocket() {
    watch_.stop();
    shared_->is_open = false;
}

std::shared_ptr<Flow> UdpSocket::flow_from(const SocketAddress& local) {
    const std::string key = local.text();
    if (const auto found = flows_.find(key); found != flows_.end()) return found->second;
    if (flows_.size() >= kMaxFlows) flows_.clear();
    auto flow = std::make_shared<UdpFlow>(shared_, local);
    flows_.emplace(key, flow);
    return flow;
}

void UdpSocket::receive() {
    // One for all sockets of a thread: an account each has one, and a datagram is done with before
    // the next is read.
    thread_local std::vector<char> buffer(kMaxMessageBytes);
    const auto shared = shared_;  // what a message makes its receiver do may end this socket
    for (int i = 0; i < kDrainMax && shared->is_open; ++i) {
        SocketAddress from;
        iovec part{buffer.data(), buffer.size()};
        ControlBuffer control{};
        msghdr header{};
        header.msg_name = from.raw();
        header.msg_namelen = sizeof(from.storage);
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        if (shared->is_wildcard) {
            header.msg_control = control.bytes.data();
            header.msg_controllen = control.bytes.size();
        }
        const ssize_t n = recvmsg(shared->fd.get(), &header, 0);
        if (n < 0) {
            if (errno == EINTR || errno == ECONNREFUSED)
                continue;  // an ICMP error of something we sent
            return;
        }
        from.length = header.msg_namelen;
        if (!events_.admit(from)) continue;
        std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
        // Empty lines before a message (RFC 3261 §7.5) and keep-alives made of nothing else.
        while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n'))
            bytes.remove_prefix(1);
        if (bytes.empty()) continue;
        const auto local = shared->is_wildcard ? destination_of(header, spec_.address.port())
                                               : std::optional<SocketAddress>(spec_.address);
        if (!local) continue;
        events_.on_message(Received{flow_from(*local), from, bytes});
    }
}

}  // namespace offhook::signalling::sip
