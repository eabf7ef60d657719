#pragma once

#include <memory>
#include <optional>

#include "app/event_sinks.h"
#include "app/records.h"
#include "base/error.h"
#include "base/executor.h"
#include "config/config.h"
#include "connection/registry.h"
#include "events/event_endpoint.h"
#include "events/event_log.h"
#include "glib/ref.h"
#include "http/server.h"
#include "model/call_directory.h"
#include "model/event_counts.h"

namespace offhook::app {

/// Whatever watches calls and tells others: events and their sinks, records, recordings, traces.
/// Made before the calls and closed after them, so that it sees each from its INVITE to its end.
/// @thread control
class Outlets {
public:
    /// All of them outlive this.
    struct Parts {
        const config::Config& config;
        base::Executor& control;
        GMainContext* context;
    };
    /// @errors what an outlet needs and does not have: a secret, a folder
    [[nodiscard]] static base::Result<std::unique_ptr<Outlets>> create(Parts parts);
    ~Outlets();
    Outlets(const Outlets&) = delete;
    Outlets& operator=(const Outlets&) = delete;

    /// Its INVITE came, or is about to leave; nothing is decided yet.
    void on_begun(const model::CallInfo& call);
    void on_answered(const model::CallInfo& call);
    /// Once for each call that began.
    void on_ended(const model::CallInfo& call);
    /// Adds the routes of what others read. This and `registry` outlive the server.
    void install(http::Server& server, connection::Registry& registry);
    /// Ends the readers: before the registry and the server go.
    void close_readers() { endpoint_.reset(); }
    /// An INVITE that never was a call; none of the others comes for it.
    void on_refused(const model::CallInfo& call);
    /// SIGHUP: files that are rotated are opened anew.
    void reopen() { sinks_.reopen(); }
    /// No call is left: what waits is written out.
    void close();

    [[nodiscard]] events::EventLog& events() { return events_; }
    [[nodiscard]] Records& records() { return records_; }
    /// What events left behind on their way out, for metrics.
    [[nodiscard]] model::EventCounts event_counts() const;

private:
    explicit Outlets(Parts parts);

    Parts parts_;
    events::EventLog events_;
    EventSinks sinks_;
    std::optional<events::EventEndpoint> endpoint_;
    Records records_;
};

}  // namespace offhook::app
