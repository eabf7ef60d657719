#include "app/connections.h"

#include <utility>

#include "app/lease_settings.h"

namespace offhook::app {

base::Result<std::unique_ptr<Connections>> Connections::create(const config::Config& config,
                                                               GMainContext* context) {
    auto leases = make_leases(config.redis, context);
    if (!leases) return tl::unexpected(leases.error());
    connection::Registry::Settings settings;
    settings.max_claims = static_cast<std::size_t>(config.connections.max_claims);
    settings.claim_window = std::chrono::seconds(config.connections.claim_window_s);
    return std::unique_ptr<Connections>(new Connections(std::move(*leases), settings, context));
}

Connections::Connections(std::unique_ptr<connection::LeaseStore> leases,
                         const connection::Registry::Settings& settings,
                         GMainContext* context)
    : leases_(std::move(leases)), registry_(settings, context, *leases_) {}

}  // namespace offhook::app
