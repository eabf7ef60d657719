#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "connection/registry.h"
#include "events/event_log.h"
#include "events/filter.h"
#include "glib/ref.h"
#include "http/server.h"

namespace offhook::events {

/// `GET /api/v1/events` (docs/events.md): a WebSocket, server-sent events, or a list.
///
/// A reader has no queue of its own: it gets as many events as its socket takes, the rest stays in
/// the log, and what is gone from there is told as a gap. One that takes nothing is ended by the
/// registry or by the server.
/// @thread control
class EventEndpoint {
public:
    /// All outlive this.
    struct Parts {
        EventLog& log;
        connection::Registry& registry;
        GMainContext* context;
    };
    explicit EventEndpoint(Parts parts);
    ~EventEndpoint();
    EventEndpoint(const EventEndpoint&) = delete;
    EventEndpoint& operator=(const EventEndpoint&) = delete;

    /// This outlives the server.
    void install(http::Server& server);

    /// Events that readers were told a gap for, since the start.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    [[nodiscard]] std::size_t readers() const { return readers_.size(); }

private:
    class Reader;
    class SocketReader;
    class StreamReader;
    void add(std::shared_ptr<Reader> reader);

    Parts parts_;
    std::unordered_map<Reader*, std::shared_ptr<Reader>> readers_;
    std::uint64_t lost_ = 0;
};

}  // namespace offhook::events
