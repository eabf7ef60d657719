#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "glib/stream_dialer.h"
#include "signalling/sip/client_flow.h"

namespace offhook::signalling::sip {

/// What the kinds of client flow have in common; UDP, byte stream and WebSocket are below it.
/// @thread sip
class ClientFlow : public Flow, public std::enable_shared_from_this<ClientFlow> {
public:
    /// Told once that the flow opened (`lost` empty), and once that it is gone.
    using Report = std::function<void(ClientFlow&, std::optional<base::Error> lost)>;

    ClientFlow(GMainContext* context,
               const FlowTarget& target,
               int dscp,
               FlowEvents& messages,
               Report report);

    /// Begins to open.
    virtual void start() = 0;
    /// Closes in an orderly way, without a report.
    void close();
    virtual void expect_pongs() {}

    // Flow
    Transport transport() const override { return target_.transport; }
    SocketAddress local() const override { return local_; }
    std::string_view account() const override { return target_.account; }
    bool is_insecure() const override;
    bool is_open() const override { return state_ == State::Open; }

protected:
    /// Lets go of sockets and timers. Called once.
    virtual void shut() = 0;
    void opened(const SocketAddress& local);
    void lost(base::Error why);
    void received(std::string_view message);
    void malformed(std::string_view why);
    [[nodiscard]] glib::DialOptions dial_options() const;
    /// The next keep-alive: 80 to 100 % of the period (RFC 5626 §4.4), so that accounts do not send
    /// in step.
    [[nodiscard]] std::chrono::milliseconds next_keepalive() const;

    GMainContext* context_;
    FlowTarget target_;
    int dscp_;
    FlowEvents& messages_;

private:
    enum class State { Opening, Open, Closed };
    Report report_;
    SocketAddress local_;
    State state_ = State::Opening;
};

[[nodiscard]] std::shared_ptr<ClientFlow> make_udp_client_flow(GMainContext* context,
                                                               const FlowTarget& target,
                                                               int dscp,
                                                               FlowEvents& messages,
                                                               ClientFlow::Report report);
/// TCP, TLS
[[nodiscard]] std::shared_ptr<ClientFlow> make_stream_client_flow(GMainContext* context,
                                                                  const FlowTarget& target,
                                                                  int dscp,
                                                                  FlowEvents& messages,
                                                                  ClientFlow::Report report);
/// WS, WSS
[[nodiscard]] std::shared_ptr<ClientFlow> make_ws_client_flow(GMainContext* context,
                                                              const FlowTarget& target,
                                                              int dscp,
                                                              FlowEvents& messages,
                                                              ClientFlow::Report report);

}  // namespace offhook::signalling::sip
