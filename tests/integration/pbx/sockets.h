#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/process.h"

namespace offhook::harness {

/// An owned descriptor.
class Socket {
public:
    explicit Socket(int fd = -1) : fd_(fd) {}
    ~Socket() { close(); }
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&& other) noexcept;
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    void close();
    /// Closes a TCP connection by RST, as a lost peer's kernel would.
    void reset();

private:
    int fd_;
};

/// 127.0.0.1:`port`.
sockaddr_in loopback(std::uint16_t port);
std::uint16_t local_port(const Socket& socket);

/// A UDP socket bound to a port of the kernel's choice. @errors throws.
Socket udp_socket();
/// A listening TCP socket on 127.0.0.1:`port`; 0: of the kernel's choice. @errors throws.
Socket tcp_listener(std::uint16_t port = 0);

/// One datagram to 127.0.0.1:`port` and the first answer.
std::optional<std::string> ask(std::uint16_t port, const std::string& question, milliseconds limit);

/// `count` different ports that were free for UDP and TCP a moment ago.
std::vector<std::uint16_t> free_ports(std::size_t count);

}  // namespace offhook::harness
