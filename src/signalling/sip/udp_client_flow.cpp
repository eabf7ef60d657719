// The UDP socket of one account.
#include <cerrno>

#include "glib/timer.h"
#include "signalling/sip/client_flow_kind.h"
#include "signalling/sip/udp_socket.h"

namespace offhook::signalling::sip {
namespace {

/// Bound to the local address that leads to the proxy, and not connected: in-dialog requests may go
/// to peers that the proxy keeps out of the way of. What strangers send is dropped.
class UdpClientFlow final : public ClientFlow, private FlowEvents {
public:
    using ClientFlow::ClientFlow;
    ~UdpClientFlow() override { keepalive_.cancel(); }

    void start() override {
        auto spec = local_end();
        if (!spec) return lost(std::move(spec.error()));
        auto socket = UdpSocket::open(*spec, context_, *this, dscp_);
        if (!socket) return lost(std::move(socket.error()));
        socket_ = std::move(*socket);
        socket_flow_ = socket_->flow();
        opened(socket_->spec().address);
        keep_alive();
    }

    bool send(std::string_view message, const SocketAddress& to) override {
        if (!is_open()) return false;
        if (socket_flow_->send(message, to)) return true;
        const int error = errno;
        // One message too long does not end a path; no route, or an address of ours that went, does.
        if (error != EMSGSIZE) {
            lost(base::fail_errno(
                     "cannot send to " + to.text() + ": check the network of this machine", error)
                     .value());
        }
        return false;
    }

protected:
    void shut() override {
        keepalive_.cancel();
        socket_flow_.reset();
        socket_.reset();
    }

private:
    /// Where the kernel would send to the proxy from; it chooses the port.
    [[nodiscard]] base::Result<ListenSpec> local_end() const {
        const SocketAddress& to = target_.address;
        const Fd probe(socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (!probe || connect(probe.get(), to.raw(), to.length) != 0) {
            return base::fail_errno(
                "no way to " + to.text() + ": check the network of this machine", errno);
        }
        ListenSpec spec{Transport::Udp, local_address_of(probe.get())};
        spec.address.set_port(0);
        return spec;
    }

    /// Holds the binding of a NAT open; its loss shows in requests that nobody answers.
    void keep_alive() {
        if (target_.keepalive.count() <= 0) return;
        keepalive_.once(context_, next_keepalive(), [this] {
            if (send("\r\n\r\n", target_.address)) keep_alive();
        });
    }

    // FlowEvents of the socket
    void on_message(const Received& message) override {
        messages_.on_message(Received{shared_from_this(), message.from, message.bytes});
    }
    void on_malformed(const SocketAddress& from, std::string_view why) override {
        messages_.on_malformed(from, why);
    }
    void on_connections(std::size_t /*open*/) override {}
    bool admit(const SocketAddress& from) override {
        return from.host() == target_.address.host() || messages_.admit(from);
    }

    std::unique_ptr<UdpSocket> socket_;
    std::shared_ptr<Flow> socket_flow_;
    glib::Timer keepalive_;
};

}  // namespace

std::shared_ptr<ClientFlow> make_udp_client_flow(GMainContext* context,
                                                 const FlowTarget& target,
                                                 int dscp,
                                                 FlowEvents& messages,
                                                 ClientFlow::Report report) {
    return std::make_shared<UdpClientFlow>(context, target, dscp, messages, std::move(report));
}

}  // namespace offhook::signalling::sip
