#include "socket/web_socket_listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <string_view>

#include "base/escape.h"
#include "base/monotonic.h"
#include "socket/address.h"
#include "socket/http_head.h"
#include "socket/transport.h"
#include "socket/web_socket_link.h"

namespace offhook::socket {
namespace {

constexpr std::int64_t kNoDescriptors_ns = 100 * base::kNsPerMs;
constexpr int kAcceptsATurn = 16;

std::string_view reason_of(int status) {
    switch (status) {
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 426:
            return "Upgrade Required";
        case 431:
            return "Request Header Fields Too Large";
        case 503:
            return "Service Unavailable";
        default:
            return "Refused";
    }
}

/// Says no and that nothing follows: a few hundred bytes, which an empty socket takes.
void refuse(Transport& transport, int status, std::string_view text) {
    std::string answer =
        "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_of(status));
    if (status == 426) answer += "\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";
    if (status == 405) answer += "\r\nAllow: GET";
    answer += "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
              std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n";
    answer += text;
    [[maybe_unused]] const auto written = transport.write(std::as_bytes(std::span(answer)));
    transport.say_goodbye();
}

std::optional<std::string> percent_decoded(std::string_view text) {
    const auto digit = [](char one) {
        if (one >= '0' && one <= '9') return one - '0';
        if (one >= 'a' && one <= 'f') return one - 'a' + 10;
        if (one >= 'A' && one <= 'F') return one - 'A' + 10;
        return -1;
    };
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i];
            continue;
        }
        if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) {
            return std::nullopt;
        }
        result += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
        i += 2;
    }
    return result;
}

/// 16 bytes in base64 (RFC 6455 §4.2.1).
bool is_websocket_key(const std::string& key) {
    std::array<unsigned char, 18> bytes{};
    return key.size() == 24 && key.ends_with("==") && key[21] != '=' &&
           EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(key.data()), 24) ==
               18;
}

struct Refusal {
    int status = 0;
    std::string text;
};

/// Reads what a client wants. @return nothing when it is an upgrade
std::optional<Refusal> read_request(const HttpHead& head, UpgradeRequest& request) {
    const std::string_view line(head.start_line);
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || last == first || line.substr(last) != " HTTP/1.1") {
        return Refusal{400, "This is not an HTTP/1.1 request.\n"};
    }
    if (line.substr(0, first) != "GET") {
        return Refusal{405, "WebSockets begin with GET.\n"};
    }
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::size_t query = std::min(target.find('?'), target.size());
    auto path = percent_decoded(target.substr(0, query));
    if (!target.starts_with('/') || !path || head.find("host") == nullptr) {
        return Refusal{400, "The request has no Host, or a target that is no path.\n"};
    }
    request.path = std::move(*path);
    request.query = target.substr(std::min(query + 1, target.size()));
    if (!head.has_token("upgrade", "websocket") || !head.has_token("connection", "upgrade")) {
        return Refusal{426, "Only WebSockets are served here.\n"};
    }
    const std::string* const version = head.find("sec-websocket-version");
    if (version == nullptr || *version != "13") {
        return Refusal{426, "Only version 13 of WebSocket is spoken here.\n"};
    }
    const std::string* const key = head.find("sec-websocket-key");
    if (key == nullptr || !is_websocket_key(*key)) {
        return Refusal{400, "Sec-WebSocket-Key is missing or not 16 bytes in base64.\n"};
    }
    request.headers = head.headers;
    request.subprotocols = head.list("sec-websocket-protocol");
    return std::nullopt;
}

class Listener;

/// A connection whose request is still to be read.
class Pending final : private EventLoop::Watcher {
public:
    Pending(Listener& listener,
            EventLoop& loop,
            std::unique_ptr<Transport> transport,
            std::string peer)
        : listener_(listener),
          loop_(loop),
          transport_(std::move(transport)),
          peer_(std::move(peer)) {}
    ~Pending() override { release(); }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    bool begin();

private:
    void on_ready(std::uint32_t) override {
        std::array<std::byte, 4096> buffer;
        const auto got = transport_->read(buffer);
        if (got.bytes == 0) {
            if (got.state != Transport::State::Later) leave();
            return;
        }
        request_.append(reinterpret_cast<const char*>(buffer.data()), got.bytes);
        const std::size_t length = head_length(request_);
        if (length > kMaxHeadBytes || (length == 0 && request_.size() > kMaxHeadBytes)) {
            return leave_with(431, "The request is over 16 KiB.\n");
        }
        if (length == 0) return;
        const auto head = parse_head(std::string_view(request_).substr(0, length));
        request_.erase(0, length);
        if (!head) return leave_with(400, "This is not HTTP.\n");
        on_head(*head);
    }

    void on_head(const HttpHead& head);
    void leave_with(int status, std::string_view text) {
        refuse(*transport_, status, text);
        leave();
    }
    void release() noexcept {
        if (transport_) loop_.unwatch(transport_->fd());
    }
    void leave();

    Listener& listener_;
    EventLoop& loop_;
    std::unique_ptr<Transport> transport_;
    const std::string peer_;
    std::unique_ptr<EventLoop::Timer> timer_;
    std::string request_;
};

