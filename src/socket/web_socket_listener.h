#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "socket/event_loop.h"
#include "socket/link.h"

namespace offhook::socket {

/// An upgrade that a client asks for. Bounded: request and headers together 16 KiB.
struct UpgradeRequest {
    std::string path;   ///< without the query, percent-decoded
    std::string query;  ///< as written
    std::string peer;   ///< "127.0.0.1:40000"
    std::vector<std::pair<std::string, std::string>> headers;  ///< names lower-case
    std::vector<std::string> subprotocols;                     ///< offered
};

/// What becomes of it.
struct UpgradeAnswer {
    int status = 101;  ///< else refused with it, 400 to 599
    std::string text;  ///< body of a refusal, a sentence
    std::string subprotocol;
    /// Of an accepted one; taken over with the link, told `on_open` first.
    LinkEvents* events = nullptr;
    /// Gets the link before `on_open`, which follows in the same turn.
    std::function<void(std::unique_ptr<Link>)> take{};
};

/// Takes WebSocket connections on a loop that is not GLib's: what carries sound. Plain `ws`; TLS is
/// a proxy's business.
/// @thread the loop's
class WebSocketListener {
public:
    using Decide = std::function<UpgradeAnswer(const UpgradeRequest&)>;

    struct Settings {
        std::string address = "127.0.0.1";
        std::uint16_t port = 0;        ///< 0: any
        std::size_t max_pending = 64;  ///< connections whose request is not read yet
        LinkLimits limits;             ///< of each link; `connect_timeout_ns` is the request's
    };
    /// @errors Io: the address cannot be had
    [[nodiscard]] static base::Result<std::unique_ptr<WebSocketListener>> open(EventLoop& loop,
                                                                               Settings settings,
                                                                               Decide decide);
    virtual ~WebSocketListener() = default;
    WebSocketListener(const WebSocketListener&) = delete;
    WebSocketListener& operator=(const WebSocketListener&) = delete;

    [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;

protected:
    WebSocketListener() = default;
};

}  // namespace offhook::socket
