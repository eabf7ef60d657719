// The WebSocket of one account (RFC 7118).
#include "http/websocket_client.h"
#include "signalling/sip/client_flow_kind.h"
#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

class WsClientFlow final : public ClientFlow, public http::WebSocketClient::Listener {
public:
    WsClientFlow(GMainContext* context,
                 const FlowTarget& target,
                 int dscp,
                 FlowEvents& messages,
                 Report report)
        : ClientFlow(context, target, dscp, messages, std::move(report)),
          host_alias_(random_token() + ".invalid") {}

    void start() override {
        http::WebSocketOptions options;
        options.dial = dial_options();
        options.host = host();
        options.path = target_.websocket_path;
        options.subprotocols = {"sip"};
        options.max_message_bytes = kMaxMessageBytes;
        options.ping = std::chrono::ceil<std::chrono::seconds>(target_.keepalive);
        options.pong_timeout = target_.keepalive_timeout;
        socket_ = std::make_unique<http::WebSocketClient>(*this);
        socket_->open(options);
    }

    /// RFC 7118 Appendix B.1: a name that nobody resolves, the same as long as the flow lives.
    std::string_view host_alias() const override { return host_alias_; }

    bool send(std::string_view message, const SocketAddress& /*to*/) override {
        return is_open() && socket_->send(message);
    }

protected:
    void shut() override { socket_.reset(); }

private:
    /// The Host header: RFC 7230 §5.4, without a port that is the scheme's own.
    [[nodiscard]] std::string host() const {
        const auto numeric = SocketAddress::parse(target_.host, 0);
        const std::string name = numeric ? numeric->uri_host() : target_.host;
        const std::uint16_t port = target_.address.port();
        const bool is_usual =
            port == (target_.transport == Transport::Wss ? kHttpsPort : kHttpPort);
        return is_usual ? name : name + ":" + std::to_string(port);
    }

    void on_websocket_open() override {
        const glib::DialledStream& connection = socket_->connection();
        SocketAddress local;
        local.storage = connection.local;
        local.length = connection.local_length;
        opened(local);
    }

    /// A frame is a message (RFC 7118 §5.1); one of nothing but line ends is a keep-alive of
    /// somebody who thinks in byte streams.
    void on_websocket_message(std::string_view message) override {
        const auto begin = message.find_first_not_of("\r\n");
        if (begin != std::string_view::npos) return received(message.substr(begin));
        if (message == "\r\n\r\n") send("\r\n", target_.address);
    }

    void on_websocket_closed(base::Error why, int /*code*/) override { lost(std::move(why)); }

    std::string host_alias_;
    std::unique_ptr<http::WebSocketClient> socket_;
};

}  // namespace

std::shared_ptr<ClientFlow> make_ws_client_flow(GMainContext* context,
                                                const FlowTarget& target,
                                                int dscp,
                                                FlowEvents& messages,
                                                ClientFlow::Report report) {
    return std::make_shared<WsClientFlow>(context, target, dscp, messages, std::move(report));
}

}  // namespace offhook::signalling::sip
