#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "aitap/resample2.h"
#include "linekeeper/line_keeper.h"
#include "model/audio_port.h"
#include "model/channel_seat.h"

namespace offhook::mixer {

/// The mixer's side of an AI's port: what the line keeper and the tap of a leg are elsewhere. Its
/// sound is played as on a line of its own (start threshold, pause, clear, fades), and what was
/// played has left as far as the ledger is concerned.
/// @thread the mixer's worker; made on control
class AiVoice {
public:
    using Frame = std::span<std::int16_t, model::SoundLane::kFrameSamples>;
    using ConstFrame = std::span<const std::int16_t, model::SoundLane::kFrameSamples>;

    explicit AiVoice(std::shared_ptr<model::AudioPort> port);

    /// Fills a frame with what it says. @return false: it is silence
    bool say(Frame frame, std::int64_t now_ns) noexcept;
    void hear(ConstFrame frame, std::int64_t now_ns) noexcept;

private:
    std::shared_ptr<model::AudioPort> port_;
    linekeeper::LineKeeper keeper_;
    std::optional<aitap::Resample2> up_, down_;  ///< of a port at 8 kHz
};

}  // namespace offhook::mixer
