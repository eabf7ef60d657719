#include "cli/http_get.h"

#include <netdb.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>

#include "base/escape.h"
#include "base/monotonic.h"

namespace offhook::cli {
namespace {

constexpr std::int64_t kPatienceNs = 3 * base::kNsPerS;
constexpr std::size_t kMaxTokenBytes = 512;
constexpr std::size_t kMaxAnswerBytes = std::size_t{8} << 20;

struct Socket {
    explicit Socket(int descriptor) : fd(descriptor) {}
    ~Socket() {
        if (fd >= 0) ::close(fd);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    const int fd;
};

tl::unexpected<base::Error> malformed(std::string_view why) {
    return base::fail(base::ErrorCode::Malformed,
                      "not an answer of Offhook's API: " + std::string(why));
}

/// Waits until `fd` can do `events` or the time is up.
bool wait_for(int fd, short events, std::int64_t deadline_ns) {
    for (;;) {
        const std::int64_t left_ns = deadline_ns - base::monotonic_ns();
        if (left_ns <= 0) return false;
        pollfd waiting{fd, events, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(left_ns / base::kNsPerMs) + 1);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

base::Result<void> connect_to(const Socket& socket,
                              const addrinfo& target,
                              const ApiAddress& address,
                              std::int64_t deadline_ns) {
    int error = ::connect(socket.fd, target.ai_addr, target.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        if (!wait_for(socket.fd, POLLOUT, deadline_ns)) {
            return base::fail(base::ErrorCode::Timeout, address.text() + " does not answer");
        }
        socklen_t length = sizeof(error);
        if (::getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    }
    if (error == 0) return {};
    return base::fail(
        base::ErrorCode::Unavailable, "cannot reach " + address.text(), std::strerror(error));
}

base::Result<std::string> exchange(const Socket& socket,
                                   const ApiAddress& address,
                                   std::string_view request,
                                   std::int64_t deadline_ns) {
    const auto too_late = [&] {
        return base::fail(base::ErrorCode::Timeout, address.text() + " does not answer within 3 s");
    };
    while (!request.empty()) {
        if (!wait_for(socket.fd, POLLOUT, deadline_ns)) return too_late();
        const ssize_t sent = ::send(socket.fd, request.data(), request.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return base::fail(base::ErrorCode::Unavailable,
                              "cannot reach " + address.text(),
                              std::strerror(errno));
        }
        if (sent > 0) request.remove_prefix(static_cast<std::size_t>(sent));
    }
    std::string answer;
    std::array<char, 65536> block;
    for (;;) {
        if (!wait_for(socket.fd, POLLIN, deadline_ns)) return too_late();
        const ssize_t got = ::recv(socket.fd, block.data(), block.size(), 0);
        if (got == 0) return answer;
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got < 0) {
            return base::fail(
                base::ErrorCode::Unavailable, "lost " + address.text(), std::strerror(errno));
        }
        answer.append(block.data(), static_cast<std::size_t>(got));
        if (answer.size() > kMaxAnswerBytes) return malformed("larger than 8 MiB");
    }
}

template <class Number>
bool parse_number(std::string_view text, Number& value) {
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    return status == std::errc{} && end == text.data() + text.size();
}

bool begins_no_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           strncasecmp(text.data(), prefix.data(), prefix.size()) == 0;
}

}  // namespace

std::string ApiAddress::text() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return "http://" + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

base::Result<ApiAddress> parse_api_address(std::string_view url) {
    const std::string_view whole = url;
    const auto refuse = [&](const char* why) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "not the address of an API: " + base::escape_untrusted(whole, 80) + " (" +
                              why + "); write for instance http://127.0.0.1:5000");
    };
    if (begins_no_case(url, "http://")) url.remove_prefix(7);
    if (url.find("://") != std::string_view::npos) return refuse("only http is spoken");
    if (!url.empty() && url.back() == '/') url.remove_suffix(1);
    if (url.size() > 256 || url.find_first_of("/?#@ \r\n") != std::string_view::npos)
        return refuse("host and port only");
    ApiAddress address;
    std::size_t colon = url.rfind(':');
    if (!url.empty() && url.front() == '[') {
        const std::size_t close = url.find(']');
        if (close == std::string_view::npos) return refuse("no ] after the IPv6 address");
        address.host = std::string(url.substr(1, close - 1));
        if (close + 1 < url.size() && url[close + 1] != ':') return refuse("no : before the port");
        colon = close + 1 < url.size() ? close + 1 : std::string_view::npos;
    } else {
        address.host = std::string(url.substr(0, colon));
    }
    if (address.host.empty()) return refuse("no host");
    if (colon != std::string_view::npos &&
        (!parse_number(url.substr(colon + 1), address.port) || address.port == 0)) {
        return refuse("the port is not 1 to 65535");
    }
    return address;
}

base::Result<HttpReply> parse_http_reply(std::string_view answer) {
    const std::size_t head_end = answer.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return malformed("cut short");
    std::string_view head = answer.substr(0, head_end + 2);
    HttpReply reply;
    if (!begins_no_case(head, "HTTP/1.") || head.size() < 12 ||
        !parse_number(head.substr(9, 3), reply.status)) {
        return malformed("no HTTP status line");
    }
    std::string_view body = answer.substr(head_end + 4);
    for (head.remove_prefix(head.find("\r\n") + 2); !head.empty();
         head.remove_prefix(head.find("\r\n") + 2)) {
        std::string_view line = head.substr(0, head.find("\r\n"));
        if (begins_no_case(line, "transfer-encoding:")) return malformed("sent in chunks");
        if (!begins_no_case(line, "content-length:")) continue;
        line.remove_prefix(std::string_view("content-length:").size());
        while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
        std::size_t bytes = 0;
        if (!parse_number(line, bytes) || bytes > body.size())
            return malformed("the body is cut short");
        body = body.substr(0, bytes);
    }
    reply.body = std::string(body);
    return reply;
}

namespace {

base::Result<HttpReply> ask(const ApiAddress& address, const std::string& request) {
    const std::int64_t deadline_ns = base::monotonic_ns() + kPatienceNs;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int status =
        ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
    if (status != 0) {
        return base::fail(base::ErrorCode::Unavailable,
                          "cannot find the host of " + address.text(),
                          gai_strerror(status));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
    base::Error last{base::ErrorCode::Unavailable, "cannot reach " + address.text(), {}};
    for (const addrinfo* target = found; target != nullptr; target = target->ai_next) {
        const Socket socket(
            ::socket(target->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (auto ok = connect_to(socket, *target, address, deadline_ns); !ok) {
            last = ok.error();
            continue;
        }
        const auto answer = exchange(socket, address, request, deadline_ns);
        if (!answer) return tl::unexpected(answer.error());
        return parse_http_reply(*answer);
    }
    return tl::unexpected(last);
}

std::string request_of(const ApiAddress& address,
                       const std::string& method,
                       const std::string& path,
                       const std::string& json) {
    const std::string host = address.text().substr(std::string_view("http://").size());
    std::string request = method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n";
    if (!address.token.empty()) request += "Authorization: Bearer " + address.token + "\r\n";
    if (method == "POST") request += "Content-Length: " + std::to_string(json.size()) + "\r\n";
    if (!json.empty()) request += "Content-Type: application/json\r\n";
    return request + "Connection: close\r\n\r\n" + json;
}

}  // namespace

base::Result<HttpReply> http_get(const ApiAddress& address, const std::string& path) {
    return ask(address, request_of(address, "GET", path, {}));
}

base::Result<HttpReply> http_post(const ApiAddress& address,
                                  const std::string& path,
                                  const std::string& json) {
    return ask(address, request_of(address, "POST", path, json));
}

base::Result<std::string> read_token(const std::string& file) {
    const auto fail = [&](const char* why) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "no token in " + base::escape_untrusted(file, 200) + ": " + why);
    };
    std::ifstream in(file);
    std::string token, more;
    if (!in) return fail("it cannot be read");
    if (!(in >> token)) return fail("it is empty");
    if (token.size() > kMaxTokenBytes || in >> more) return fail("one word is expected");
    return token;
}

}  // namespace offhook::cli
