#pragma once

#include "model/codec.h"

namespace offhook::stats {

/// What a codec and what it does about lost packets cost (ITU-T G.113): equipment impairment and
/// robustness against loss.
struct Impairment {
    double ie = 0;
    double bpl = 0;
    double lookahead_ms = 0;   ///< of the encoder
    bool is_estimate = false;  ///< no value of the ITU: ours
};
[[nodiscard]] Impairment impairment_of(model::Codec codec) noexcept;

/// One direction of a path, as the transport shows it.
struct PathFacts {
    double round_trip_ms = -1;  ///< -1: not known, counts as none
    double jitter_buffer_ms = 0;
    double loss_share = 0;  ///< 0 to 1
    /// Mean length of the runs of lost packets against that of random loss of the same share; 1:
    /// random, or not known.
    double burst_ratio = 1;
};

/// R of the E-model in its simplified form: ITU-T G.107 (06/2015) §7 with all parameters that the
/// transport does not show at their defaults, which makes Ro - Is = 93.2; Id in the approximation of
/// Cole and Rosenbluth ("Voice over IP performance monitoring", 2001): 0.024 d + 0.11 (d - 177.3)
/// above 177.3 ms; Ie,eff by §7.6 equation 7-29. Packet time 20 ms. 0 to 93.2.
[[nodiscard]] double r_factor(model::Codec codec, const PathFacts& path) noexcept;

/// Mean opinion score of R: G.107 Annex B equation B-4. 1 to 4.5.
[[nodiscard]] double mos_of(double r) noexcept;

/// G.107 §3: mean length of a loss run / (1 / (1 - share)). 1 when nothing is lost, and never below
/// it: loss that is more even than chance is not better than chance here.
[[nodiscard]] double burst_ratio(std::uint64_t lost,
                                 std::uint64_t runs,
                                 double loss_share) noexcept;

}  // namespace offhook::stats
