#include "socket/dialer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/escape.h"
#include "base/monotonic.h"

namespace offhook::socket {
namespace {

using Why = LinkEnd::Why;

constexpr int kMaxRedirects = 3;

/// Headers that the handshake writes itself.
bool is_ours(std::string_view name) {
    constexpr std::array kOurs{"host",
                               "upgrade",
                               "connection",
                               "content-length",
                               "transfer-encoding",
                               "sec-websocket-key",
                               "sec-websocket-version",
                               "sec-websocket-protocol",
                               "sec-websocket-extensions"};
    return std::any_of(kOurs.begin(), kOurs.end(), [&](const char* one) {
        return equals_ignoring_case(one, name);
    });
}

base::Result<void> check_header(const std::string& name, const std::string& value) {
    if (!is_header_name(name) || is_ours(name)) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "a header named \"" + base::escape_untrusted(name) +
                              "\" cannot be given; it is no name, or the handshake's own");
    }
    if (!is_header_value(value)) {
        return base::fail(
            base::ErrorCode::InvalidArgument,
            "the value of the header " + name + " has a line break or another control character");
    }
    return {};
}

std::string words(int error_number) {
    return std::system_category().message(error_number);
}

}  // namespace

Dialer::Dialer(EventLoop& loop, const DialSettings& settings, Done done)
    : loop_(loop), commons_(loop.commons()), settings_(settings), done_(std::move(done)) {}

Dialer::~Dialer() {
    drop_socket();
    OPENSSL_cleanse(request_.data(), request_.size());
}

base::Result<std::unique_ptr<Dialer>> Dialer::begin(EventLoop& loop,
                                                    const DialSettings& settings,
                                                    Done done) {
    std::unique_ptr<Dialer> dialer(new Dialer(loop, settings, std::move(done)));
    if (auto checked = dialer->check(); !checked) {
        return tl::unexpected(std::move(checked.error()));
    }
    Dialer* const self = dialer.get();
    dialer->deadline_ns_ = base::monotonic_ns() + settings.limits.connect_timeout_ns;
    dialer->deadline_ =
        loop.after(settings.limits.connect_timeout_ns, [self] { self->on_timeout(); });
    dialer->next_ = loop.after(0, [self] { self->start(); });
    return dialer;
}

base::Result<void> Dialer::check() {
    auto url = parse_url(settings_.url);
    if (!url) return tl::unexpected(std::move(url.error()));
    url_ = std::move(*url);
    if (!settings_.proxy.empty()) {
        auto proxy = parse_proxy(settings_.proxy);
        if (!proxy) return tl::unexpected(std::move(proxy.error()));
        proxy_ = std::move(*proxy);
    }
    for (const auto& [name, value] : settings_.headers) {
        if (auto checked = check_header(name, value); !checked) return checked;
    }
    for (const auto& [name, value] : settings_.secret_headers) {
        if (auto checked = check_header(name, value.reveal()); !checked) return checked;
    }
    if (!is_header_value(settings_.proxy_authorization.reveal())) {
        return base::fail(
            base::ErrorCode::InvalidArgument,
            "the proxy's authorization has a line break or another control character");
    }
    if (!settings_.subprotocol.empty() && !is_header_name(settings_.subprotocol)) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "the subprotocol is not one word (RFC 6455 §4.1)");
    }
    if (url_.is_secure()) {
        auto tls = commons_.tls().get(settings_.ca_file);
        if (!tls) return tl::unexpected(std::move(tls.error()));
        tls_ = std::move(*tls);
    }
    return {};
}

void Dialer::start() {
    const bool has_proxy = !proxy_.host.empty();
    const std::string& host = has_proxy ? proxy_.host : url_.host;
    const std::uint16_t port = has_proxy ? proxy_.port : url_.port;
    if (has_proxy && !settings_.allow_private) {
        // What a proxy resolves is its own business, but what is written here is not.
        const auto target = parse_ip(url_.host, url_.port);
        if (target && is_private(*target)) {
            return fail(Why::NotAllowed,
                        target->ip() + " is a private address, which is not allowed");
        }
    }
    if (const auto address = parse_ip(host, port)) return take_addresses({*address});
    lookup_ =
        commons_.resolver().look_up(host, port, [this](base::Result<std::vector<Address>> found) {
            lookup_.reset();
            if (!found) return fail(Why::Unresolved, found.error().text());
            take_addresses(std::move(*found));
        });
    if (!lookup_) fail(Why::Unresolved, "too many names are being looked up");
}

void Dialer::take_addresses(std::vector<Address> addresses) {
    std::string refused;
    for (const Address& address : addresses) {
        if (settings_.allow_private || !is_private(address)) {
            addresses_.push_back(address);
        } else {
            refused = address.ip();
        }
    }
    if (addresses_.empty() && !refused.empty()) {
        return fail(Why::NotAllowed, refused + " is a private address, which is not allowed");
    }
    last_failure_ = "the name has no address";
    try_next();
}

