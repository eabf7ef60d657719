#pragma once

#include <memory>

#include "base/executor.h"
#include "config/config.h"
#include "model/call_directory.h"
#include "store/record_store.h"
#include "store/recordings.h"

namespace offhook::app {

/// What is kept of calls: tells the store of each, from INVITE to end.
/// @thread control
class Records {
public:
    /// @param control  outlives this
    Records(const config::Config& config, base::Executor& control);

    /// A call began, was answered, was refused or is over.
    void on_call(const model::CallInfo& call);

    [[nodiscard]] store::RecordStore& store() { return store_; }
    [[nodiscard]] store::Recordings& recordings() { return recordings_; }
    /// Who is told of recordings that end by themselves.
    void on_recording(store::Recordings::Told told) { told_ = std::move(told); }
    /// Of the records and of what else is stored: the worse status, both sentences.
    [[nodiscard]] model::HealthCheck health(const model::HealthCheck& other) const;

private:
    store::RecordStore store_;
    store::Recordings::Told told_;
    store::Recordings recordings_;
};

}  // namespace offhook::app
