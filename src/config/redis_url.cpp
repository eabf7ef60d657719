#include "config/redis_url.h"

#include <sys/un.h>

#include <algorithm>
#include <charconv>

#include "config/endpoint.h"

namespace offhook::config {
namespace {

constexpr std::size_t kMaxBytes = 512;
constexpr int kMaxDatabase = 9'999;
constexpr std::string_view kUnix = "unix:";

auto refuse(const std::string& what) {
    return base::fail(base::ErrorCode::InvalidArgument, what);
}

const std::string& shape() {
    static const std::string shape =
        "must be redis://HOST:PORT/DATABASE, rediss://HOST:PORT/DATABASE or unix:/PATH?db=DATABASE";
    return shape;
}

bool read_database(std::string_view digits, int& database) {
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, database);
    return error == std::errc{} && stop == end && database >= 0 && database <= kMaxDatabase;
}

base::Result<RedisUrl> parse_unix(std::string_view rest) {
    static constexpr std::string_view kQuery = "?db=";
    RedisUrl url;
    if (const std::size_t query = rest.find('?'); query != std::string_view::npos) {
        if (!rest.substr(query).starts_with(kQuery) ||
            !read_database(rest.substr(query + kQuery.size()), url.database))
            return refuse(shape());
        rest = rest.substr(0, query);
    }
    if (!rest.starts_with('/')) return refuse("needs a whole path: unix:/run/redis/redis.sock");
    if (rest.size() >= sizeof(sockaddr_un::sun_path)) {
        return refuse("has a path of more than " +
                      std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                      " bytes, which no unix socket can have");
    }
    url.path = rest;
    return url;
}

}  // namespace

std::string RedisUrl::where() const {
    return host.empty() ? path : HostPort{.host = host, .port = port}.text();
}

base::Result<RedisUrl> parse_redis_url(std::string_view text) {
    if (text.size() > kMaxBytes ||
        !std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; }))
        return refuse(shape());
    if (text.starts_with(kUnix)) return parse_unix(text.substr(kUnix.size()));
    const std::size_t colon = text.find("://");
    if (colon == std::string_view::npos) return refuse(shape());
    const std::string_view scheme = text.substr(0, colon);
    if (scheme != "redis" && scheme != "rediss") return refuse(shape());
    RedisUrl url{.is_tls = scheme == "rediss"};
    std::string_view rest = text.substr(colon + 3);
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
        url.user = rest.substr(0, at);
        if (url.user.find(':') != std::string::npos) {
            return refuse(
                "must have no password: give it in password_file, password_env or "
                "password_credential");
        }
        rest = rest.substr(at + 1);
    }
    if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
        const std::string_view digits = rest.substr(slash + 1);
        if (!digits.empty() && !read_database(digits, url.database)) return refuse(shape());
        rest = rest.substr(0, slash);
    }
    auto server = parse_server(rest, url.port);
    if (!server) return refuse(shape());
    url.host = std::move(server->host);
    url.port = server->port;
    return url;
}

}  // namespace offhook::config
