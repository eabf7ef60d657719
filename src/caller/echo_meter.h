#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "caller/spread_histogram.h"
#include "caller/wav_file.h"
#include "model/codec.h"
#include "rtp/codec.h"

namespace offhook::caller {

/// How long our own sound takes to come back: the first sample of a marker leaves as the first of a
/// packet, and is found by its size in what is heard. The place inside the packet that brings it
/// counts, so the figure does not depend on where the far end cuts.
///
///     mouth  |M___|____|____|        round trip = arrival - sent + place in the packet
///     ear         |____|__M_|
///
/// @thread one
class EchoMeter {
public:
    static constexpr std::int64_t kPeriodNs = 1'000'000'000;
    static constexpr std::int64_t kLostAfterNs = 900'000'000;

    /// What `meter` looks for, and silence up to the next: a loop of kPeriodNs.
    [[nodiscard]] static Sound markers(std::uint32_t sample_rate_hz);

    explicit EchoMeter(model::Codec codec);

    /// A packet with the head of the loop left.
    void sent(std::int64_t at_ns) noexcept;
    /// An audio packet came, in order.
    void heard(std::span<const std::uint8_t> payload, std::int64_t arrival_ns);

    /// Markers that did not come back within kLostAfterNs; the last one may still be on its way.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
    [[nodiscard]] const SpreadHistogram& round_trips() const noexcept { return round_trips_; }

private:
    std::unique_ptr<rtp::Decoder> decoder_;
    const std::int64_t sample_ns_;
    std::int64_t awaited_since_ns_ = 0;  ///< 0: none
    std::uint64_t lost_ = 0;
    SpreadHistogram round_trips_;
};

}  // namespace offhook::caller
