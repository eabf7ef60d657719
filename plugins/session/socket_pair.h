#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/error.h"

namespace offhook::session {

/// Two bound, non-blocking UDP sockets: RTP on an even port, RTCP on the next (RFC 3550 §11).
/// Closed by the destructor.
class SocketPair {
public:
    SocketPair() = default;
    ~SocketPair() { close(); }
    SocketPair(const SocketPair&) = delete;
    SocketPair& operator=(const SocketPair&) = delete;
    SocketPair(SocketPair&& other) noexcept
        : rtp_fd_(std::exchange(other.rtp_fd_, -1)),
          rtcp_fd_(std::exchange(other.rtcp_fd_, -1)),
          port_(std::exchange(other.port_, std::uint16_t{0})) {}
    SocketPair& operator=(SocketPair&& other) noexcept {
        if (this != &other) {
            close();
            rtp_fd_ = std::exchange(other.rtp_fd_, -1);
            rtcp_fd_ = std::exchange(other.rtcp_fd_, -1);
            port_ = std::exchange(other.port_, std::uint16_t{0});
        }
        return *this;
    }

    /// Expedited forwarding (RFC 4594 §4.1).
    static constexpr int kVoiceDscp = 46;

    /// Binds `port` and `port + 1`. Port 0 lets the kernel choose (for tools and tests). "::" is
    /// IPv6 alone.
    /// @param dscp 0-63, into the traffic class of every packet; a network that does not care
    /// ignores it
    /// @errors Conflict when one of the two is taken: try the next pair; Io otherwise (no
    /// descriptor left, no such address)
    [[nodiscard]] static base::Result<SocketPair> open(const std::string& address,
                                                       std::uint16_t port,
                                                       int dscp = kVoiceDscp);

    [[nodiscard]] int rtp_fd() const noexcept { return rtp_fd_; }
    [[nodiscard]] int rtcp_fd() const noexcept { return rtcp_fd_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    void close() noexcept;
    int rtp_fd_ = -1;
    int rtcp_fd_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace offhook::session
