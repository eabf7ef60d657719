#include "http/connections.h"

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::http {
namespace {

std::int64_t in_time(std::chrono::milliseconds time) {
    return base::monotonic_ns() + time.count() * base::kNsPerMs;
}

// libsoup then reads an end of file and closes the connection by its own rules.
void cut(GSocket* socket) {
    g_socket_shutdown(socket, TRUE, TRUE, nullptr);
}

}  // namespace

Connections::Connections(GMainContext* context, Limits limits) : limits_(limits) {
    using std::chrono::milliseconds;
    const milliseconds pace = std::min(limits_.request, limits_.idle) / 4;
    sweeper_.every(
        context, std::clamp(pace, milliseconds(10), milliseconds(1000)), [this] { sweep(); });
}

void Connections::opened(GSocket* socket) {
    if (socket == nullptr || connections_.contains(socket)) return;
    if (connections_.size() >= limits_.connections) sweep();
    if (connections_.size() >= limits_.connections) {
        cut(socket);
        return;
    }
    connections_[socket] = {glib::Ref<GSocket>::share(socket), in_time(limits_.request)};
}

void Connections::extend(GSocket* socket, std::chrono::milliseconds time) {
    const auto found = connections_.find(socket);
    if (found != connections_.end()) found->second.deadline_ns = in_time(time);
}

void Connections::sweep() {
    const std::int64_t now_ns = base::monotonic_ns();
    for (auto it = connections_.begin(); it != connections_.end();) {
        GSocket* socket = it->second.socket.get();
        const bool gone = g_socket_is_closed(socket) == TRUE;
        if (!gone && now_ns >= it->second.deadline_ns) cut(socket);
        it = gone ? connections_.erase(it) : std::next(it);
    }
}

void Connections::cut_all() {
    for (auto& [key, connection] : connections_) cut(connection.socket.get());
    connections_.clear();
}

}  // namespace offhook::http
