#include "api/event_metrics.h"

namespace offhook::api {
namespace {

using prometheus::Counter;
using prometheus::Family;

Family<Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Counter>& tries(prometheus::Registry& registry) {
    return counters(registry,
                    "offhook_webhook_deliveries_total",
                    "Tries to bring events to a webhook, by what became of them");
}

void raise(Counter& counter, std::uint64_t to) {
    const auto total = static_cast<double>(to);
    if (total > counter.Value()) counter.Increment(total - counter.Value());
}

}  // namespace

EventMetrics::EventMetrics(prometheus::Registry& registry)
    : numbered_(
          counters(registry, "offhook_events_total", "Events, as GET /api/v1/events numbers them")
              .Add({})),
      dropped_(counters(registry,
                        "offhook_events_dropped_total",
                        "Events that did not get where they should, by where that was")),
      delivered_(tries(registry).Add({{"result", "delivered"}})),
      failed_(tries(registry).Add({{"result", "failed"}})),
      spans_(
          counters(registry, "offhook_otlp_spans_total", "Spans that the collector took").Add({})) {
    for (const char* sink : {"events", "reader", "webhook", "file", "otlp"})
        dropped_.Add({{"sink", sink}});
}

void EventMetrics::take(const model::EventCounts& counts) {
    raise(numbered_, counts.numbered);
    for (const auto& [sink, count] : counts.dropped) raise(dropped_.Add({{"sink", sink}}), count);
    raise(delivered_, counts.webhook_delivered);
    raise(failed_, counts.webhook_failed);
    raise(spans_, counts.spans_sent);
}

}  // namespace offhook::api
