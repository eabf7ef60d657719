#pragma once

#include <cstddef>
#include <cstdint>

#include "model/codec.h"

namespace offhook::rtpcallsrc {

/// How much background sound is due while the caller's side sends nothing on purpose (RFC 3389
/// comfort noise, Opus DTX): whole frames in real time, a little behind, and at the end what the
/// timestamps say is missing. So a pause lasts as long in our sound as it did at the caller's, and
/// jitter at its end adds no delay.
/// @thread the media worker
class PauseClock {
public:
    explicit PauseClock(const model::CodecFacts& codec) noexcept : codec_(codec) {}

    /// A pause begins at `timestamp_rtp`; what came before was delivered. @param from_ns when
    /// (CLOCK_MONOTONIC) the sound at that timestamp is due
    void begin(std::uint32_t timestamp_rtp, std::int64_t from_ns) noexcept;
    void cancel() noexcept { is_active_ = false; }
    [[nodiscard]] bool is_active() const noexcept { return is_active_; }

    /// Samples to make now: a multiple of 20 ms, 100 ms at most.
    [[nodiscard]] std::size_t take_due(std::int64_t now_ns) noexcept;
    /// Sound is back at `timestamp_rtp`. @return samples still missing before it, 200 ms at most
    [[nodiscard]] std::size_t end(std::uint32_t timestamp_rtp) noexcept;

private:
    const model::CodecFacts& codec_;
    bool is_active_ = false;
    std::uint32_t from_rtp_ = 0;
    std::int64_t from_ns_ = 0;
    std::int64_t made_samples_ = 0;
};

}  // namespace offhook::rtpcallsrc
