#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "glib/ref.h"
#include "media/launch_file.h"
#include "media/leg.h"
#include "media/media_bus.h"
#include "media/reaper.h"
#include "model/audio_port.h"
#include "model/call_id.h"
#include "model/leg_quirks.h"
#include "model/sdp_offer.h"
#include "model/stats_snapshot.h"
#include "rtp/codec.h"
#include "session/rtp_session.h"
#include "worker/media_worker.h"

namespace offhook::media {

/// One answered call's sound over RTP or SRTP.
///
///     caller --UDP--> rtpcallsrc -> ... -> aitap ---> AudioPort.tap ---> AI
///                         |  RtpSession (sockets, SSRC, counters)
///     caller <--UDP-- rtpcallsink <- ... <- linekeeper <- AudioPort.voice <- AI
///
/// The `...` are whatever the launch file says. Both chains are driven by one media worker.
///
/// Ownership and teardown: the leg owns the pipeline; `retire` first makes the worker send nothing
/// more, then hands the pipeline to the reaper, where it goes to NULL (the elements leave the
/// worker, acknowledged) and the sockets close. The audio port is shared with the AI side and lives
/// as long as either.
/// @thread control
class PhoneLeg final : public Leg {
public:
    struct Parts {
        model::CallId id;
        session::SocketPair sockets;
        model::ChosenAudio chosen;
        rtp::CodecSettings codec_settings;
        model::LegQuirks quirks;
        std::shared_ptr<const LaunchFile> launch;
        std::string fill;  ///< empty: what the launch file says
        std::shared_ptr<worker::MediaWorker> worker;
        MediaBus* bus = nullptr;
    };
    /// Builds both chains, ready to play at once.
    /// @errors Unsupported (the launch file cannot carry the codec), InvalidArgument (fill),
    /// Internal
    [[nodiscard]] static base::Result<std::unique_ptr<PhoneLeg>> create(Parts parts);
    ~PhoneLeg() override;

    /// Where the peer says it listens; again when it moves.
    /// @errors InvalidArgument: not a numeric address
    [[nodiscard]] base::Result<void> set_remote(const model::RemoteAudio& remote);
    /// Protects what is sent and received, or no longer (empty); a key that did not change goes on
    /// where it was. Before `start` and with each offer and answer.
    /// @errors Internal: OpenSSL refused; all stays as it was
    [[nodiscard]] base::Result<void> set_srtp(const std::optional<model::SrtpAgreement>& agreed);
    [[nodiscard]] base::Result<void> start() override;
    void set_sending(bool sending) override;
    /// What a re-INVITE changed beside the address: payload numbers, rtcp-mux. The codec stays.
    void renegotiate(const model::ChosenAudio& chosen);
    [[nodiscard]] base::Result<void> send_digits(const std::string& digits) override;
    void retire(Reaper& reaper, std::function<void()> after) override;

    [[nodiscard]] const std::shared_ptr<model::AudioPort>& audio_port() const noexcept override {
        return port_;
    }
    [[nodiscard]] const model::LegCounters& counters() const noexcept override {
        return *session_->counters();
    }
    [[nodiscard]] const model::ChosenAudio& chosen() const noexcept override { return chosen_; }
    [[nodiscard]] const worker::MediaWorker& worker() const noexcept override { return *worker_; }
    [[nodiscard]] model::LegStats stats(std::int64_t answered_ns,
                                        std::int64_t now_ns) const override;
    [[nodiscard]] std::string chain() const override;

private:
    explicit PhoneLeg(Parts parts);
    base::Result<void> build(MediaBus* bus,
                             const std::string& fill,
                             const rtp::CodecSettings& codec_settings);

    model::CallId id_;
    model::ChosenAudio chosen_;
    std::shared_ptr<const LaunchFile> launch_;
    std::shared_ptr<session::RtpSession> session_;
    session::SrtpContexts srtp_;
    std::shared_ptr<model::AudioPort> port_;
    std::shared_ptr<worker::MediaWorker> worker_;
    glib::Ref<GstElement> pipeline_;
    GstElement* out_ = nullptr;  ///< borrowed from pipeline_
    bool has_started_ = false;
};

}  // namespace offhook::media
