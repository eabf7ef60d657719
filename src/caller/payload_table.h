#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "caller/wav_file.h"
#include "model/codec.h"
#include "rtp/packet.h"

namespace offhook::caller {

/// What every call says, encoded once: one payload for each 20 ms, played in a loop. Each has room
/// for an RTP header before it, so that a packet is made by writing 12 bytes and sent from here
/// without a copy.
/// @thread one; every call borrows the same table, one packet at a time
class PayloadTable {
public:
    /// Encodes `sound` (resampled when need be; the last frame is filled up with silence).
    [[nodiscard]] static base::Result<PayloadTable> create(model::Codec codec, const Sound& sound);

    [[nodiscard]] std::size_t size() const noexcept { return starts_.size() - 1; }
    /// The packet of frame `index % size()`: header (to be overwritten) and payload.
    [[nodiscard]] std::span<std::uint8_t> packet(std::uint64_t index) noexcept;

private:
    std::vector<std::uint8_t> bytes_;
    std::vector<std::size_t> starts_;  ///< one more than there are frames
};

/// What is said without a WAV: 440 Hz at -20 dBov, 1 s on and 1 s off, so that a listener knows the
/// line is real.
[[nodiscard]] Sound beeps(std::uint32_t sample_rate_hz);
/// `--wav none`: a second of digital silence.
[[nodiscard]] Sound silence(std::uint32_t sample_rate_hz);

}  // namespace offhook::caller
