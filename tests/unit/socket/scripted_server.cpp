#include "scripted_server.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "socket/address.h"
#include "socket/http_head.h"

namespace offhook::socket {

ScriptedServer::ScriptedServer(EventLoop& loop, Script script)
    : loop_(loop), script_(std::move(script)) {
    auto address = parse_ip("127.0.0.1", 0).value();
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(fd_, address.get(), address.length), 0);
    EXPECT_EQ(::listen(fd_, 128), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
    port_ = address.port();
    EXPECT_TRUE(loop_.watch(fd_, EPOLLIN, *this));
}

ScriptedServer::~ScriptedServer() {
    loop_.unwatch(fd_);
    ::close(fd_);
}

void ScriptedServer::on_ready(std::uint32_t) {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) connections_.push_back(std::make_unique<Connection>(loop_, fd, script_));
}

ScriptedServer::Connection::Connection(EventLoop& loop, int fd, const Script& script)
    : loop_(loop), fd_(fd), script_(script) {
    EXPECT_TRUE(loop_.watch(fd_, EPOLLIN, *this));
}

ScriptedServer::Connection::~Connection() {
    close();
}

void ScriptedServer::Connection::send(std::string_view bytes) const {
    if (fd_ < 0) return;
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    EXPECT_TRUE(sent < 0 || static_cast<std::size_t>(sent) == bytes.size());
}

void ScriptedServer::Connection::close() {
    if (fd_ < 0) return;
    loop_.unwatch(fd_);
    ::close(fd_);
    fd_ = -1;
}

std::string ScriptedServer::Connection::good_answer(const std::string& more_headers) const {
    const auto head = parse_head(received.substr(0, head_length(received)));
    const std::string* const key = head ? head->find("sec-websocket-key") : nullptr;
    return "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nCONNECTION: x, upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           websocket_accept(key != nullptr ? *key : "") + "\r\n" + more_headers + "\r\n";
}

void ScriptedServer::Connection::on_ready(std::uint32_t) {
    std::array<char, 4096> buffer;
    const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got > 0) received.append(buffer.data(), static_cast<std::size_t>(got));
    has_ended = got == 0;
    if (got <= 0) loop_.unwatch(fd_);
    script_(*this);
}

}  // namespace offhook::socket
