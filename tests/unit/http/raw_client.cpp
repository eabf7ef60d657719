#include "http/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <stdexcept>

namespace offhook::testing {
namespace {

constexpr time_t kGiveUpSeconds = 10;

}  // namespace

RawClient::RawClient(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &in.sin_addr);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{kGiveUpSeconds, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;  // what is sent in small pieces goes in small pieces
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&in), sizeof in) != 0) {
        throw std::runtime_error("cannot connect to " + address);
    }
}

RawClient::~RawClient() {
    ::close(fd_);
}

void RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

void RawClient::finish() {
    ::shutdown(fd_, SHUT_WR);
}

RawAnswer RawClient::read(bool head) {
    RawAnswer answer;
    const auto fill = [&] {
        char chunk[4096];
        const ssize_t n = ::recv(fd_, chunk, sizeof chunk, 0);
        if (n > 0) pending_.append(chunk, static_cast<std::size_t>(n));
        return n > 0;
    };
    std::size_t end = 0;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return answer;
    }
    const std::string top = pending_.substr(0, end + 2);
    pending_.erase(0, end + 4);
    std::size_t at = top.find("\r\n") + 2;
    answer.status = std::stoi(top.substr(9, 3));
    while (at < top.size()) {
        const std::size_t stop = top.find("\r\n", at);
        const std::string line = top.substr(at, stop - at);
        std::string name = line.substr(0, line.find(':'));
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
            return static_cast<char>(std::tolower(c));
        });
        answer.headers[name] = line.substr(std::min(line.size(), name.size() + 2));
        at = stop + 2;
    }
    const std::string length = answer.headers["content-length"];
    const std::size_t wanted = head || length.empty() ? 0 : std::stoul(length);
    while (pending_.size() < wanted && fill()) {
    }
    answer.body = pending_.substr(0, wanted);
    pending_.erase(0, wanted);
    return answer;
}

std::string RawClient::bytes(std::size_t count) {
    while (pending_.size() < count) {
        char chunk[4096];
        const ssize_t n = ::recv(fd_, chunk, sizeof chunk, 0);
        if (n <= 0) break;
        pending_.append(chunk, static_cast<std::size_t>(n));
    }
    std::string taken = pending_.substr(0, count);
    pending_.erase(0, taken.size());
    return taken;
}

bool RawClient::ended() {
    char chunk[4096];
    for (;;) {
        const ssize_t n = ::recv(fd_, chunk, sizeof chunk, 0);
        if (n == 0) return true;
        if (n < 0) return errno == ECONNRESET;
    }
}

RawAnswer ask(const std::string& address,
              const std::string& method,
              const std::string& target,
              const std::string& extra,
              const std::string& body) {
    RawClient client(address);
    std::string text = method + " " + target + " HTTP/1.1\r\nConnection: close\r\n";
    if (extra.find("Host:") == std::string::npos) text += "Host: " + address + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    client.send(text + extra + "\r\n" + body);
    return client.read(method == "HEAD");
}

}  // namespace offhook::testing
