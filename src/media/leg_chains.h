#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "glib/ref.h"
#include "media/launch_file.h"
#include "media/media_bus.h"
#include "media/reaper.h"
#include "model/audio_port.h"
#include "model/leg_counters.h"
#include "model/sdp_offer.h"
#include "model/stats_snapshot.h"
#include "session/rtp_session.h"
#include "worker/media_worker.h"

namespace offhook::media {

/// The two chains of a leg's elements, whatever carries their packets: what a phone leg and a web
/// leg have in common.
///
///     RtpSession --> rtpcallsrc -> ... -> aitap ---> AudioPort.tap ---> AI
///     RtpSession <-- rtpcallsink <- ... <- linekeeper <- AudioPort.voice <- AI
///
/// In a channel the tap brings to ChannelSeat::from_leg and the keeper plays `to_leg` instead.
///
/// The `...` are whatever the launch file says. Both chains are driven by one media worker.
///
/// Ownership and teardown: owns the pipeline; `retire` first makes the worker send nothing more,
/// then hands the pipeline to the reaper, where it goes to NULL (the elements leave the worker,
/// acknowledged). The audio port is shared with the AI side and lives as long as either.
/// @thread control
class LegChains {
public:
    struct Parts {
        std::string name;  ///< of the pipeline: the call id
        std::shared_ptr<session::RtpSession> session;
        model::ChosenAudio chosen;
        std::shared_ptr<const LaunchFile> launch;
        std::string fill;  ///< empty: what the launch file says
        std::shared_ptr<worker::MediaWorker> worker;
        MediaBus* bus = nullptr;
    };
    /// Builds both chains, ready to play at once.
    /// @errors Unsupported (the launch file cannot carry the codec), InvalidArgument (fill),
    /// Internal
    [[nodiscard]] static base::Result<std::unique_ptr<LegChains>> build(Parts parts);
    ~LegChains();
    LegChains(const LegChains&) = delete;
    LegChains& operator=(const LegChains&) = delete;

    /// @see Leg, for all of these
    [[nodiscard]] base::Result<void> start();
    void set_sending(bool sending);
    /// What a new offer or answer changed: payload numbers, rtcp-mux. The codec stays.
    void renegotiate(const model::ChosenAudio& chosen);
    [[nodiscard]] base::Result<void> send_digits(const std::string& digits);
    void take_seat(std::shared_ptr<model::ChannelSeat> seat, std::function<void()> after);
    void retire(Reaper& reaper, std::function<void()> after);

    [[nodiscard]] const std::shared_ptr<model::AudioPort>& audio_port() const noexcept {
        return port_;
    }
    [[nodiscard]] const model::LegCounters& counters() const noexcept {
        return *parts_.session->counters();
    }
    [[nodiscard]] const model::ChosenAudio& chosen() const noexcept { return parts_.chosen; }
    [[nodiscard]] model::LegStats stats(std::int64_t answered_ns, std::int64_t now_ns) const;
    [[nodiscard]] std::string text() const;

private:
    explicit LegChains(Parts parts);
    base::Result<void> make_pipeline();

    Parts parts_;
    std::shared_ptr<model::AudioPort> port_;
    glib::Ref<GstElement> pipeline_;
    GstElement* out_ = nullptr;  ///< borrowed from pipeline_
    bool has_started_ = false;
};

}  // namespace offhook::media
