#include "caller/rtp_socket.h"

#include <cerrno>
#include <cstring>

namespace offhook::caller {

base::Result<RtpSocket> RtpSocket::create(const Endpoint& local) {
    constexpr int kTries = 64;
    Endpoint any = local;
    any.set_port(0);
    // Peers that do not know better send RTCP to the port after ours: with even ports that is never
    // another call's.
    for (int i = 0; i < kTries; ++i) {
        FileDescriptor fd(::socket(local.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!fd)
            return base::fail_errno("no socket for RTP; raise the limit of open files (ulimit -n)",
                                    errno);
        if (::bind(fd.get(), any.address(), any.length()) != 0) {
            return base::fail_errno("cannot bind an RTP socket on " + local.host(), errno);
        }
        sockaddr_storage bound{};
        socklen_t length = sizeof(bound);
        if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
            return base::fail_errno("cannot read the RTP port", errno);
        }
        const Endpoint chosen = Endpoint::from(bound);
        if (chosen.port() % 2 != 0) continue;
        const int on = 1;
        if (::setsockopt(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0) {
            return base::fail_errno("the kernel gives no receive stamps (SO_TIMESTAMPNS)", errno);
        }
        return RtpSocket(std::move(fd), chosen);
    }
    return base::fail(base::ErrorCode::LimitReached,
                      "the kernel has no even port left on " + local.host());
}

bool RtpSocket::send(std::span<const std::uint8_t> packet, const Endpoint& to) noexcept {
    return ::sendto(fd_.get(),
                    packet.data(),
                    packet.size(),
                    MSG_DONTWAIT | MSG_NOSIGNAL,
                    to.address(),
                    to.length()) >= 0;
}

RtpReader::RtpReader() noexcept {
    for (std::size_t i = 0; i < kBatch; ++i) {
        vectors_[i] = {slots_[i].bytes.data(), slots_[i].bytes.size()};
        messages_[i] = {};
        messages_[i].msg_hdr.msg_iov = &vectors_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
        messages_[i].msg_hdr.msg_name = &slots_[i].from;
        messages_[i].msg_hdr.msg_control = slots_[i].control.data();
        messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
        messages_[i].msg_hdr.msg_controllen = slots_[i].control.size();
    }
}

std::span<const RtpReader::Datagram> RtpReader::read(int fd, const ArrivalClock& clock) noexcept {
    const int got = ::recvmmsg(fd, messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
    // An ICMP error of an earlier send shows up here; the stream's figures tell that story better.
    if (got <= 0) return {};
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
        msghdr& header = messages_[i].msg_hdr;
        datagrams_[i].bytes = std::span(slots_[i].bytes).first(messages_[i].msg_len);
        datagrams_[i].from = Endpoint::from(slots_[i].from);
        datagrams_[i].arrival_ns = clock.arrival_ns(header);
        header.msg_namelen = sizeof(sockaddr_storage);
        header.msg_controllen = slots_[i].control.size();
    }
    return std::span(datagrams_).first(static_cast<std::size_t>(got));
}

}  // namespace offhook::caller
