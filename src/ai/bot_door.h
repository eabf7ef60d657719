#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "config/config.h"
#include "model/call_id.h"
#include "socket/event_loop.h"
#include "socket/web_socket_listener.h"

namespace offhook::ai {

/// Bots that come to us: a WebSocket to /media/{call-id} is the bot of that call. An id that no call
/// waits with gets 404, a second socket on the same id 409.
/// @thread the ai thread
class BotDoor {
public:
    /// A call that takes its bot here.
    class Host {
    public:
        virtual ~Host() = default;
        /// Whether a bot is there already.
        [[nodiscard]] virtual bool is_served() const noexcept = 0;
        /// What the bot has to offer; empty: nothing.
        [[nodiscard]] virtual std::string subprotocol() const = 0;
        /// A bot is at the door. @return who hears of its link
        virtual socket::LinkEvents& welcome() = 0;
        /// The link of the one that was welcomed.
        virtual void take(std::unique_ptr<socket::Link> link) = 0;
    };

    /// @errors Io: the address cannot be had
    [[nodiscard]] static base::Result<std::unique_ptr<BotDoor>> open(
        socket::EventLoop& loop, const config::AiListen& settings);

    /// From now on the call's bot may come. `host` must `forget` before it goes; an older one of the
    /// same id is forgotten.
    void expect(const model::CallId& id, Host& host);
    void forget(const model::CallId& id, const Host& host) noexcept;

    /// How long a call waits for its bot.
    [[nodiscard]] std::int64_t wait_ns() const noexcept { return wait_ns_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return listener_->port(); }
    /// Where the bot of this call may come.
    [[nodiscard]] static std::string path_of(const model::CallId& id);

private:
    explicit BotDoor(std::int64_t wait_ns) noexcept : wait_ns_(wait_ns) {}
    socket::UpgradeAnswer decide(const socket::UpgradeRequest& request);

    const std::int64_t wait_ns_;
    std::unordered_map<std::string, Host*> hosts_;  ///< by the path
    std::unique_ptr<socket::WebSocketListener> listener_;
};

}  // namespace offhook::ai
