#include "http/lobby.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/monotonic.h"
#include "http/message.h"

namespace offhook::http {
namespace {

using std::chrono::milliseconds;

/// The server reads no longer heads: it answers 431.
constexpr std::size_t kMaxHeadBytes = 17 * 1024;
constexpr int kAcceptsInATurn = 64;
constexpr milliseconds kPause{20};
/// When there is no descriptor left for another.
constexpr milliseconds kRest{100};

/// Empty: nobody is counted for it.
std::string counted_address(const sockaddr_storage& from,
                            const std::function<bool(std::string_view)>& is_proxy) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (from.ss_family == AF_INET) {
        const auto& in = reinterpret_cast<const sockaddr_in&>(from);
        if (ntohl(in.sin_addr.s_addr) >> 24U == 127) return {};
        inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    } else if (from.ss_family == AF_INET6) {
        const auto& in = reinterpret_cast<const sockaddr_in6&>(from);
        if (IN6_IS_ADDR_LOOPBACK(&in.sin6_addr)) return {};
        inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
    }
    std::string address(text.data());
    return is_proxy && is_proxy(address) ? std::string() : address;
}

/// Bytes of the request that begins here, head and body; empty: the head is not whole. What the
/// server refuses by its head alone, or has to answer before the body comes, ends with its head.
std::optional<std::size_t> request_bytes(std::string_view bytes) {
    std::size_t end = bytes.find("\r\n\r\n");
    if (end != std::string_view::npos) {
        end += 4;
    } else if (end = bytes.find("\n\n"); end != std::string_view::npos) {
        end += 2;
    } else {
        return std::nullopt;
    }
    std::size_t body = 0;
    for (std::size_t at = bytes.find('\n') + 1; at < end;) {
        const std::size_t stop = bytes.find('\n', at);
        const std::string line(bytes.substr(at, stop - at));
        at = stop + 1;
        constexpr std::string_view kLength = "content-length:";
        if (g_ascii_strncasecmp(line.c_str(), "expect:", 7) == 0) return end;
        if (g_ascii_strncasecmp(line.c_str(), kLength.data(), kLength.size()) == 0) {
            const guint64 length = g_ascii_strtoull(line.c_str() + kLength.size(), nullptr, 10);
            if (length > kMaxBodyBytes) return end;
            body = static_cast<std::size_t>(length);
        }
    }
    return end + body;
}

/// The other side sends nothing more.
bool has_ended(int fd) {
    pollfd asked{.fd = fd, .events = POLLRDHUP, .revents = 0};
    return poll(&asked, 1, 0) > 0;
}

/// A poll tells of the socket again once it has so many bytes, or ends.
void wake_at(int fd, std::size_t bytes) {
    const int low_mark = static_cast<int>(bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low_mark, sizeof low_mark);
}

}  // namespace

struct Lobby::Visitor {
    ~Visitor() {
        watch.stop();
        if (fd >= 0) close(fd);
    }
    int fd = -1;
    std::string address;  ///< it counts for; empty: for none
    std::int64_t deadline_ns = 0;
    std::size_t available = 0;  ///< bytes that were there at the last look
    glib::FdWatch watch;
    glib::Timer pause;
};

Lobby::Lobby(GMainContext* context, glib::Ref<GSocket> listener, Limits limits, Enter enter)
    : context_(glib::Ref<GMainContext>::share(context)),
      listener_(std::move(listener)),
      limits_(std::move(limits)),
      enter_(std::move(enter)) {
    sweeper_.every(context,
                   std::clamp(limits_.wait / 4, milliseconds(10), milliseconds(1000)),
                   [this] { sweep(); });
    watch();
}

Lobby::~Lobby() = default;

void Lobby::watch() {
    knocking_.start(
        context_.get(), g_socket_get_fd(listener_.get()), G_IO_IN, [this](GIOCondition) {
            accept();
        });
}

