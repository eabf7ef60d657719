#include "app/records.h"

#include <algorithm>

#include "state/state_directory.h"

namespace offhook::app {
namespace {

store::RecordStore::Settings settings_of(const config::Config& config) {
    store::RecordStore::Settings settings;
    settings.is_enabled = config.store.enabled;
    settings.retention_days = config.store.retention_days;
    settings.directory = config.store.directory;
    if (settings.directory.empty()) {
        const std::string state = state::StateDirectory::path_for(config.state.directory);
        if (!state.empty()) settings.directory = state + "/records";
    }
    return settings;
}

}  // namespace

Records::Records(const config::Config& config, base::Executor& control)
    : store_(settings_of(config), control) {}

void Records::on_call(const model::CallInfo& call) {
    if (store_.is_on()) store_.put(store::record_of(call));
}

model::HealthCheck Records::health(const model::HealthCheck& other) const {
    using Status = model::HealthCheck::Status;
    model::HealthCheck check = store_.health();
    if (other.status == Status::Off) return check;
    check.detail = other.status > check.status ? other.detail + "; " + check.detail
                                               : check.detail + "; " + other.detail;
    check.status = std::max(check.status, other.status);
    check.figures.insert(check.figures.end(), other.figures.begin(), other.figures.end());
    return check;
}

}  // namespace offhook::app
