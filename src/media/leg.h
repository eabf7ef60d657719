#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "media/reaper.h"
#include "model/audio_port.h"
#include "model/leg_counters.h"
#include "model/leg_path.h"
#include "model/sdp_offer.h"
#include "model/stats_snapshot.h"
#include "worker/media_worker.h"

namespace offhook::media {

/// One transport end of a call's sound, whatever carries it: PhoneLeg or WebLeg. Both drive the same
/// chains of the same elements.
/// @thread control
class Leg {
public:
    virtual ~Leg() = default;
    Leg(const Leg&) = delete;
    Leg& operator=(const Leg&) = delete;

    /// Plays: the first packet leaves within 5 ms, on a web leg from when it is connected on.
    /// @errors Internal: an element refused (its error is on the bus)
    [[nodiscard]] virtual base::Result<void> start() = 0;
    /// False: the peer asked for nothing (hold). The clock runs on.
    virtual void set_sending(bool sending) = 0;
    /// @errors InvalidArgument: not RFC 4733 digits; Unsupported: the peer takes none; Conflict:
    /// not started
    [[nodiscard]] virtual base::Result<void> send_digits(const std::string& digits) = 0;
    /// From the next tick on the leg brings its sound to the seat and plays the mix; empty: it leaves
    /// the channel, and its port is the AI's again. `after` runs on the leg's worker once it is so,
    /// and must not block.
    virtual void take_seat(std::shared_ptr<model::ChannelSeat> seat,
                           std::function<void()> after) = 0;
    /// Ends the leg; `after` runs on the reaper when everything is gone. Nothing else may be called
    /// afterwards.
    virtual void retire(Reaper& reaper, std::function<void()> after) = 0;

    [[nodiscard]] virtual const std::shared_ptr<model::AudioPort>& audio_port() const noexcept = 0;
    [[nodiscard]] virtual const model::LegCounters& counters() const noexcept = 0;
    [[nodiscard]] virtual const model::ChosenAudio& chosen() const noexcept = 0;
    [[nodiscard]] virtual const worker::MediaWorker& worker() const noexcept = 0;
    /// @param answered_ns CLOCK_MONOTONIC, 0: not yet
    [[nodiscard]] virtual model::LegStats stats(std::int64_t answered_ns,
                                                std::int64_t now_ns) const = 0;
    /// Where its packets come from and go to. May ask the ICE agent, which takes its lock: for who
    /// wants to see it, not for each second.
    [[nodiscard]] virtual model::LegPath path() const = 0;
    /// The built chains, for the log: "rtpcallsrc ! aitap | linekeeper ! rtpcallsink".
    [[nodiscard]] virtual std::string chain() const = 0;

protected:
    Leg() = default;
};

}  // namespace offhook::media
