#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "caller/wav_file.h"
#include "model/codec.h"
#include "rtp/codec.h"
#include "rtp/packet.h"

namespace offhook::caller {

/// A telephone that does not cancel: what comes out of its earpiece goes into its microphone, later
/// and quieter, beside what is said into it.
///
///     heard --> delay --> quieter --+--> packet
///                       speech -----'
///
/// @thread one
class Handset {
public:
    struct Echo {
        int delay_ms = 200;  ///< 0 to 2000
        double loss_db = 20;
    };

    /// @param speech  said in a loop from the first packet on; at the codec's rate
    Handset(model::Codec codec, Echo echo, std::shared_ptr<const Sound> speech);

    /// An audio packet came, in order.
    void heard(std::span<const std::uint8_t> payload);
    /// The next 20 ms: room for the header, and the payload. Valid until the next call.
    [[nodiscard]] std::span<std::uint8_t> packet();

private:
    /// More than that is waiting when the far end's clock is quicker than ours, or it sent a burst.
    static constexpr std::size_t kSlackMs = 60;

    const std::shared_ptr<const Sound> speech_;
    const std::unique_ptr<rtp::Decoder> decoder_;
    const std::unique_ptr<rtp::Encoder> encoder_;
    const std::size_t frame_;
    const std::size_t delay_samples_;
    const std::size_t slack_samples_;
    const double gain_;
    std::vector<std::int16_t> room_;  ///< what is on its way from earpiece to microphone
    bool has_heard_ = false;
    std::size_t spoken_ = 0;  ///< of `speech_`
    std::array<std::uint8_t, rtp::kHeaderBytes + model::kMaxPayloadBytes> packet_{};
};

}  // namespace offhook::caller
