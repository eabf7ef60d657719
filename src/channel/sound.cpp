#include "channel/sound.h"

#include <utility>

namespace offhook::channel {

void ChannelSound::set(std::vector<mixer::MixMember> members,
                       mixer::Matrix matrix,
                       const worker::MediaWorker* preferred,
                       std::function<void()> then) {
    if (members.empty()) {
        stop();
        if (then) control_.post(std::move(then));
        return;
    }
    if (!mixer_) mixer_ = mixer::ChannelMixer::start(workers_.pick(preferred));
    std::function<void()> after;
    if (then) {
        after = [&control = control_, then = std::move(then)] { control.post(then); };
    }
    mixer_->set_members(std::move(members), std::move(matrix), std::move(after));
}

void ChannelSound::set_matrix(mixer::Matrix matrix) {
    if (mixer_) mixer_->set_matrix(std::move(matrix));
}

void ChannelSound::stop() {
    if (!mixer_) return;
    mixer_->retire();
    mixed_before_ += mixer_->mixed_frames();
    late_before_ += mixer_->late_frames();
    workers_.give_back(mixer_->worker());
    mixer_.reset();
}

int ChannelSound::worker_index() const {
    return mixer_ ? mixer_->worker().stats().index : -1;
}

std::uint64_t ChannelSound::mixed_frames() const {
    return mixed_before_ + (mixer_ ? mixer_->mixed_frames() : 0);
}

std::uint64_t ChannelSound::late_frames() const {
    return late_before_ + (mixer_ ? mixer_->late_frames() : 0);
}

}  // namespace offhook::channel
