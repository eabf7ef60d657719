#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/keyring.h"
#include "api/verdict.h"
#include "connection/registry.h"
#include "glib/ref.h"
#include "glib/timer.h"
#include "http/server.h"
#include "model/ai_info.h"
#include "model/call_directory.h"
#include "model/stats_snapshot.h"

namespace offhook::api {

/// What the feed looks at; all of it outlives the feed.
struct LiveParts {
    model::CallDirectory& calls;
    access::Keyring& keyring;
    connection::Registry& registry;
    GMainContext* context;
    int max_calls = 0;  ///< `[admission]`
    double tick_p99_limit_ms = 0;
    double gap_limit_ms = 60;  ///< between two RTP packets of ours
    std::function<std::vector<model::WorkerStats>()> workers{};
    std::function<bool()> draining{};
    std::function<std::vector<model::LatencyReading>()> ai_latencies{};
    model::HealthProbe accounts_health{}, ai_health{}, media_health{};
    std::chrono::milliseconds period{200};
    int periods_of_summary = 5;
};

/// All calls as they are now, for pages: `GET /api/v1/live`. docs/http-api.md
///
///     every 200 ms  directory -> rows of all calls, facts of those that changed -> one text -> every page
///     every second  diagnosis of each call, health -> verdict and summary, in the same text
///
/// Written once whatever the number of pages; without one nothing is looked at. A page that does not
/// read ends as any WebSocket does, by its queue.
/// @thread control
class LiveFeed {
public:
    explicit LiveFeed(LiveParts parts);
    ~LiveFeed();
    LiveFeed(const LiveFeed&) = delete;
    LiveFeed& operator=(const LiveFeed&) = delete;

    /// Adds the route. This outlives the server.
    void install(http::Server& server);
    /// Those that said who they are.
    [[nodiscard]] std::size_t pages() const { return watching_; }

private:
    class Page;
    /// What pages know of a call.
    struct Known {
        std::uint64_t n = 0;
        std::string facts{};
        std::optional<CallTrouble> trouble{};
        std::string_view suspected{};  ///< code of what is wrong, and for how many judgements
        int suspected_for = 0;
        std::uint64_t clipped_samples = 0;
        bool is_clipped = false;
        std::uint64_t seen = 0;  ///< the look that found it last
    };

    void open(const http::Request& request, std::unique_ptr<http::ServerWebSocket> socket);
    void forget(Page* page);
    void watch(Page& page);
    void tick();
    [[nodiscard]] std::string look(bool is_whole);
    void judge(const std::vector<model::CallInfo>& calls);
    [[nodiscard]] std::string summary(const std::vector<model::CallInfo>& calls) const;

    const LiveParts parts_;
    glib::Ref<GMainContext> context_;
    const std::int64_t started_ns_;
    glib::Timer timer_;
    std::map<std::string, Known> known_;  ///< by call id
    std::uint64_t next_n_ = 1, looks_ = 0;
    std::string summary_;
    std::unordered_map<Page*, std::shared_ptr<Page>> pages_;
    std::size_t watching_ = 0;
};

}  // namespace offhook::api
