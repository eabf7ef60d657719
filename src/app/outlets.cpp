#include "app/outlets.h"

namespace offhook::app {

base::Result<std::unique_ptr<Outlets>> Outlets::create(Parts parts) {
    std::unique_ptr<Outlets> outlets(new Outlets(parts));
    if (auto started = outlets->sinks_.start(parts.config); !started)
        return tl::unexpected(started.error());
    return outlets;
}

Outlets::Outlets(Parts parts)
    : parts_(parts),
      events_({.keep = static_cast<std::size_t>(parts.config.events.keep)}, parts.control),
      sinks_(events_),
      records_(parts.config, parts.control) {}

Outlets::~Outlets() = default;

void Outlets::on_begun(const model::CallInfo& call) {
    records_.on_call(call);
}

void Outlets::on_answered(const model::CallInfo& call) {
    records_.on_call(call);
}

void Outlets::on_ended(const model::CallInfo& call) {
    records_.on_call(call);
}

void Outlets::on_refused(const model::CallInfo& call) {
    records_.on_call(call);
}

void Outlets::install(http::Server& server, connection::Registry& registry) {
    endpoint_.emplace(events::EventEndpoint::Parts{
        .log = events_, .registry = registry, .context = parts_.context});
    endpoint_->install(server);
}

void Outlets::close() {
    events_.flush();
    sinks_.close();
}

model::EventCounts Outlets::event_counts() const {
    model::EventCounts counts{
        .numbered = events_.newest(),
        .dropped = {{"events", events_.dropped()}, {"reader", endpoint_ ? endpoint_->lost() : 0}}};
    sinks_.count(counts);
    return counts;
}

}  // namespace offhook::app
