#pragma once

#include <memory>

#include "base/error.h"
#include "config/config.h"
#include "connection/lease_store.h"
#include "connection/registry.h"

namespace offhook::app {

/// The registry of every WebSocket, and who keeps its places.
/// @thread control
class Connections {
public:
    /// @param context  the thread's default
    /// @errors as make_leases
    [[nodiscard]] static base::Result<std::unique_ptr<Connections>> create(
        const config::Config& config, GMainContext* context);

    [[nodiscard]] connection::Registry& registry() { return registry_; }
    /// Of the store: the check `storage`.
    [[nodiscard]] model::HealthCheck storage_health() const { return leases_->health(); }

private:
    Connections(std::unique_ptr<connection::LeaseStore> leases,
                const connection::Registry::Settings& settings,
                GMainContext* context);

    std::unique_ptr<connection::LeaseStore> leases_;
    connection::Registry registry_;
};

}  // namespace offhook::app
