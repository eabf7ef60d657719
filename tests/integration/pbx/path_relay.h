#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "pbx/sockets.h"

namespace offhook::harness {

/// What the path between a phone and its PBX does.
enum class Path {
    Open,
    /// Nothing gets through and nobody is told: a router that lost its power. Bytes of TCP wait in
    /// the relay as they would be sent again; datagrams are lost.
    Blackhole,
    /// Connections are reset and new ones refused. Datagrams are lost.
    Cut,
};

/// A TCP relay on 127.0.0.1 whose path can be disturbed, whatever is spoken on it (TLS, WSS). It
/// has a thread of its own.
class TcpRelay {
public:
    /// Relays to 127.0.0.1:`target`.
    explicit TcpRelay(std::uint16_t target);
    ~TcpRelay();
    TcpRelay(const TcpRelay&) = delete;
    TcpRelay& operator=(const TcpRelay&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Returns when the path is as asked: after Cut, connections are reset.
    void set(Path path);
    /// Resets the connections of this moment, like Cut directly followed by Open.
    void drop_connections();
    /// Connections accepted so far.
    [[nodiscard]] unsigned accepted() const { return accepted_; }

private:
    struct Link {
        Socket phone, pbx;
        std::string to_pbx, to_phone;  ///< read and not yet written
    };

    void run();
    void apply(Path path);
    void accept_one();
    static bool move(Socket& from, Socket& to, std::string& waiting, short events);

    std::uint16_t target_;
    std::uint16_t port_ = 0;
    int wake_fd_ = -1;
    Socket listener_;  ///< these three are the thread's alone
    std::list<Link> links_;
    Path path_ = Path::Open;
    std::mutex mutex_;  ///< guards wanted_ and is_ending_
    std::condition_variable applied_;
    std::optional<Path> wanted_;
    bool is_ending_ = false;
    std::atomic<unsigned> accepted_{0};
    std::thread thread_;
};

/// The same for datagrams. Each phone's address gets a socket of its own toward the PBX.
class UdpRelay {
public:
    explicit UdpRelay(std::uint16_t target);
    ~UdpRelay();
    UdpRelay(const UdpRelay&) = delete;
    UdpRelay& operator=(const UdpRelay&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    void set(Path path) { path_ = path; }
    /// Forgets where phones are, as a NAT does: the next datagram of a phone comes from a new port,
    /// and what the PBX sends to the old one is lost.
    void forget() { forgets_ = true; }

private:
    struct Link {
        sockaddr_in phone{};
        Socket pbx;
    };

    void run();
    void forward(const sockaddr_in& phone, const std::string& datagram);

    std::uint16_t target_;
    Socket socket_;
    std::uint16_t port_ = 0;
    int wake_fd_ = -1;
    std::list<Link> links_;  ///< the thread's alone
    std::atomic<Path> path_{Path::Open};
    std::atomic<bool> forgets_{false};
    std::thread thread_;
};

}  // namespace offhook::harness
