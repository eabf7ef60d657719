#include "signalling/sip/tcp_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/monotonic.h"
#include "glib/stream_dialer.h"
#include "signalling/sip/stream_connection.h"

namespace offhook::signalling::sip {
namespace {

constexpr int kAcceptMax = 32;                     // per wake-up
constexpr std::chrono::milliseconds kSweep{1000};  // how often deadlines are looked at

}  // namespace

class TcpTransport::Connection final : public Flow,
                                       public StreamConnection::Listener,
                                       public std::enable_shared_from_this<Connection> {
public:
    Connection(TcpTransport& owner, const SocketAddress& peer)
        : owner_(&owner),
          peer_(peer),
          stream_(std::make_shared<StreamConnection>(
              owner.context_, *this, peer.text(), owner.limits_.max_queue_bytes)) {}

    ~Connection() override { stream_->close(); }

    /// Takes over an accepted connection. False when GIO does not want it.
    bool take(Fd fd) {
        local_ = local_address_of(fd.get());
        const auto socket = glib::Ref<GSocket>::adopt(g_socket_new_from_fd(fd.get(), nullptr));
        if (!socket) return false;
        (void)fd.release();
        stream_->attach(glib::Ref<GIOStream>::adopt(
            G_IO_STREAM(g_socket_connection_factory_create_connection(socket.get()))));
        return true;
    }

    /// Begins to connect; what is sent meanwhile waits. False when that is impossible at once.
    bool dial() {
        glib::DialOptions options;
        options.address = peer_.storage;
        options.length = peer_.length;
        options.dscp = owner_->dscp_;
        dialer_.dial(options, [this](base::Result<glib::DialledStream> made) {
            if (!made) return on_stream_closed(std::move(made.error()));
            stream_->attach(std::move(made->stream));
        });
        if (dialer_.socket() == nullptr) return false;
        local_ = local_address_of(g_socket_get_fd(dialer_.socket()));
        return true;
    }

    Transport transport() const override { return Transport::Tcp; }
    SocketAddress local() const override { return local_; }
    bool is_open() const override { return stream_->is_open(); }
    const SocketAddress& peer() const { return peer_; }
    bool send(std::string_view message, const SocketAddress& /*to*/) override {
        return stream_->send(message);
    }
    void shut() { stream_->close(); }

    [[nodiscard]] bool is_overdue(std::int64_t now_ns, const TcpLimits& limits) const {
        const auto passed = [&](std::int64_t since, std::chrono::milliseconds limit) {
            return now_ns - since > limit.count() * base::kNsPerMs;
        };
        const std::int64_t partial_since_ns = stream_->partial_since_ns();
        if (partial_since_ns != 0 && passed(partial_since_ns, limits.incomplete)) return true;
        return passed(stream_->heard_ns(), limits.idle);
    }

private:
    void on_stream_message(std::string_view text) override {
        owner_->events_.on_message(Received{shared_from_this(), peer_, text});
    }
    void on_stream_malformed(std::string_view why) override {
        owner_->events_.on_malformed(peer_, why);
    }
    void on_stream_closed(base::Error /*why*/) override { owner_->close(*this); }

    TcpTransport* owner_;
    SocketAddress peer_;
    SocketAddress local_;
    std::shared_ptr<StreamConnection> stream_;
    glib::StreamDialer dialer_;
};

TcpTransport::TcpTransport(GMainContext* context, FlowEvents& events, TcpLimits limits, int dscp)
    : context_(context), events_(events), limits_(limits), dscp_(dscp) {}

TcpTransport::~TcpTransport() {
    listeners_.clear();
    // Calls may still hold their flow: it stays valid, but closed.
    for (auto& [key, connection] : connections_) connection->shut();
}

base::Result<ListenSpec> TcpTransport::listen(ListenSpec spec) {
    auto fd = bind_socket(spec, dscp_);
    if (!fd) return tl::unexpected(std::move(fd.error()));
    auto listener = std::make_unique<Listener>();
    listener->fd = std::move(*fd);
    const int raw = listener->fd.get();
    listener->watch.start(context_, raw, G_IO_IN, [this, raw](GIOCondition) { accept_from(raw); });
    listeners_.push_back(std::move(listener));
    return spec;
}

void TcpTransport::accept_from(int listener) {
    for (int i = 0; i < kAcceptMax; ++i) {
        SocketAddress peer;
        peer.length = sizeof(peer.storage);
        Fd fd(accept4(listener, peer.raw(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!fd) return;
        if (!events_.admit(peer)) continue;
        const auto source = per_source_.find(peer.host());
        const std::size_t from_source = source == per_source_.end() ? 0 : source->second;
        if (connections_.size() >= limits_.max_connections ||
            from_source >= limits_.max_per_source) {
            events_.on_malformed(peer, "too many connections");
            continue;
        }
        const int on = 1;
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        const auto connection = std::make_shared<Connection>(*this, peer);
        if (connection->take(std::move(fd))) add(connection);
    }
}

void TcpTransport::add(const std::shared_ptr<Connection>& connection) {
    connections_.emplace(connection.get(), connection);
    ++per_source_[connection->peer().host()];
    events_.on_connections(connections_.size());
    if (!sweeper_.is_armed()) sweeper_.every(context_, kSweep, [this] { sweep(); });
}

std::shared_ptr<Flow> TcpTransport::flow_to(const SocketAddress& to) {
    for (const auto& [key, connection] : connections_) {
        if (connection->is_open() && connection->peer() == to) return connection;
    }
    if (connections_.size() >= limits_.max_connections) return nullptr;
    const auto connection = std::make_shared<Connection>(*this, to);
    if (!connection->dial()) return nullptr;
    add(connection);
    return connection;
}

void TcpTransport::close(Connection& connection) {
    const auto found = connections_.find(&connection);
    connection.shut();
    if (found == connections_.end()) return;
    const auto source = per_source_.find(connection.peer().host());
    if (source != per_source_.end() && --source->second == 0) per_source_.erase(source);
    // The caller may be a method of the connection: it holds itself alive (shared_from_this) or is
    // held by its caller.
    connections_.erase(found);
    events_.on_connections(connections_.size());
}

void TcpTransport::sweep() {
    const std::int64_t now_ns = base::monotonic_ns();
    std::vector<std::shared_ptr<Connection>> overdue;
    for (const auto& [key, connection] : connections_) {
        if (connection->is_overdue(now_ns, limits_)) overdue.push_back(connection);
    }
    for (const auto& connection : overdue) close(*connection);
    if (connections_.empty()) sweeper_.cancel();
}

}  // namespace offhook::signalling::sip
