#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/join_tokens.h"
#include "access/keyring.h"
#include "api/metrics.h"
#include "config/reference.h"
#include "connection/registry.h"
#include "demo/demo.h"
#include "demo/pbx_setup.h"
#include "http/server.h"
#include "model/account.h"
#include "model/call_control.h"
#include "model/call_directory.h"
#include "model/channel.h"
#include "model/event_counts.h"
#include "model/stats_snapshot.h"
#include "stats/leg_directory.h"
#include "store/record_store.h"
#include "store/recordings.h"

namespace offhook::api {

/// What the API looks at. References and functions must outlive the server that the routes are
/// installed in; all are used on the control thread.
struct ApiParts {
    model::CallDirectory& calls;
    Metrics& metrics;
    const model::AccountDirectory* accounts = nullptr;  ///< without it there are none
    model::CallControl* control = nullptr;              ///< without it calls can be looked at only
    const stats::LegDirectory* legs = nullptr;          ///< without it no leg is looked into
    connection::Registry* connections = nullptr;        ///< without it there are none
    model::ChannelControl* channels = nullptr;          ///< without it there are none
    store::RecordStore* records = nullptr;              ///< without it there are none
    store::Recordings* recordings = nullptr;            ///< without it there are none
    demo::Demo* demo = nullptr;                         ///< without it there is no first run
    demo::PbxSetup* setup = nullptr;                    ///< likewise
    /// Makes a join token; without it nobody gets one.
    std::function<base::Result<std::string>(const access::JoinGrant&)> mint_join{};
    std::function<std::vector<model::WorkerStats>()> workers;
    std::function<std::vector<model::WorkerStats>()> web_workers{};  ///< without it there are none
    std::function<bool()> draining;
    /// No new calls; those of now have `timeout_s`, or what the configuration says. Again: nothing, but with 0 they end at once.
    /// Without it nobody drains.
    std::function<void(std::optional<int> timeout_s)> drain{};
    std::function<std::vector<std::string>()>
        listeners;  ///< "http://127.0.0.1:5000", "udp:127.0.0.1:5060"
    /// For /health and /readyz; a missing one is `off`. Figures of `calls` and `media` that
    /// docs/http-api.md promises are filled in by the API itself, further ones come behind them.
    model::HealthProbe calls_health{}, media_health{}, ai_health{}, accounts_health{},
        websockets_health{}, storage_health{};
    /// For /livez: Failed when a media worker is stuck. That the control loop runs is proved by the
    /// answer.
    model::HealthProbe liveness{};
    /// What is in force, and who said so; without it nobody is told.
    std::function<std::vector<config::EffectiveTable>()> config{};
    /// For /metrics, asked at each scrape; without one its metrics stay 0.
    std::function<model::SignallingStats()> signalling{};
    std::function<std::uint64_t()> failed_ai_sessions{};  ///< total since the start
    std::function<std::vector<model::LatencyReading>()> ai_latencies{};
    std::function<std::uint64_t()> late_mix_frames{};  ///< total since the start
    std::function<model::EventCounts()> event_counts{};
    access::Keyring* keyring = nullptr;  ///< sessions; with `connections` it opens /api/v1/live
    GMainContext* context = nullptr;     ///< of the control thread
    int max_calls = 0;                   ///< `[admission]`
    double tick_p99_limit_ms = 0;        ///< the same; 0: none
    GResource* page = nullptr;           ///< the files at / and /assets; without it there are none
    double gap_limit_ms = 60;            ///< between two RTP packets of ours, for the diagnosis
};

class LiveFeed;

/// The routes of docs/http-api.md.
/// @thread control
class Api {
public:
    explicit Api(ApiParts parts);
    ~Api();
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;
    /// Adds the routes and counts what the server answers. The Api must outlive the server.
    void install(http::Server& server);

private:
    void install_health(http::Server& server);
    void install_accounts(http::Server& server);
    void install_calls(http::Server& server);
    void install_statistics(http::Server& server);
    void install_call_orders(http::Server& server);
    void install_messages(http::Server& server);
    void install_connections(http::Server& server);
    void install_config(http::Server& server);
    void install_diagnosis(http::Server& server);
    void install_channels(http::Server& server);
    void install_recordings(http::Server& server);
    void install_cdr(http::Server& server);
    void install_sessions(http::Server& server);
    void install_demo(http::Server& server);
    void install_setup(http::Server& server);
    void install_metrics(http::Server& server);
    void install_daemon(http::Server& server);
    void install_openapi(http::Server& server);
    void install_page(http::Server& server);
    void install_live(http::Server& server);

    ApiParts parts_;
    const std::int64_t started_ns_;  ///< CLOCK_MONOTONIC
    std::unique_ptr<LiveFeed> live_;
};

}  // namespace offhook::api
