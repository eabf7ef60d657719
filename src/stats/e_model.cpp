#include "stats/e_model.h"

#include <algorithm>

namespace offhook::stats {
namespace {

/// G.107 §7.1, all parameters at their defaults: Ro - Is.
constexpr double kBasicR = 93.2;
/// G.107 §7.6: the most that Ie,eff can reach.
constexpr double kMostIe = 95;
/// Cole and Rosenbluth 2001: the delay that begins to disturb a conversation.
constexpr double kDisturbingMs = 177.3;

}  // namespace

Impairment impairment_of(model::Codec codec) noexcept {
    switch (codec) {
        case model::Codec::Pcmu:
        case model::Codec::Pcma:
            // G.113 Appendix I table I.4, with the concealment of G.711 Appendix I, which is ours.
            return {.ie = 0, .bpl = 25.1};
        case model::Codec::G722:
            // The ITU has values on the wideband scale only (G.113 table IV.1). On this one, whose
            // best is a good telephone line, 64 kbit/s of G.722 are no worse; robustness as G.711's.
            return {.ie = 0, .bpl = 25.1, .lookahead_ms = 1.5, .is_estimate = true};
        case model::Codec::Opus:
        case model::Codec::Opus16:
            // The ITU has none. The same reasons; 6.5 ms by RFC 6716 §2.
            return {.ie = 0, .bpl = 25.1, .lookahead_ms = 6.5, .is_estimate = true};
    }
    return {};
}

double r_factor(model::Codec codec, const PathFacts& path) noexcept {
    const Impairment codec_facts = impairment_of(codec);
    const double delay_ms = std::max(0.0, path.round_trip_ms) / 2 + path.jitter_buffer_ms +
                            model::kPtimeMs + codec_facts.lookahead_ms;
    const double delay_impairment =
        0.024 * delay_ms + 0.11 * std::max(0.0, delay_ms - kDisturbingMs);
    const double loss_percent = std::clamp(path.loss_share, 0.0, 1.0) * 100;
    const double loss_impairment =
        codec_facts.ie + (kMostIe - codec_facts.ie) * loss_percent /
                             (loss_percent / std::max(1.0, path.burst_ratio) + codec_facts.bpl);
    return std::clamp(kBasicR - delay_impairment - loss_impairment, 0.0, kBasicR);
}

double mos_of(double r) noexcept {
    if (r <= 0) return 1;
    if (r >= 100) return 4.5;
    // The cubic dips below 1 for R under 6.5.
    return std::max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

double burst_ratio(std::uint64_t lost, std::uint64_t runs, double loss_share) noexcept {
    if (lost == 0 || runs == 0) return 1;
    const double mean_run = static_cast<double>(lost) / static_cast<double>(runs);
    return std::max(1.0, mean_run * (1 - std::clamp(loss_share, 0.0, 1.0)));
}

}  // namespace offhook::stats