// Only so many at once, so that the loop does not serve the door alone.
void Lobby::accept() {
    for (int i = 0; i < kAcceptsInATurn; ++i) {
        sockaddr_storage from{};
        socklen_t length = sizeof from;
        const int fd = accept4(g_socket_get_fd(listener_.get()),
                               reinterpret_cast<sockaddr*>(&from),
                               &length,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(fd, from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            return rest();
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

void Lobby::welcome(int fd, const sockaddr_storage& from) {
    ++counters_.accepted;
    auto visitor = std::make_unique<Visitor>();
    visitor->fd = fd;
    visitor->address = counted_address(from, limits_.is_proxy);
    visitor->deadline_ns = base::monotonic_ns() + limits_.wait.count() * base::kNsPerMs;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    make_room(visitor->address);
    const auto place = visitors_.insert(visitors_.end(), std::move(visitor));
    // Most bring their request along: it need not wait for a turn.
    look(place);
}

void Lobby::make_room(const std::string& address) {
    if (!address.empty()) {
        const auto is_same = [&](const auto& other) { return other->address == address; };
        if (static_cast<std::size_t>(std::count_if(visitors_.begin(), visitors_.end(), is_same)) >=
            limits_.of_address) {
            ++counters_.evicted;
            show_out(std::find_if(visitors_.begin(), visitors_.end(), is_same));
        }
    }
    if (visitors_.size() < limits_.waiting) return;
    ++counters_.evicted;
    show_out(visitors_.begin());
}

void Lobby::look(Visitors::iterator place) {
    Visitor& visitor = **place;
    static thread_local std::array<char, kMaxHeadBytes> head;
    const ssize_t n = recv(visitor.fd, head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return show_out(place);
    const auto size = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    const auto request = request_bytes({head.data(), size});
    int there = 0;
    ioctl(visitor.fd, FIONREAD, &there);
    const auto available = static_cast<std::size_t>(std::max(there, 0));
    if (request ? available >= *request : size == head.size()) return let_in(place);
    if (has_ended(visitor.fd)) return show_out(place);
    const bool has_come_on = available > visitor.available || available == 0;
    visitor.available = available;
    wake_at(visitor.fd, request ? *request : size + 1);
    if (!has_come_on) {
        // The kernel may tell of a socket below its mark when its window is nearly full.
        visitor.watch.stop();
        visitor.pause.once(context_.get(), kPause, [this, place] { look(place); });
    } else if (!visitor.watch.is_active()) {
        visitor.watch.start(
            context_.get(), visitor.fd, G_IO_IN, [this, place](GIOCondition) { look(place); });
    }
}

void Lobby::let_in(Visitors::iterator place) {
    Visitor& visitor = **place;
    wake_at(visitor.fd, 1);
    visitor.watch.stop();
    const int fd = std::exchange(visitor.fd, -1);
    visitors_.erase(place);
    ++counters_.entered;
    auto socket = glib::Ref<GSocket>::adopt(g_socket_new_from_fd(fd, nullptr));
    if (!socket) {
        close(fd);
        return;
    }
    enter_(std::move(socket));
}

void Lobby::show_out(Visitors::iterator visitor) {
    visitors_.erase(visitor);
}

/// They came in order, and all have the same time.
void Lobby::sweep() {
    const std::int64_t now_ns = base::monotonic_ns();
    while (!visitors_.empty() && visitors_.front()->deadline_ns <= now_ns) {
        ++counters_.too_late;
        show_out(visitors_.begin());
    }
}

/// Without a descriptor to spare: the oldest who has said nothing gives his, and the rest wait.
void Lobby::rest() {
    if (!visitors_.empty()) {
        ++counters_.evicted;
        return show_out(visitors_.begin());
    }
    knocking_.stop();
    rest_.once(context_.get(), kRest, [this] { watch(); });
}

Lobby::Counters Lobby::counters() const {
    Counters counters = counters_;
    counters.waiting = visitors_.size();
    return counters;
}

}  // namespace offhook::http
