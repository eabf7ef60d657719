#include "http/connections.h"

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::http {
namespace {

std::int64_t in_time(std::chrono::milliseconds time) {
    return base::monotonic_ns() + time.count() * base::kNsPerMs;
}

}  // namespace

Connections::Connections(GMainContext* context, Limits limits) : limits_(limits) {
    using std::chrono::milliseconds;
    const milliseconds pace = std::min(limits_.request, limits_.idle) / 4;
    sweeper_.every(
        context, std::clamp(pace, milliseconds(10), milliseconds(1000)), [this] { sweep(); });
}

bool Connections::admit(GSocket* socket) {
    if (connections_.size() - cut_ >= limits_.connections && !make_room()) return false;
    connections_[socket] = {.socket = glib::Ref<GSocket>::share(socket),
                            .deadline_ns = in_time(limits_.request),
                            .since_ns = base::monotonic_ns()};
    return true;
}

bool Connections::make_room() {
    sweep();
    if (connections_.size() - cut_ < limits_.connections) return true;
    Connection* oldest = nullptr;
    for (auto& [key, connection] : connections_) {
        if (connection.is_busy || connection.is_cut) continue;
        if (oldest == nullptr || connection.since_ns < oldest->since_ns) oldest = &connection;
    }
    if (oldest == nullptr) return false;
    cut(*oldest);
    return true;
}

void Connections::released(GSocket* socket) {
    const auto found = connections_.find(socket);
    if (found == connections_.end()) return;
    if (found->second.is_cut) --cut_;
    connections_.erase(found);
}

void Connections::extend(GSocket* socket, std::chrono::milliseconds time, bool is_busy) {
    const auto found = connections_.find(socket);
    if (found == connections_.end()) return;
    Connection& connection = found->second;
    connection.deadline_ns = in_time(time);
    connection.is_busy = is_busy;
    if (!is_busy) connection.since_ns = base::monotonic_ns();
}

/// libsoup then reads an end of file and closes the connection by its own rules.
void Connections::cut(Connection& connection) {
    if (!connection.is_cut) ++cut_;
    connection.is_cut = true;
    g_socket_shutdown(connection.socket.get(), TRUE, TRUE, nullptr);
}

void Connections::end(GSocket* socket) {
    const auto found = connections_.find(socket);
    if (found != connections_.end()) cut(found->second);
}

void Connections::sweep() {
    const std::int64_t now_ns = base::monotonic_ns();
    for (auto it = connections_.begin(); it != connections_.end();) {
        Connection& connection = it->second;
        if (g_socket_is_closed(connection.socket.get()) == TRUE) {
            if (connection.is_cut) --cut_;
            it = connections_.erase(it);
            continue;
        }
        if (now_ns >= connection.deadline_ns) cut(connection);
        ++it;
    }
}

void Connections::cut_all() {
    for (auto& [key, connection] : connections_) cut(connection);
    connections_.clear();
    cut_ = 0;
}

}  // namespace offhook::http