class Listener final : public WebSocketListener, private EventLoop::Watcher {
public:
    Listener(EventLoop& loop, Settings settings, Decide decide)
        : loop_(loop), settings_(std::move(settings)), decide_(std::move(decide)) {}
    ~Listener() override {
        if (fd_ < 0) return;
        loop_.unwatch(fd_);
        ::close(fd_);
    }

    base::Result<void> listen() {
        auto address = parse_ip(settings_.address, settings_.port);
        if (!address) {
            return base::fail(base::ErrorCode::InvalidArgument,
                              "the address to listen on is not an IP address: " +
                                  base::escape_untrusted(settings_.address));
        }
        const std::string what = "cannot listen on " + address->text();
        fd_ = ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd_ < 0) return base::fail_errno(what, errno);
        const int on = 1;
        ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (::bind(fd_, address->get(), address->length) != 0 || ::listen(fd_, SOMAXCONN) != 0) {
            return base::fail_errno(what, errno);
        }
        address->length = sizeof address->storage;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address->storage), &address->length);
        port_ = address->port();
        return loop_.watch(fd_, EPOLLIN, *this);
    }

    std::uint16_t port() const noexcept override { return port_; }
    const LinkLimits& limits() const noexcept { return settings_.limits; }
    const Decide& decide() const noexcept { return decide_; }

    std::unique_ptr<Pending> take(const Pending* pending) {
        const auto place = pending_.find(pending);
        if (place == pending_.end()) return nullptr;
        auto owned = std::move(place->second);
        pending_.erase(place);
        return owned;
    }

private:
    void on_ready(std::uint32_t) override {
        for (int i = 0; i < kAcceptsATurn; ++i) {
            Address peer;
            peer.length = sizeof peer.storage;
            const int fd = ::accept4(fd_,
                                     reinterpret_cast<sockaddr*>(&peer.storage),
                                     &peer.length,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                    rest();
                return;
            }
            auto transport = std::make_unique<Transport>(fd);
            if (pending_.size() >= settings_.max_pending) continue;
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            auto pending =
                std::make_unique<Pending>(*this, loop_, std::move(transport), peer.text());
            if (!pending->begin()) continue;
            const Pending* const key = pending.get();
            pending_.emplace(key, std::move(pending));
        }
    }

    /// Nothing can be accepted now, and the socket would say so without end.
    void rest() {
        loop_.change(fd_, 0);
        rest_ = loop_.after(kNoDescriptors_ns, [this] { loop_.change(fd_, EPOLLIN); });
    }

    EventLoop& loop_;
    const Settings settings_;
    const Decide decide_;
    int fd_ = -1;
    std::uint16_t port_ = 0;
    std::map<const Pending*, std::unique_ptr<Pending>> pending_;
    std::unique_ptr<EventLoop::Timer> rest_;
};

bool Pending::begin() {
    timer_ = loop_.after(listener_.limits().connect_timeout_ns,
                         [this] { leave_with(408, "The request did not come in time.\n"); });
    return loop_.watch(transport_->fd(), EPOLLIN, *this).has_value();
}

void Pending::leave() {
    [[maybe_unused]] const auto self = listener_.take(this);
}

void Pending::on_head(const HttpHead& head) {
    UpgradeRequest request;
    request.peer = peer_;
    if (const auto refused = read_request(head, request))
        return leave_with(refused->status, refused->text);
    // From here on it is nobody's but this function's: whoever decides may end the listener.
    const auto self = listener_.take(this);
    timer_.reset();
    const LinkLimits limits = listener_.limits();
    EventLoop& loop = loop_;
    const auto decide = listener_.decide();
    UpgradeAnswer answer = decide(request);
    const auto& offered = request.subprotocols;
    const bool was_offered =
        answer.subprotocol.empty() ||
        std::find(offered.begin(), offered.end(), answer.subprotocol) != offered.end();
    if (answer.status != 101 || answer.events == nullptr || !answer.take || !was_offered) {
        const int status = answer.status >= 400 && answer.status <= 599 ? answer.status : 503;
        return refuse(*transport_, status, answer.text);
    }
    std::string head_text =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        websocket_accept(*head.find("sec-websocket-key")) + "\r\n";
    if (!answer.subprotocol.empty()) {
        head_text += "Sec-WebSocket-Protocol: " + answer.subprotocol + "\r\n";
    }
    head_text += "\r\n";
    if (transport_->write(std::as_bytes(std::span(head_text))).bytes != head_text.size()) return;
    release();
    const auto rest = std::as_bytes(std::span(request_));
    Dialer::Opened opened{std::move(transport_), {rest.begin(), rest.end()}};
    auto link = std::make_unique<WebSocketLink>(loop, Role::Server, limits, *answer.events);
    link->open_at_turn_end(std::move(opened));
    answer.take(std::move(link));
}

}  // namespace

base::Result<std::unique_ptr<WebSocketListener>> WebSocketListener::open(EventLoop& loop,
                                                                         Settings settings,
                                                                         Decide decide) {
    auto listener = std::make_unique<Listener>(loop, std::move(settings), std::move(decide));
    if (auto listening = listener->listen(); !listening) {
        return tl::unexpected(std::move(listening.error()));
    }
    return listener;
}

}  // namespace offhook::socket
