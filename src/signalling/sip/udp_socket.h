#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "glib/fd_watch.h"
#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {

/// One listening UDP socket. On a wildcard address it answers from, and puts into Contact, the
/// local address that the datagram was sent to.
/// @thread sip
class UdpSocket {
public:
    [[nodiscard]] static base::Result<std::unique_ptr<UdpSocket>> open(ListenSpec spec,
                                                                       GMainContext* context,
                                                                       FlowEvents& events,
                                                                       int dscp);
    ~UdpSocket();

    [[nodiscard]] const ListenSpec& spec() const { return spec_; }
    /// The flow from the bound address; for a socket that is not on the wildcard.
    [[nodiscard]] std::shared_ptr<Flow> flow() { return flow_from(spec_.address); }

private:
    class UdpFlow;
    struct Shared;

    UdpSocket(ListenSpec spec, Fd fd, FlowEvents& events);
    void receive();
    [[nodiscard]] std::shared_ptr<Flow> flow_from(const SocketAddress& local);

    ListenSpec spec_;
    FlowEvents& events_;
    std::shared_ptr<Shared> shared_;  ///< outlives the socket in flows that calls still hold
    glib::FdWatch watch_;
    /// By local address; more than one only on a wildcard.
    std::map<std::string, std::shared_ptr<Flow>> flows_;
};

}  // namespace offhook::signalling::sip
