#pragma once

#include <array>
#include <cstdint>

#include "model/codec.h"
#include "model/quality.h"
#include "model/stats_snapshot.h"
#include "stats/history.h"

namespace offhook::stats {

/// What a second's sample knows beside the leg's own figures.
struct Moment {
    std::int64_t now_ns = 0;       ///< CLOCK_MONOTONIC
    std::int64_t realtime_ns = 0;  ///< CLOCK_REALTIME
    std::int64_t gap_ns = 0;       ///< longest gap that ended since the sample before
    bool is_sound_due = false;     ///< the caller's RTP should come: no hold, no announced pause
    bool is_oneway = false;        ///< and has been missing for so long that it was said
    bool is_sending = true;        ///< ours should leave
};

/// The memory of one leg: history, and what its quality is made of. Sampled about once a second for
/// as long as its media runs.
/// @thread control
class LegRecord {
public:
    explicit LegRecord(model::Codec codec) noexcept : codec_(codec) {}

    void sample(const model::LegStats& stats, const Moment& moment);
    /// Of the leg so far. `gap_alarms` is not ours to count.
    /// @param stats  the figures as they are now
    [[nodiscard]] model::Quality quality(const model::LegStats& stats) const;
    [[nodiscard]] const History& history() const noexcept { return history_; }

private:
    /// Counters at one sample, for differences.
    struct Mark {
        std::uint64_t sent = 0, received = 0, lost = 0, refused = 0, concealed_samples = 0,
                      loss_runs = 0;
    };
    static Mark mark_of(const model::LegStats& stats) noexcept;
    [[nodiscard]] double recent_mos(const model::LegStats& stats, const Mark& now) const;
    void note_oneway(bool has_come, const Moment& moment);

    model::Codec codec_;
    History history_;
    static constexpr std::size_t kWindow = 10;  ///< samples that a second's MOS looks back
    std::array<Mark, kWindow> marks_{};
    std::uint64_t samples_ = 0;
    std::int64_t last_ns_ = 0;
    double jitter_sum_ms_ = 0, jitter_max_ms_ = -1;
    std::uint64_t jitters_ = 0;
    double playout_sum_ms_ = 0;
    double round_trip_max_ms_ = -1;
    double missing_ms_ = 0;  ///< not said to be one-way yet
    double oneway_ms_ = 0;
};

}  // namespace offhook::stats
