#include "ai/bot_door.h"

#include <algorithm>
#include <utility>

#include "ai/bot_dial.h"
#include "base/monotonic.h"

namespace offhook::ai {

base::Result<std::unique_ptr<BotDoor>> BotDoor::open(socket::EventLoop& loop,
                                                     const config::AiListen& settings) {
    std::unique_ptr<BotDoor> door(new BotDoor(settings.wait_s * base::kNsPerS));
    socket::WebSocketListener::Settings where;
    where.address = settings.address;
    where.port = static_cast<std::uint16_t>(settings.port);
    where.limits.max_message_bytes = kMaxMessageBytes;
    auto listener = socket::WebSocketListener::open(
        loop, std::move(where), [self = door.get()](const socket::UpgradeRequest& request) {
            return self->decide(request);
        });
    if (!listener) return tl::unexpected(listener.error());
    door->listener_ = std::move(*listener);
    return door;
}

std::string BotDoor::path_of(const model::CallId& id) {
    return "/media/" + id.text;
}

void BotDoor::expect(const model::CallId& id, Host& host) {
    hosts_[path_of(id)] = &host;
}

void BotDoor::forget(const model::CallId& id, const Host& host) noexcept {
    const auto found = hosts_.find(path_of(id));
    if (found != hosts_.end() && found->second == &host) hosts_.erase(found);
}

socket::UpgradeAnswer BotDoor::decide(const socket::UpgradeRequest& request) {
    const auto refuse = [](int status, std::string text) {
        socket::UpgradeAnswer answer;
        answer.status = status;
        answer.text = std::move(text);
        return answer;
    };
    const auto found = hosts_.find(request.path);
    if (found == hosts_.end()) {
        return refuse(404, "No call waits for a bot here; the path is /media/ and the call's id.");
    }
    Host& host = *found->second;
    if (host.is_served()) return refuse(409, "The call has its bot already.");
    const std::string subprotocol = host.subprotocol();
    if (!subprotocol.empty() &&
        std::find(request.subprotocols.begin(), request.subprotocols.end(), subprotocol) ==
            request.subprotocols.end()) {
        return refuse(400, "Ask for the subprotocol \"" + subprotocol + "\".");
    }
    socket::UpgradeAnswer answer;
    answer.subprotocol = subprotocol;
    answer.events = &host.welcome();
    answer.take = [this, path = request.path, &host](std::unique_ptr<socket::Link> link) {
        // The call may have ended between the answer and this; then the link ends as well.
        const auto still = hosts_.find(path);
        if (still != hosts_.end() && still->second == &host) host.take(std::move(link));
    };
    return answer;
}

}  // namespace offhook::ai
