#include "api/connection_metrics.h"

#include <algorithm>
#include <string>

namespace offhook::api {
namespace {

using connection::Kind;
using prometheus::Counter;
using prometheus::Family;

Family<Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

void raise(Counter& counter, std::uint64_t to) {
    const auto total = static_cast<double>(to);
    if (total > counter.Value()) counter.Increment(total - counter.Value());
}

}  // namespace

ConnectionMetrics::ConnectionMetrics(prometheus::Registry& registry)
    : now_(prometheus::BuildGauge()
               .Name("offhook_ws_connections")
               .Help("WebSockets that are open, by what they are for")
               .Register(registry)),
      closed_(counters(registry, "offhook_ws_closed_total", "WebSockets that ended, by why")),
      refused_(counters(registry, "offhook_ws_refused_total", "WebSockets that were refused")),
      opened_(counters(registry, "offhook_ws_opened_total", "WebSockets that were opened").Add({})),
      replaced_(counters(registry,
                         "offhook_ws_replaced_total",
                         "WebSockets whose place the same user took with a newer one")
                    .Add({})) {}

void ConnectionMetrics::take(const std::vector<connection::Entry>& connections,
                             const connection::Registry::Counters& counters) {
    for (const Kind kind : {Kind::Channel, Kind::Browser, Kind::Monitor, Kind::Ai}) {
        const auto open = std::count_if(connections.begin(),
                                        connections.end(),
                                        [&](const auto& each) { return each.facts.kind == kind; });
        now_.Add({{"kind", std::string(name_of(kind))}}).Set(static_cast<double>(open));
    }
    for (const auto& [reason, count] : counters.closed_by_reason)
        raise(closed_.Add({{"reason", reason}}), count);
    for (const auto& [reason, count] : counters.refused_by_reason)
        raise(refused_.Add({{"reason", reason}}), count);
    raise(opened_, counters.opened);
    raise(replaced_, counters.replaced);
}

}  // namespace offhook::api
