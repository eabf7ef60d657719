#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/executor.h"
#include "mixer/channel_mixer.h"
#include "worker/media_worker.h"

namespace offhook::channel {

/// Where mixers run.
struct MixWorkers {
    /// The worker `preferred` if mixers may run there, else the one with the least to do.
    std::function<std::shared_ptr<worker::MediaWorker>(const worker::MediaWorker* preferred)> pick;
    std::function<void(const worker::MediaWorker&)> give_back;
};

/// The mixer of one channel: there while somebody has sound.
/// @thread control
class ChannelSound {
public:
    /// Borrowed; both outlive this.
    ChannelSound(base::Executor& control, const MixWorkers& workers)
        : control_(control), workers_(workers) {}
    ~ChannelSound() { stop(); }
    ChannelSound(const ChannelSound&) = delete;
    ChannelSound& operator=(const ChannelSound&) = delete;

    /// These are the members from the next frame on; with none the mixer goes.
    /// @param preferred  whose tick should mix when a mixer is to be made; may be null
    /// @param then       comes on control, from the loop, once those that are no longer among them
    ///                   are let go; outlives this
    void set(std::vector<mixer::MixMember> members,
             mixer::Matrix matrix,
             const worker::MediaWorker* preferred,
             std::function<void()> then = {});
    /// Only the gains change.
    void set_matrix(mixer::Matrix matrix);
    void stop();

    [[nodiscard]] int worker_index() const;
    /// Of all mixers that this had.
    [[nodiscard]] std::uint64_t mixed_frames() const;
    [[nodiscard]] std::uint64_t late_frames() const;

private:
    base::Executor& control_;
    const MixWorkers& workers_;
    std::shared_ptr<mixer::ChannelMixer> mixer_;
    std::uint64_t mixed_before_ = 0, late_before_ = 0;
};

}  // namespace offhook::channel
