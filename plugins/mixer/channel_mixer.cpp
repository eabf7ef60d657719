#include "mixer/channel_mixer.h"

#include <algorithm>
#include <utility>

#include "mixer/mix.h"

namespace offhook::mixer {
namespace {

constexpr int kMaxFramesPerTick = 2;
constexpr std::int64_t kGiveUpNs = 3 * worker::kFrameNs;

}  // namespace

std::shared_ptr<ChannelMixer> ChannelMixer::start(std::shared_ptr<worker::MediaWorker> worker) {
    std::shared_ptr<ChannelMixer> mixer(new ChannelMixer(std::move(worker)));
    mixer->worker_->post([raw = mixer.get()] { raw->next_due_ns_ = raw->worker_->attach(*raw); });
    return mixer;
}

ChannelMixer::ChannelMixer(std::shared_ptr<worker::MediaWorker> worker)
    : worker_(std::move(worker)),
      mix_(std::make_shared<Mix>(std::vector<std::shared_ptr<Place>>(), Matrix(0))) {}

ChannelMixer::~ChannelMixer() {
    retire();
}

void ChannelMixer::set_members(std::vector<MixMember> members,
                               Matrix matrix,
                               std::function<void()> after) {
    std::vector<std::shared_ptr<Place>> places;
    places.reserve(members.size());
    for (MixMember& member : members) {
        const auto old = std::find_if(
            places_.begin(), places_.end(), [&](const auto& place) { return place->is(member); });
        places.push_back(old != places_.end() ? *old : std::make_shared<Place>(std::move(member)));
    }
    places_ = std::move(places);
    play(std::make_shared<Mix>(places_, matrix), std::move(after));
}

void ChannelMixer::set_matrix(Matrix matrix) {
    play(std::make_shared<Mix>(places_, matrix), {});
}

void ChannelMixer::play(std::shared_ptr<Mix> mix, std::function<void()> after) {
    // Swapped, so that the mix before, and who is in it alone, is freed with the command by the next
    // post.
    worker_->post([this, mix = std::move(mix), after = std::move(after)]() mutable {
        mix->take_over(*mix_);
        std::swap(mix_, mix);
        if (after) after();
    });
}

void ChannelMixer::retire() {
    if (std::exchange(is_retired_, true)) return;
    worker_->run_and_wait([this] { worker_->detach(*this); });
}

bool ChannelMixer::on_slot(std::int64_t now_ns) noexcept {
    for (int due = frames_due(now_ns); due > 0; --due) {
        mix_->mix(now_ns);
        next_due_ns_ += worker::kFrameNs;
        mixed_frames_.store(mixed_frames() + 1, std::memory_order_relaxed);
        if (mix_->has_ai()) worker_->note_tapped();
    }
    return next_due_ns_ <= now_ns;
}

int ChannelMixer::frames_due(std::int64_t now_ns) noexcept {
    const std::int64_t late_ns = now_ns - next_due_ns_;
    if (late_ns < 0) return 0;
    if (late_ns > kGiveUpNs) {
        const std::int64_t given_up = late_ns / worker::kFrameNs;
        next_due_ns_ += given_up * worker::kFrameNs;
        late_frames_.store(late_frames() + static_cast<std::uint64_t>(given_up),
                           std::memory_order_relaxed);
    }
    const auto due = static_cast<int>((now_ns - next_due_ns_) / worker::kFrameNs) + 1;
    return std::min(due, kMaxFramesPerTick);
}

}  // namespace offhook::mixer
