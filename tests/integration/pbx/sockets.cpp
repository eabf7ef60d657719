#include "pbx/sockets.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace offhook::harness {
namespace {

constexpr std::size_t kMaxDatagram = 65536;

const sockaddr* generic(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

std::runtime_error failure(const std::string& what) {
    return std::runtime_error(what + ": " + std::strerror(errno));
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void Socket::close() {
    if (fd_ >= 0) {
        ::close(std::exchange(fd_, -1));
    }
}

void Socket::reset() {
    if (fd_ >= 0) {
        const linger at_once{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    close();
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

std::uint16_t local_port(const Socket& socket) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
}

Socket udp_socket() {
    Socket socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(0);
    if (!socket.is_open() || ::bind(socket.fd(), generic(address), sizeof address) != 0) {
        throw failure("no UDP socket");
    }
    return socket;
}

Socket tcp_listener(std::uint16_t port) {
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in address = loopback(port);
    if (!socket.is_open() || ::bind(socket.fd(), generic(address), sizeof address) != 0 ||
        ::listen(socket.fd(), SOMAXCONN) != 0) {
        throw failure("no TCP listener on port " + std::to_string(port));
    }
    return socket;
}

std::optional<std::string> ask(std::uint16_t port,
                               const std::string& question,
                               milliseconds limit) {
    const Socket socket = udp_socket();
    const sockaddr_in address = loopback(port);
    // Connected, so that nobody at the port is known at once.
    if (::connect(socket.fd(), generic(address), sizeof address) != 0 ||
        ::send(socket.fd(), question.data(), question.size(), 0) < 0) {
        return std::nullopt;
    }
    pollfd watched{socket.fd(), POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>(limit.count())) <= 0) {
        return std::nullopt;
    }
    std::string answer(kMaxDatagram, '\0');
    const ssize_t got = ::recv(socket.fd(), answer.data(), answer.size(), 0);
    if (got < 0) {
        return std::nullopt;
    }
    answer.resize(static_cast<std::size_t>(got));
    return answer;
}

std::vector<std::uint16_t> free_ports(std::size_t count) {
    // All held until the last is found, so that no two are the same.
    std::vector<Socket> held;
    std::vector<std::uint16_t> ports;
    while (ports.size() < count) {
        Socket udp = udp_socket();
        const std::uint16_t port = local_port(udp);
        try {
            held.push_back(tcp_listener(port));
        } catch (const std::runtime_error&) {
            continue;
        }
        held.push_back(std::move(udp));
        ports.push_back(port);
    }
    return ports;
}

}  // namespace offhook::harness
