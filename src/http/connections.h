#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "glib/ref.h"
#include "glib/timer.h"

namespace offhook::http {

/// Ends connections that take too long, and those that are too many: SoupServer itself has no time
/// limit and no count. A connection must bring a whole request within `request`, take the answer
/// within `request`, and bring the next one within `idle`.
/// @thread control
class Connections {
public:
    struct Limits {
        std::chrono::milliseconds request{10'000};
        std::chrono::milliseconds idle{30'000};
        std::size_t connections = 1'024;
    };
    Connections(GMainContext* context, Limits limits);

    /// Counts a new one. Of too many the one goes that waits for a request for the longest time.
    /// False: all are being answered, and there is no place.
    [[nodiscard]] bool admit(GSocket* socket);
    /// The whole request is there: time starts for the answer.
    void request_read(GSocket* socket) { extend(socket, limits_.request, true); }
    /// Its answer may take up to `limit`; then time starts for taking it.
    void answers_later(GSocket* socket, std::chrono::milliseconds limit) {
        extend(socket, limit + limits_.request, true);
    }
    /// The answer is about to be written: time starts for taking it.
    void answered(GSocket* socket) { extend(socket, limits_.request, true); }
    /// Its answer goes on for as long as both sides like.
    void streams(GSocket* socket) { extend(socket, std::chrono::hours(24 * 365), true); }
    /// Ends it at once.
    void end(GSocket* socket);
    /// It is somebody else's from here on.
    void released(GSocket* socket);
    /// The answer is written: time starts for the next request.
    void request_finished(GSocket* socket) { extend(socket, limits_.idle, false); }
    void cut_all();

private:
    struct Connection {
        glib::Ref<GSocket> socket;
        std::int64_t deadline_ns = 0, since_ns = 0;  ///< since: it waits for a request
        bool is_busy = false;                        ///< a request is being answered
        bool is_cut = false;
    };
    void extend(GSocket* socket, std::chrono::milliseconds time, bool is_busy);
    void cut(Connection& connection);
    [[nodiscard]] bool make_room();
    void sweep();

    const Limits limits_;
    std::unordered_map<GSocket*, Connection> connections_;
    std::size_t cut_ = 0;  ///< of them, which libsoup is still to close
    glib::Timer sweeper_;
};

}  // namespace offhook::http
