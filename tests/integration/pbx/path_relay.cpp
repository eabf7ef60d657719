#include "pbx/path_relay.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace offhook::harness {
namespace {

constexpr std::size_t kChunk = 65536;

void ring(int fd) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
}

void drain(int fd) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(fd, &count, sizeof count);
}

bool is_for_later(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

TcpRelay::TcpRelay(std::uint16_t target) : target_(target), listener_(tcp_listener()) {
    port_ = local_port(listener_);
    wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread_ = std::thread([this] { run(); });
}

TcpRelay::~TcpRelay() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    ring(wake_fd_);
    thread_.join();
    ::close(wake_fd_);
}

void TcpRelay::set(Path path) {
    std::unique_lock lock(mutex_);
    wanted_ = path;
    ring(wake_fd_);
    applied_.wait(lock, [this] { return !wanted_; });
}

void TcpRelay::apply(Path path) {
    path_ = path;
    if (path == Path::Cut) {
        for (Link& link : links_) {
            link.phone.reset();
            link.pbx.reset();
        }
        links_.clear();
        listener_.close();
    } else if (!listener_.is_open()) {
        listener_ = tcp_listener(port_);
    }
}

void TcpRelay::drop_connections() {
    set(Path::Cut);
    set(Path::Open);
}

void TcpRelay::accept_one() {
    Socket phone(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    Socket pbx(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(target_);
    if (!phone.is_open()) {
        return;
    }
    ++accepted_;
    if (::connect(pbx.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        phone.reset();
        return;
    }
    ::fcntl(phone.fd(), F_SETFL, O_NONBLOCK);
    ::fcntl(pbx.fd(), F_SETFL, O_NONBLOCK);
    links_.push_back({std::move(phone), std::move(pbx), {}, {}});
}

/// False when the connection is over.
bool TcpRelay::move(Socket& from, Socket& to, std::string& waiting, short events) {
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && waiting.empty()) {
        waiting.resize(kChunk);
        const ssize_t got = ::recv(from.fd(), waiting.data(), waiting.size(), 0);
        waiting.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        if (got == 0 || (got < 0 && !is_for_later(errno))) {
            return false;
        }
    }
    if (!waiting.empty()) {
        const ssize_t sent = ::send(to.fd(), waiting.data(), waiting.size(), MSG_NOSIGNAL);
        if (sent < 0) {
            return is_for_later(errno);
        }
        waiting.erase(0, static_cast<std::size_t>(sent));
    }
    return true;
}

void TcpRelay::run() {
    for (;;) {
        std::vector<pollfd> watched{{wake_fd_, POLLIN, 0}};
        if (path_ == Path::Open) {
            watched.push_back({listener_.fd(), POLLIN, 0});
            for (const Link& link : links_) {
                // Nothing more is read from one side until the other has taken the last.
                const auto wanted = [](const std::string& from, const std::string& to) {
                    return static_cast<short>((from.empty() ? POLLIN : 0) |
                                              (to.empty() ? 0 : POLLOUT));
                };
                watched.push_back({link.phone.fd(), wanted(link.to_pbx, link.to_phone), 0});
                watched.push_back({link.pbx.fd(), wanted(link.to_phone, link.to_pbx), 0});
            }
        }
        ::poll(watched.data(), watched.size(), -1);
        {
            const std::lock_guard lock(mutex_);
            drain(wake_fd_);
            if (is_ending_) {
                return;
            }
            if (wanted_) {
                apply(*wanted_);
                wanted_.reset();
                applied_.notify_all();
                continue;
            }
        }
        if (path_ != Path::Open) {
            continue;
        }
        auto link = links_.begin();
        for (std::size_t index = 2; index + 1 < watched.size(); index += 2) {
            const bool lives =
                move(link->phone, link->pbx, link->to_pbx, watched[index].revents) &&
                move(link->pbx, link->phone, link->to_phone, watched[index + 1].revents);
            link = lives ? std::next(link) : links_.erase(link);
        }
        if (watched[1].revents != 0) {
            accept_one();
        }
    }
}

UdpRelay::UdpRelay(std::uint16_t target) : target_(target), socket_(udp_socket()) {
    port_ = local_port(socket_);
    wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread_ = std::thread([this] { run(); });
}

UdpRelay::~UdpRelay() {
    ring(wake_fd_);
    thread_.join();
    ::close(wake_fd_);
}

void UdpRelay::forward(const sockaddr_in& phone, const std::string& datagram) {
    if (forgets_.exchange(false)) {
        links_.clear();
    }
    auto link = links_.begin();
    while (link != links_.end() && link->phone.sin_port != phone.sin_port) {
        ++link;
    }
    if (link == links_.end()) {
        link = links_.insert(link, Link{phone, udp_socket()});
    }
    const sockaddr_in address = loopback(target_);
    ::sendto(link->pbx.fd(),
             datagram.data(),
             datagram.size(),
             0,
             reinterpret_cast<const sockaddr*>(&address),
             sizeof address);
}

void UdpRelay::run() {
    std::string datagram;
    for (;;) {
        std::vector<pollfd> watched{{wake_fd_, POLLIN, 0}, {socket_.fd(), POLLIN, 0}};
        for (const Link& link : links_) {
            watched.push_back({link.pbx.fd(), POLLIN, 0});
        }
        ::poll(watched.data(), watched.size(), -1);
        if (watched[0].revents != 0) {
            return;
        }
        auto link = links_.begin();
        for (std::size_t index = 2; index < watched.size(); ++index, ++link) {
            if (watched[index].revents == 0) {
                continue;
            }
            datagram.resize(kChunk);
            const ssize_t got =
                ::recv(link->pbx.fd(), datagram.data(), datagram.size(), MSG_DONTWAIT);
            if (got >= 0 && path_ == Path::Open && !forgets_) {
                ::sendto(socket_.fd(),
                         datagram.data(),
                         static_cast<std::size_t>(got),
                         0,
                         reinterpret_cast<const sockaddr*>(&link->phone),
                         sizeof link->phone);
            }
        }
        if (watched[1].revents != 0) {
            sockaddr_in phone{};
            socklen_t length = sizeof phone;
            datagram.resize(kChunk);
            const ssize_t got = ::recvfrom(socket_.fd(),
                                           datagram.data(),
                                           datagram.size(),
                                           MSG_DONTWAIT,
                                           reinterpret_cast<sockaddr*>(&phone),
                                           &length);
            if (got >= 0 && path_ == Path::Open) {
                datagram.resize(static_cast<std::size_t>(got));
                forward(phone, datagram);
            }
        }
    }
}

}  // namespace offhook::harness