void Dialer::try_next() {
    drop_socket();
    step_ = Step::Connect;
    while (next_address_ < addresses_.size()) {
        const Address& address = addresses_[next_address_++];
        if (!try_address(address)) continue;
        const std::size_t left = addresses_.size() - next_address_;
        next_.reset();
        if (left > 0) {
            // Each address gets its share of the time that is left.
            const std::int64_t share =
                (deadline_ns_ - base::monotonic_ns()) / static_cast<std::int64_t>(left + 1);
            next_ = loop_.after(share, [this, text = address.text()] {
                last_failure_ = text + " does not answer";
                try_next();
            });
        }
        return;
    }
    fail(Why::Unreachable, last_failure_);
}

bool Dialer::try_address(const Address& address) {
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        last_failure_ = address.text() + ": " + words(errno);
        return false;
    }
    auto transport = std::make_unique<Transport>(fd);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd, address.get(), address.length) != 0 && errno != EINPROGRESS) {
        last_failure_ = address.text() + ": " + words(errno);
        return false;
    }
    if (const auto watched = loop_.watch(fd, EPOLLOUT, *this); !watched) {
        last_failure_ = watched.error().text();
        return false;
    }
    transport_ = std::move(transport);
    return true;
}

void Dialer::drop_socket() noexcept {
    if (!transport_) return;
    loop_.unwatch(transport_->fd());
    transport_.reset();
}

