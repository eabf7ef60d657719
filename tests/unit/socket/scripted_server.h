#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "socket/event_loop.h"

namespace offhook::socket {

/// A TCP server on loopback and the test's own loop that says what a test tells it to.
class ScriptedServer final : private EventLoop::Watcher {
public:
    class Connection;
    using Script = std::function<void(Connection&)>;

    /// @param script  told whenever bytes have come, and at the end of the stream
    ScriptedServer(EventLoop& loop, Script script);
    ~ScriptedServer() override;
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string url(const std::string& scheme, const std::string& path = "/") const {
        return scheme + "://127.0.0.1:" + std::to_string(port_) + path;
    }
    [[nodiscard]] std::size_t accepted() const { return connections_.size(); }

private:
    void on_ready(std::uint32_t events) override;

    EventLoop& loop_;
    const Script script_;
    int fd_ = -1;
    std::uint16_t port_ = 0;
    std::vector<std::unique_ptr<Connection>> connections_;
};

class ScriptedServer::Connection final : private EventLoop::Watcher {
public:
    Connection(EventLoop& loop, int fd, const Script& script);
    ~Connection() override;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void send(std::string_view bytes) const;
    void close();
    /// Whether a whole head has come.
    [[nodiscard]] bool has_head() const { return received.find("\r\n\r\n") != std::string::npos; }
    /// A 101 that is right in all.
    [[nodiscard]] std::string good_answer(const std::string& more_headers = {}) const;

    std::string received;
    bool has_ended = false;
    int step = 0;  ///< the script's own

private:
    void on_ready(std::uint32_t events) override;

    EventLoop& loop_;
    int fd_;
    const Script& script_;
};

}  // namespace offhook::socket
