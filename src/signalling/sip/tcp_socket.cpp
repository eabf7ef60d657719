#include "signalling/sip/tcp_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>

#include "base/monotonic.h"
#include "signalling/sip/stream_framer.h"

namespace offhook::signalling::sip {
namespace {

constexpr int kAcceptMax = 32;                 // per wake-up
constexpr std::size_t kReadBytes = 16 * 1024;  // per read
constexpr int kReadMax = 8;  // reads per wake-up: other connections get their turn
constexpr std::chrono::milliseconds kSweep{1000};  // how often deadlines are looked at

}  // namespace

class TcpTransport::Connection final : public Flow,
                                       public std::enable_shared_from_this<Connection> {
public:
    Connection(TcpTransport& owner,
               Fd fd,
               const SocketAddress& peer,
               const SocketAddress& local,
               bool connecting)
        : owner_(&owner),
          fd_(std::move(fd)),
          peer_(peer),
          local_(local),
          is_connecting_(connecting) {
        heard_ns_ = base::monotonic_ns();
    }

    void start() {
        reader_.start(
            owner_->context_, fd_.get(), G_IO_IN, [this](GIOCondition) { on_readable(); });
        if (is_connecting_) watch_writable();
    }

    Transport transport() const override { return Transport::Tcp; }
    SocketAddress local() const override { return local_; }
    bool is_open() const override { return static_cast<bool>(fd_); }
    const SocketAddress& peer() const { return peer_; }

    bool send(std::string_view message, const SocketAddress& /*to*/) override {
        if (!is_open()) return false;
        if (queue_.empty() && !is_connecting_) {
            const ssize_t n = ::send(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN && errno != EINTR) {
                owner_->close(*this);
                return false;
            }
            if (n > 0) message.remove_prefix(static_cast<std::size_t>(n));
            if (message.empty()) return true;
        }
        if (queue_.size() + message.size() > owner_->limits_.max_queue_bytes) {
            owner_->close(*this);
            return false;
        }
        queue_ += message;
        watch_writable();
        return true;
    }

    void shut() {
        reader_.stop();
        writer_.stop();
        fd_ = Fd();
        queue_.clear();
    }

    [[nodiscard]] bool is_overdue(std::int64_t now_ns, const TcpLimits& limits) const {
        const auto passed = [&](std::int64_t since, std::chrono::milliseconds limit) {
            return now_ns - since > limit.count() * base::kNsPerMs;
        };
        if (partial_since_ns_ != 0 && passed(partial_since_ns_, limits.incomplete)) return true;
        return passed(heard_ns_, limits.idle);
    }

private:
    void watch_writable() {
        if (writer_.is_active()) return;
        writer_.start(
            owner_->context_, fd_.get(), G_IO_OUT, [this](GIOCondition) { on_writable(); });
    }

    void on_writable() {
        const auto keep = shared_from_this();
        if (is_connecting_) {
            int error = 0;
            socklen_t length = sizeof(error);
            getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
            if (error != 0) return owner_->close(*this);
            is_connecting_ = false;
        }
        while (!queue_.empty()) {
            const ssize_t n = ::send(fd_.get(), queue_.data(), queue_.size(), MSG_NOSIGNAL);
            if (n < 0) {
                if (errno == EINTR) continue;
                if (errno == EAGAIN) return;
                return owner_->close(*this);
            }
            queue_.erase(0, static_cast<std::size_t>(n));
        }
        writer_.stop();
    }

    void on_readable() {
        const auto keep = shared_from_this();
        std::array<char, kReadBytes> bytes{};
        for (int i = 0; i < kReadMax && is_open(); ++i) {
            const ssize_t n = recv(fd_.get(), bytes.data(), bytes.size(), 0);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) return;
            if (n <= 0) return owner_->close(*this);
            heard_ns_ = base::monotonic_ns();
            framer_.append({bytes.data(), static_cast<std::size_t>(n)});
            if (!drain(keep)) return;
        }
    }

    /// False when the connection is gone.
    bool drain(const std::shared_ptr<Connection>& self) {
        using Kind = StreamFramer::Step::Kind;
        while (is_open()) {
            const StreamFramer::Step step = framer_.next();
            switch (step.kind) {
                case Kind::NeedMore:
                    if (!framer_.is_partial()) {
                        partial_since_ns_ = 0;
                    } else if (partial_since_ns_ == 0) {
                        partial_since_ns_ = heard_ns_;
                    }
                    return true;
                case Kind::Message:
                    partial_since_ns_ = 0;
                    owner_->events_.on_message(Received{self, peer_, step.text});
                    break;
                case Kind::Ping:
                    send("\r\n", peer_);
                    break;
                case Kind::Broken:
                    owner_->events_.on_malformed(peer_, step.text);
                    owner_->close(*this);
                    return false;
            }
        }
        return false;
    }

    TcpTransport* owner_;
    Fd fd_;
    SocketAddress peer_;
    SocketAddress local_;
    bool is_connecting_;
    StreamFramer framer_;
    std::string queue_;
    FdWatch reader_;
    FdWatch writer_;
    std::int64_t heard_ns_ = 0;
    std::int64_t partial_since_ns_ = 0;  ///< 0: no incomplete message
};

TcpTransport::TcpTransport(GMainContext* context, FlowEvents& events, TcpLimits limits)
    : context_(context), events_(events), limits_(limits) {}

TcpTransport::~TcpTransport() {
    listeners_.clear();
    // Calls may still hold their flow: it stays valid, but closed.
    for (auto& [key, connection] : connections_) connection->shut();
}

base::Result<ListenSpec> TcpTransport::listen(ListenSpec spec) {
    auto fd = bind_socket(spec);
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
        add(std::move(fd), peer, false);
    }
}

std::shared_ptr<TcpTransport::Connection> TcpTransport::add(Fd fd,
                                                            const SocketAddress& peer,
                                                            bool connecting) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    SocketAddress local;
    local.length = sizeof(local.storage);
    getsockname(fd.get(), local.raw(), &local.length);
    auto connection = std::make_shared<Connection>(*this, std::move(fd), peer, local, connecting);
    connection->start();
    connections_.emplace(connection.get(), connection);
    ++per_source_[peer.host()];
    events_.on_connections(connections_.size());
    if (!sweeper_.is_armed()) sweeper_.every(context_, kSweep, [this] { sweep(); });
    return connection;
}

std::shared_ptr<Flow> TcpTransport::flow_to(const SocketAddress& to) {
    for (const auto& [key, connection] : connections_) {
        if (connection->is_open() && connection->peer() == to) return connection;
    }
    if (connections_.size() >= limits_.max_connections) return nullptr;
    Fd fd(socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return nullptr;
    const int result = connect(fd.get(), to.raw(), to.length);
    if (result != 0 && errno != EINPROGRESS) return nullptr;
    return add(std::move(fd), to, result != 0);
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
