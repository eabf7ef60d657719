#include "ai/noise_floor.h"

#include <algorithm>

namespace offhook::ai {

NoiseFloor::NoiseFloor(double lowest_dbov) noexcept
    : lowest_dbov_(lowest_dbov), level_dbov_(lowest_dbov + kBiasDb), last_dbov_(lowest_dbov) {
    least_dbov_.fill(lowest_dbov);
}

void NoiseFloor::hear(double level_dbov) noexcept {
    const double pair_dbov = std::max({level_dbov, last_dbov_, lowest_dbov_});
    last_dbov_ = level_dbov;
    double& least = least_dbov_[window_];
    least = frames_ == 0 ? pair_dbov : std::min(least, pair_dbov);
    if (++frames_ == kWindowFrames) {
        frames_ = 0;
        window_ = (window_ + 1) % kWindows;
    }
    level_dbov_ = *std::min_element(least_dbov_.begin(), least_dbov_.end()) + kBiasDb;
}

}  // namespace offhook::ai
