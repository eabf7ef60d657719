#include "app/records.h"

#include <algorithm>

#include "state/state_directory.h"

namespace offhook::app {
namespace {

/// `configured`, else `name` in the state directory; empty: there is none.
std::string folder_of(const config::Config& config,
                      const std::string& configured,
                      const char* name) {
    if (!configured.empty()) return configured;
    const std::string state = state::StateDirectory::path_for(config.state.directory);
    return state.empty() ? state : state + "/" + name;
}

store::RecordStore::Settings settings_of(const config::Config& config) {
    store::RecordStore::Settings settings;
    settings.is_enabled = config.store.enabled;
    settings.retention_days = config.store.retention_days;
    settings.directory = folder_of(config, config.store.directory, "records");
    return settings;
}

store::Recordings::Settings recording_settings_of(const config::Config& config) {
    return {.directory = folder_of(config, config.recording.directory, "recordings"),
            .format = config.recording.format == "wav" ? store::SoundFormat::Wav
                                                       : store::SoundFormat::Opus,
            .retention_days = config.recording.retention_days,
            .max_minutes = config.recording.max_minutes};
}

}  // namespace

Records::Records(const config::Config& config, base::Executor& control)
    : store_(settings_of(config), control),
      recordings_(recording_settings_of(config),
                  control,
                  [this](const auto& call, auto state, const auto& why) {
                      if (told_) told_(call, state, why);
                  }) {}

void Records::on_call(const model::CallInfo& call) {
    if (store_.is_on()) store_.put(store::record_of(call));
}

namespace {

// Both sentences, the worse one first.
model::HealthCheck joined(model::HealthCheck check, const model::HealthCheck& other) {
    using Status = model::HealthCheck::Status;
    if (other.status == Status::Off) return check;
    check.detail = other.status > check.status ? other.detail + "; " + check.detail
                                               : check.detail + "; " + other.detail;
    check.status = std::max(check.status, other.status);
    check.figures.insert(check.figures.end(), other.figures.begin(), other.figures.end());
    return check;
}

}  // namespace

model::HealthCheck Records::health(const model::HealthCheck& other) const {
    return joined(joined(store_.health(), recordings_.health()), other);
}

}  // namespace offhook::app
