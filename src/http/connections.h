#pragma once

#include <chrono>
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
        std::size_t connections = 256;  ///< more are cut at once
    };
    Connections(GMainContext* context, Limits limits);

    /// A connection is there (or its next request begins; that changes nothing).
    void opened(GSocket* socket);
    /// The whole request is there: time starts for the answer.
    void request_read(GSocket* socket) { extend(socket, limits_.request); }
    /// Its answer may take up to `limit`; then time starts for taking it.
    void answers_later(GSocket* socket, std::chrono::milliseconds limit) {
        extend(socket, limit + limits_.request);
    }
    /// The answer is about to be written: time starts for taking it.
    void answered(GSocket* socket) { extend(socket, limits_.request); }
    /// It is somebody else's from here on.
    void released(GSocket* socket) { connections_.erase(socket); }
    /// The answer is written: time starts for the next request.
    void request_finished(GSocket* socket) { extend(socket, limits_.idle); }
    void cut_all();

private:
    struct Connection {
        glib::Ref<GSocket> socket;
        std::int64_t deadline_ns = 0;
    };
    void extend(GSocket* socket, std::chrono::milliseconds time);
    void sweep();

    const Limits limits_;
    std::unordered_map<GSocket*, Connection> connections_;
    glib::Timer sweeper_;
};

}  // namespace offhook::http
