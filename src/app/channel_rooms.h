#pragma once

#include "base/executor.h"
#include "call/call_registry.h"
#include "channel/channels.h"
#include "config/config.h"
#include "media/worker_pool.h"

namespace offhook::app {

/// The voice channels, and the call room that their legs and AIs are of: each needs the other.
/// @thread control
class ChannelRooms {
public:
    /// Borrowed; they outlive this.
    struct Parts {
        const config::Config& config;
        base::Executor& control;
        GMainContext* context;
        media::WorkerPool& workers;
    };
    explicit ChannelRooms(const Parts& parts);
    ChannelRooms(const ChannelRooms&) = delete;
    ChannelRooms& operator=(const ChannelRooms&) = delete;

    [[nodiscard]] channel::Channels& channels() { return channels_; }
    /// Before the first member; null: nothing is asked of calls any more.
    void set_calls(call::CallRegistry* calls) { calls_ = calls; }

private:
    [[nodiscard]] channel::Channels::Hooks hooks(const config::Config& config);

    call::CallRegistry* calls_ = nullptr;
    channel::Channels channels_;
};

}  // namespace offhook::app
