#pragma once

#include <glib.h>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "glib/timer.h"
#include "signalling/sip/account_settings.h"
#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {

/// One way to a registrar or proxy that an account wants.
struct FlowTarget {
    Transport transport = Transport::Udp;
    SocketAddress address;  ///< what is dialled
    /// The name that `address` came from: WebSocket Host header, and SNI and the name to check
    /// unless `tls.server_name` says another. Empty: the address.
    std::string host{};
    TlsSettings tls{};                 ///< TLS, WSS
    std::string websocket_path = "/";  ///< WS, WSS
    std::string account{};
    /// Time between keep-alives of ours: CRLF CRLF, on a WebSocket a ping.
    std::chrono::milliseconds keepalive{25'000};
    /// How long after one the path counts as cut when nothing proves the opposite.
    std::chrono::milliseconds keepalive_timeout{10'000};
};

class ClientFlow;

/// What becomes of a flow that an account opened. Never called from inside a method of
/// `ClientFlows` or `Flow`.
/// @thread sip
class ClientFlowEvents {
public:
    virtual ~ClientFlowEvents() = default;
    /// The connection is made, its certificate checked, its WebSocket agreed: it takes messages.
    virtual void on_flow_open(Flow& flow) = 0;
    /// It could not be opened, or is lost; told once, and not after `ClientFlows::close`. `why` is
    /// a sentence for a person that says what to check.
    virtual void on_flow_closed(Flow& flow, base::Error why) = 0;
};

/// The flows that accounts open: one UDP socket, or one connection, each. Messages come through
/// `FlowEvents::on_message` with `Received::flow` being the flow; they need no `[sip] allow`,
/// because only the address that was dialled can send them.
///
/// Keep-alives (RFC 5626 §4.4.1, RFC 7118 §6) are sent by the flow. What proves that a path lives:
/// - WS, WSS: anything received, a pong above all; without it the flow is lost after
///   `keepalive` + `keepalive_timeout`.
/// - TCP, TLS: the same once the peer answered a keep-alive or `expect_pongs` said that it will;
///   else the kernel's own acknowledgement of what we sent, within the same time.
/// - UDP: nothing here; only the answers to requests prove it.
/// @thread sip, whose context is thread-default
class ClientFlows {
public:
    /// @param dscp  of every packet sent, 0-63
    ClientFlows(GMainContext* context, FlowEvents& messages, int dscp);
    /// Closes all; nothing is reported.
    ~ClientFlows();
    ClientFlows(const ClientFlows&) = delete;
    ClientFlows& operator=(const ClientFlows&) = delete;

    /// Begins to open a flow; never null. It refuses to send until `on_flow_open`, which or
    /// `on_flow_closed` comes within `kConnectTimeout`.
    [[nodiscard]] std::shared_ptr<Flow> open(const FlowTarget& target, ClientFlowEvents& events);
    /// Closes without a report. A flow that is not one of these is left alone.
    void close(Flow& flow);
    /// The registrar supports RFC 5626 (`Require: outbound` or Flow-Timer in its answer): a pong
    /// that does not come is the end of a TCP or TLS flow.
    void expect_pongs(Flow& flow);

    static constexpr std::chrono::milliseconds kConnectTimeout{5'000};

private:
    struct Entry {
        std::shared_ptr<ClientFlow> flow;
        ClientFlowEvents* events = nullptr;
    };
    struct Report {
        std::shared_ptr<ClientFlow> flow;
        std::optional<base::Error> lost;  ///< empty: it opened
    };
    [[nodiscard]] std::shared_ptr<ClientFlow> make(const FlowTarget& target);
    void report(Report report);
    void tell();

    GMainContext* context_;
    FlowEvents& messages_;
    int dscp_;
    std::map<const Flow*, Entry> entries_;
    std::deque<Report> reports_;
    glib::Timer teller_;
};

}  // namespace offhook::signalling::sip
