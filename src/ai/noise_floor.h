#pragma once

#include <array>
#include <cstddef>

namespace offhook::ai {

/// How loud it is when nobody speaks: the least level of the last 1.6 s, frame by frame. Falls at
/// once, rises when it has been loud for so long.
class NoiseFloor {
public:
    /// @param lowest_dbov  what is quieter counts as this: digital silence is no measure of noise
    explicit NoiseFloor(double lowest_dbov) noexcept;

    /// @param level_dbov of a frame of 20 ms
    void hear(double level_dbov) noexcept;
    [[nodiscard]] double level_dbov() const noexcept { return level_dbov_; }

private:
    static constexpr std::size_t kWindows = 8;
    static constexpr int kWindowFrames = 10;
    /// A minimum lies below what it is the minimum of.
    static constexpr double kBiasDb = 2;

    double lowest_dbov_;
    double level_dbov_;
    double last_dbov_;  ///< of the frame before: a single hole is not the floor
    std::array<double, kWindows> least_dbov_;
    std::size_t window_ = 0;
    int frames_ = 0;
};

}  // namespace offhook::ai
