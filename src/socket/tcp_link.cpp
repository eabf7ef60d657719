#include "socket/tcp_link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::socket {

bool TcpLink::send_binary(std::span<const std::byte> bytes) {
    if (!has_room(bytes.size())) return false;
    queue().insert(queue().end(), bytes.begin(), bytes.end());
    queued();
    count_sent(bytes.size());
    return true;
}

void TcpLink::on_bytes(std::span<std::byte> bytes) {
    count_received(bytes.size());
    if (state() == State::Open) events().on_binary(bytes);
}

LinkEnd TcpLink::end_of_stream() const {
    if (state() == State::Closing) return own_end();
    return {LinkEnd::Why::ClosedByPeer, 0, "the peer closed the connection"};
}

void TcpLink::on_opened(int fd) noexcept {
    if (limits().ping_every_ns <= 0) return;
    const int on = 1;
    const int idle_s =
        static_cast<int>(std::max(limits().ping_every_ns / base::kNsPerS, std::int64_t{1}));
    constexpr int kProbes = 3;
    const int every_s = static_cast<int>(
        std::max(limits().pong_within_ns / base::kNsPerS / kProbes, std::int64_t{1}));
    // Of what we sent and nobody acknowledged, where keep-alives are not sent (tcp(7)).
    const auto unacknowledged_ms =
        static_cast<unsigned>((limits().ping_every_ns + limits().pong_within_ns) / base::kNsPerMs);
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
    ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
}

}  // namespace offhook::socket
