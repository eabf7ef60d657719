#include "cli/http_get.h"

#include <strings.h>

#include <charconv>
#include <fstream>

#include "base/escape.h"
#include "base/monotonic.h"
#include "cli/http_socket.h"

namespace offhook::cli {
namespace {

constexpr std::size_t kMaxTokenBytes = 512;

tl::unexpected<base::Error> malformed(std::string_view why) {
    return base::fail(base::ErrorCode::Malformed,
                      "not an answer of Offhook's API: " + std::string(why));
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

std::string request_text(const ApiAddress& address, const HttpRequest& request) {
    const std::string host = address.text().substr(std::string_view("http://").size());
    std::string text = request.method + " " + request.path + " HTTP/1.1\r\nHost: " + host + "\r\n";
    if (!address.token.empty()) text += "Authorization: Bearer " + address.token + "\r\n";
    for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
    if (request.method != "GET")
        text += "Content-Length: " + std::to_string(request.json.size()) + "\r\n";
    if (!request.json.empty()) text += "Content-Type: application/json\r\n";
    return text + "Connection: close\r\n\r\n" + request.json;
}

base::Result<HttpReply> http_request(const ApiAddress& address, const HttpRequest& request) {
    const std::int64_t deadline_ns = base::monotonic_ns() + request.patience_s * base::kNsPerS;
    auto socket = HttpSocket::open(address, deadline_ns);
    if (!socket) return tl::unexpected(socket.error());
    if (auto sent = socket->send(request_text(address, request), deadline_ns); !sent)
        return tl::unexpected(sent.error());
    std::string answer;
    for (;;) {
        const auto more = socket->receive(answer, deadline_ns);
        if (!more) return tl::unexpected(more.error());
        if (!*more) return parse_http_reply(answer);
        if (answer.size() > request.max_bytes)
            return malformed("larger than " + std::to_string(request.max_bytes >> 20U) + " MiB");
    }
}

base::Result<HttpReply> http_get(const ApiAddress& address, const std::string& path) {
    return http_request(address, {.method = "GET", .path = path});
}

base::Result<HttpReply> http_post(const ApiAddress& address,
                                  const std::string& path,
                                  const std::string& json) {
    return http_request(address, {.method = "POST", .path = path, .json = json});
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
