#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "glib/fd_watch.h"
#include "glib/timer.h"
#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {

struct TcpLimits {
    std::size_t max_connections = 1024;
    std::size_t max_per_source = 256;
    std::size_t max_queue_bytes =
        256 * 1024;  ///< unsent bytes a connection may hold before it is closed
    std::chrono::milliseconds idle{600'000};       ///< without a byte from the peer
    std::chrono::milliseconds incomplete{30'000};  ///< one message may take this long to arrive
};

/// The TCP connections of the stack: those that its listeners accepted, and those it opened itself
/// to reach a peer whose connection is gone.
/// @thread sip
class TcpTransport {
public:
    TcpTransport(GMainContext* context, FlowEvents& events, TcpLimits limits, int dscp);
    ~TcpTransport();

    /// @return the specification with the real port
    [[nodiscard]] base::Result<ListenSpec> listen(ListenSpec spec);
    /// An open connection to `to`, else a new one that is being made; empty when that is impossible
    /// at once.
    [[nodiscard]] std::shared_ptr<Flow> flow_to(const SocketAddress& to);

private:
    class Connection;
    struct Listener {
        Fd fd;
        glib::FdWatch watch;
    };

    void accept_from(int listener);
    void add(const std::shared_ptr<Connection>& connection);
    void close(Connection& connection);
    void sweep();

    GMainContext* context_;
    FlowEvents& events_;
    TcpLimits limits_;
    int dscp_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::map<Connection*, std::shared_ptr<Connection>> connections_;
    std::map<std::string, std::size_t> per_source_;
    glib::Timer sweeper_;
};

}  // namespace offhook::signalling::sip
