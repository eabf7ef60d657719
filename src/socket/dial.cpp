#include <memory>
#include <utility>

#include "socket/link.h"
#include "socket/tcp_link.h"
#include "socket/url.h"
#include "socket/web_socket_link.h"

namespace offhook::socket {

base::Result<std::unique_ptr<Link>> dial(EventLoop& loop,
                                         const DialSettings& settings,
                                         LinkEvents& events) {
    const auto url = parse_url(settings.url);
    if (!url) return tl::unexpected(url.error());
    std::unique_ptr<StreamLink> link;
    if (url->scheme == Url::Scheme::Tcp) {
        link = std::make_unique<TcpLink>(loop, settings.limits, events);
    } else {
        link = std::make_unique<WebSocketLink>(loop, Role::Client, settings.limits, events);
    }
    if (auto begun = link->dial(settings); !begun) return tl::unexpected(std::move(begun.error()));
    return link;
}

base::Result<void> check_url(std::string_view url) {
    const auto parsed = parse_url(url);
    if (!parsed) return tl::unexpected(parsed.error());
    return {};
}

}  // namespace offhook::socket
