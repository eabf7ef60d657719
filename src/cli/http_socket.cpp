#include "cli/http_socket.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/monotonic.h"

namespace offhook::cli {
namespace {

/// Waits until `fd` can do `events` or the time is up.
bool wait_for(int fd, short events, std::int64_t deadline_ns) {
    for (;;) {
        const std::int64_t left_ns = deadline_ns - base::monotonic_ns();
        if (left_ns <= 0) return false;
        pollfd waiting{fd, events, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(left_ns / base::kNsPerMs) + 1);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

/// 0, or why not: an errno.
int connected(int fd, const addrinfo& target, std::int64_t deadline_ns) {
    int error = ::connect(fd, target.ai_addr, target.ai_addrlen) == 0 ? 0 : errno;
    if (error != EINPROGRESS) return error;
    if (!wait_for(fd, POLLOUT, deadline_ns)) return ETIMEDOUT;
    socklen_t length = sizeof(error);
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

}  // namespace

HttpSocket::~HttpSocket() {
    if (fd_ >= 0) ::close(fd_);
}

HttpSocket::HttpSocket(HttpSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), name_(std::move(other.name_)) {}

base::Result<HttpSocket> HttpSocket::open(const ApiAddress& address, std::int64_t deadline_ns) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int status =
        ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
    if (status != 0) {
        return base::fail(base::ErrorCode::Unavailable,
                          "cannot find the host of " + address.text(),
                          gai_strerror(status));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
    int error = 0;
    for (const addrinfo* target = found; target != nullptr; target = target->ai_next) {
        HttpSocket socket(
            ::socket(target->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
            address.text());
        error = socket.fd_ < 0 ? errno : connected(socket.fd_, *target, deadline_ns);
        if (error == 0) return socket;
    }
    return base::fail(
        base::ErrorCode::Unavailable, "cannot reach " + address.text(), std::strerror(error));
}

base::Result<void> HttpSocket::send(std::string_view bytes, std::int64_t deadline_ns) {
    while (!bytes.empty()) {
        if (!wait_for(fd_, POLLOUT, deadline_ns)) return too_late();
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return lost(errno);
        if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

base::Result<bool> HttpSocket::receive(std::string& to, std::int64_t deadline_ns) {
    std::array<char, 65536> block;
    for (;;) {
        if (!wait_for(fd_, POLLIN, deadline_ns)) return too_late();
        const ssize_t got = ::recv(fd_, block.data(), block.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got < 0) return lost(errno);
        to.append(block.data(), static_cast<std::size_t>(got));
        return got > 0;
    }
}

tl::unexpected<base::Error> HttpSocket::too_late() const {
    return base::fail(base::ErrorCode::Timeout, name_ + " does not answer in time");
}

tl::unexpected<base::Error> HttpSocket::lost(int error) const {
    return base::fail(base::ErrorCode::Unavailable, "lost " + name_, std::strerror(error));
}

}  // namespace offhook::cli
