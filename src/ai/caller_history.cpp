#include "ai/caller_history.h"

#include <algorithm>

namespace offhook::ai {

CallerHistory::CallerHistory(std::uint32_t sample_rate_hz, int frame_ms)
    : frame_(std::size_t{sample_rate_hz} * static_cast<std::size_t>(frame_ms) / 1000),
      kept_(std::uint64_t{sample_rate_hz} * kKeptMs / 1000) {
    const std::size_t most = std::size_t{sample_rate_hz} * (kKeptMs + kSlackMs) / 1000;
    ring_.resize((most + frame_ - 1) / frame_ * frame_);
}

void CallerHistory::append(std::span<const std::int16_t> pcm) noexcept {
    while (!pcm.empty()) {
        const std::size_t at = written_ % ring_.size();
        const std::span<const std::int16_t> part =
            pcm.first(std::min(pcm.size(), ring_.size() - at));
        std::copy(part.begin(), part.end(), ring_.begin() + static_cast<std::ptrdiff_t>(at));
        written_ += part.size();
        pcm = pcm.subspan(part.size());
    }
}

std::vector<std::int16_t> CallerHistory::kept() const {
    std::vector<std::int16_t> pcm;
    pcm.reserve(static_cast<std::size_t>(written_ - kept_from()));
    for (std::uint64_t at = kept_from(); at < written_; ++at) {
        pcm.push_back(ring_[at % ring_.size()]);
    }
    return pcm;
}

std::uint64_t CallerHistory::kept_from() const noexcept {
    if (written_ <= kept_) return 0;
    return (written_ - kept_ + frame_ - 1) / frame_ * frame_;
}

}  // namespace offhook::ai
