#include "config/bot_url.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "config/checks.h"
#include "config/cidr.h"
#include "config/endpoint.h"

namespace offhook::config {
namespace {

constexpr std::size_t kMaxBytes = 2048;

auto refuse(const std::string& what) {
    return base::fail(base::ErrorCode::InvalidArgument, what);
}

bool is_word(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

std::string BotUrl::where() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool BotUrl::is_loopback() const {
    return host == "localhost" || HostPort{.host = host, .port = 0}.is_loopback();
}

bool BotUrl::is_private() const {
    static constexpr std::array<std::string_view, 7> kBlocks{"10.0.0.0/8",
                                                             "172.16.0.0/12",
                                                             "192.168.0.0/16",
                                                             "169.254.0.0/16",
                                                             "100.64.0.0/10",
                                                             "fc00::/7",
                                                             "fe80::/10"};
    return std::any_of(kBlocks.begin(), kBlocks.end(), [this](std::string_view block) {
        return Cidr::parse(block)->contains(host);
    });
}

base::Result<BotUrl> parse_bot_url(std::string_view text) {
    static const std::string kShape =
        "must be ws://HOST:PORT/PATH or wss://HOST/PATH (tcp://HOST:PORT for audiosocket)";
    const std::size_t colon = text.find("://");
    if (colon == std::string_view::npos || text.size() > kMaxBytes || !is_word(text))
        return refuse(kShape);
    BotUrl url;
    url.scheme = text.substr(0, colon);
    if (url.scheme != "ws" && url.scheme != "wss" && url.scheme != "tcp") return refuse(kShape);
    std::string_view rest = text.substr(colon + 3);
    if (rest.find('#') != std::string_view::npos)
        return refuse("must have no #fragment (RFC 6455 §3)");
    const std::size_t end = rest.find_first_of("/?");
    std::string_view where = rest.substr(0, end);
    if (end != std::string_view::npos) url.target = rest.substr(end);
    if (where.find('@') != std::string_view::npos) {
        return refuse(
            "must have no user and password: give them in user and password_file, or bearer_file");
    }
    if (url.scheme == "tcp" && !url.target.empty()) return refuse("must be tcp://HOST:PORT alone");
    const bool has_port =
        !where.empty() && where.back() != ']' && where.find(':') != std::string_view::npos;
    if (!has_port && url.scheme == "tcp") return refuse("needs a port: tcp://HOST:PORT");
    url.port = url.scheme == "wss" ? 443 : 80;
    if (has_port) {
        const std::string_view digits = where.substr(where.rfind(':') + 1);
        where = where.substr(0, where.rfind(':'));
        const char* const last = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(digits.data(), last, url.port);
        if (error != std::errc{} || stop != last || url.port < 1 || url.port > 65535)
            return refuse(kShape);
    }
    url.host = where;
    if (where.size() > 2 && where.front() == '[' && where.back() == ']') {
        url.host = where.substr(1, where.size() - 2);
        if (!is_numeric_address(url.host)) return refuse(kShape);
    } else if (url.host.empty() || url.host.find(':') != std::string::npos ||
               !check::host_or_empty(url.host).empty()) {
        return refuse(kShape);
    }
    return url;
}

}  // namespace offhook::config