void Dialer::on_ready(std::uint32_t) {
    switch (step_) {
        case Step::Name:
            return;
        case Step::Connect: {
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(transport_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
            if (error == 0) return on_connected();
            last_failure_ = addresses_[next_address_ - 1].text() + ": " + words(error);
            return try_next();
        }
        case Step::Tls:
            return go_on_with_tls();
        case Step::Proxy:
        case Step::Upgrade:
            return go_on_with_exchange();
    }
}

void Dialer::on_connected() {
    next_.reset();
    if (proxy_.host.empty()) return after_proxy();
    begin_exchange(Step::Proxy, proxy_request());
}

void Dialer::after_proxy() {
    if (!tls_) return after_tls();
    if (!answer_.empty()) return fail(Why::Untrusted, "the proxy spoke before TLS did");
    if (const auto secured = transport_->secure(*tls_, url_.host); !secured) {
        return fail(Why::Unreachable, secured.error().text());
    }
    step_ = Step::Tls;
    loop_.change(transport_->fd(), EPOLLOUT);  // ready at once, should this turn have no time
    go_on_with_tls();
}

void Dialer::go_on_with_tls() {
    if (!commons_.may_handshake()) return;
    const std::int64_t begin = base::monotonic_ns();
    const Transport::Handshake handshake = transport_->handshake();
    commons_.add_handshake(base::monotonic_ns() - begin);
    if (handshake.state == Transport::State::Failed) return fail(Why::Untrusted, transport_->why());
    if (handshake.state == Transport::State::Later) {
        return loop_.change(transport_->fd(), handshake.wants_write ? EPOLLOUT : EPOLLIN);
    }
    after_tls();
}

void Dialer::after_tls() {
    if (url_.scheme == Url::Scheme::Tcp) return open();
    if (!answer_.empty()) return fail(Why::BadHandshake, "the proxy spoke before the server did");
    begin_exchange(Step::Upgrade, upgrade_request());
}

void Dialer::begin_exchange(Step step, std::string request) {
    step_ = step;
    request_ = std::move(request);
    answer_.clear();
    go_on_with_exchange();
}

void Dialer::go_on_with_exchange() {
    if (!request_.empty()) {
        const auto written = transport_->write(std::as_bytes(std::span(request_)));
        // It may hold credentials.
        OPENSSL_cleanse(request_.data(), written.bytes);
        request_.erase(0, written.bytes);
    }
    loop_.change(transport_->fd(), request_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
    for (;;) {
        std::array<std::byte, 4096> buffer;
        const auto got = transport_->read(buffer);
        answer_.append(reinterpret_cast<const char*>(buffer.data()), got.bytes);
        const std::size_t length = head_length(answer_);
        if (length > kMaxHeadBytes || (length == 0 && answer_.size() > kMaxHeadBytes)) {
            return fail(Why::BadHandshake, "the answer's head is over 16 KiB");
        }
        if (length > 0) {
            const auto head = parse_head(std::string_view(answer_).substr(0, length));
            answer_.erase(0, length);
            if (!head) return fail(Why::BadHandshake, "the answer is not HTTP");
            return on_head(*head);
        }
        if (got.state == Transport::State::Later) return;
        if (got.state == Transport::State::Failed) return fail(Why::Reset, transport_->why());
        if (got.state == Transport::State::Closed) {
            const std::string who = step_ == Step::Proxy ? "the proxy" : "the server";
            return answer_.empty()
                       ? fail(Why::Reset, who + " closed the connection without an answer")
                       : fail(Why::BadHandshake, who + "'s answer is cut off");
        }
    }
}

void Dialer::on_head(const HttpHead& head) {
    const auto status = parse_status_line(head.start_line);
    if (!status) {
        return fail(
            Why::BadHandshake,
            "the answer begins with \"" + base::escape_untrusted(head.start_line, 60) + "\"");
    }
    if (step_ == Step::Proxy) return on_proxy_answer(*status);
    if (status->code == 101) return on_upgrade_answer(head, *status);
    constexpr std::array kRedirects{301, 302, 303, 307, 308};
    if (std::find(kRedirects.begin(), kRedirects.end(), status->code) != kRedirects.end()) {
        return on_redirect(head, *status);
    }
    fail(Why::Refused,
         std::to_string(status->code) + " " + base::escape_untrusted(status->reason, 100),
         status->code);
}

void Dialer::on_proxy_answer(const StatusLine& status) {
    if (status.code / 100 != 2) {
        return fail(Why::Unreachable,
                    "the proxy says " + std::to_string(status.code) + " " +
                        base::escape_untrusted(status.reason, 100),
                    status.code);
    }
    after_proxy();
}

void Dialer::on_upgrade_answer(const HttpHead& head, const StatusLine&) {
    if (!head.has_token("upgrade", "websocket") || !head.has_token("connection", "upgrade")) {
        return fail(Why::BadHandshake, "the 101 does not upgrade to websocket");
    }
    const std::string* const accept = head.find("sec-websocket-accept");
    if (accept == nullptr || *accept != websocket_accept(key_)) {
        return fail(Why::BadHandshake, "the 101 has no Sec-WebSocket-Accept, or a wrong one");
    }
    if (!head.list("sec-websocket-extensions").empty()) {
        return fail(Why::BadHandshake, "the 101 claims an extension that was not offered");
    }
    const std::string* const subprotocol = head.find("sec-websocket-protocol");
    // RFC 6455 §4.1 has us refuse another one; none is what servers without subprotocols say.
    if (subprotocol != nullptr && *subprotocol != settings_.subprotocol) {
        return fail(Why::BadHandshake,
                    "the 101 has the subprotocol \"" + base::escape_untrusted(*subprotocol, 60) +
                        "\", which was not asked for");
    }
    open();
}

void Dialer::on_redirect(const HttpHead& head, const StatusLine& status) {
    const std::string code = std::to_string(status.code);
    if (redirects_ == kMaxRedirects) {
        return fail(Why::Refused, "redirected more than 3 times", status.code);
    }
    const std::string* const location = head.find("location");
    if (location == nullptr) {
        return fail(Why::Refused, code + " without a Location", status.code);
    }
    auto target = redirect_within(url_, *location);
    if (!target) {
        return fail(Why::NotAllowed,
                    code + " leads to another origin; write that into the URL",
                    status.code);
    }
    ++redirects_;
    url_.target = std::move(*target);
    answer_.clear();
    // The address that answered will answer again.
    --next_address_;
    try_next();
}

std::string Dialer::proxy_request() const {
    const std::string to = url_.host_and_port();
    std::string request = "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n";
    if (!settings_.proxy_authorization.empty()) {
        request += "Proxy-Authorization: " + settings_.proxy_authorization.reveal() + "\r\n";
    }
    return request + "\r\n";
}

std::string Dialer::upgrade_request() {
    key_ = new_websocket_key();
    std::string request =
        "GET " + url_.target + " HTTP/1.1\r\nHost: " + url_.authority() +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + key_ +
        "\r\nSec-WebSocket-Version: 13\r\n";
    if (!settings_.subprotocol.empty()) {
        request += "Sec-WebSocket-Protocol: " + settings_.subprotocol + "\r\n";
    }
    bool names_agent = false;
    for (const auto& [name, value] : settings_.headers) {
        names_agent = names_agent || equals_ignoring_case(name, "user-agent");
        request += name + ": " + value + "\r\n";
    }
    if (!names_agent) request += "User-Agent: offhook/" OFFHOOK_VERSION "\r\n";
    for (const auto& [name, value] : settings_.secret_headers) {
        request += name + ": " + value.reveal() + "\r\n";
    }
    return request + "\r\n";
}

void Dialer::open() {
    loop_.unwatch(transport_->fd());
    deadline_.reset();
    const auto bytes = std::as_bytes(std::span(answer_));
    Opened opened{std::move(transport_), {bytes.begin(), bytes.end()}};
    const Done done = std::move(done_);
    done(std::move(opened));
}

void Dialer::fail(Why why, std::string detail, int code) {
    drop_socket();
    deadline_.reset();
    next_.reset();
    const Done done = std::move(done_);
    done(LinkEnd{why, code, std::move(detail)});
}

void Dialer::on_timeout() {
    constexpr std::array kWaitsFor{
        "the name", "the connection", "the proxy's answer", "TLS", "the answer to the upgrade"};
    fail(
        Why::Timeout,
        std::string("no answer in time; waited for ") + kWaitsFor[static_cast<std::size_t>(step_)]);
}

}  // namespace offhook::socket
