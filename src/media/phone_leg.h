#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "media/launch_file.h"
#include "media/leg.h"
#include "media/leg_chains.h"
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

/// One answered call's sound over RTP or SRTP: the chains, with sockets of the call's own.
///
///     caller <--UDP--> RtpSession (sockets, SRTP, SSRC, counters) <--> LegChains <--> AI
///
/// The sockets close with the last element that holds the session.
/// @thread control
class PhoneLeg final : public Leg {
public:
    struct Parts {
        model::CallId id;
        session::SocketPair sockets;
        model::ChosenAudio chosen;
        rtp::CodecSettings codec_settings;
        model::LegQuirks quirks;
        std::chrono::milliseconds gap_limit{60};  ///< between two packets of ours
        std::shared_ptr<const LaunchFile> launch;
        std::string fill;  ///< empty: what the launch file says
        std::shared_ptr<worker::MediaWorker> worker;
        MediaBus* bus = nullptr;
    };
    /// @errors as LegChains::build
    [[nodiscard]] static base::Result<std::unique_ptr<PhoneLeg>> create(Parts parts);

    /// Where the peer says it listens; again when it moves.
    /// @errors InvalidArgument: not a numeric address
    [[nodiscard]] base::Result<void> set_remote(const model::RemoteAudio& remote);
    /// Protects what is sent and received, or no longer (empty); a key that did not change goes on
    /// where it was. Before `start` and with each offer and answer.
    /// @errors Internal: OpenSSL refused; all stays as it was
    [[nodiscard]] base::Result<void> set_srtp(const std::optional<model::SrtpAgreement>& agreed);
    /// What a re-INVITE changed beside the address: payload numbers, rtcp-mux. The codec stays.
    void renegotiate(const model::ChosenAudio& chosen) { chains_->renegotiate(chosen); }

    [[nodiscard]] base::Result<void> start() override { return chains_->start(); }
    void set_sending(bool sending) override { chains_->set_sending(sending); }
    [[nodiscard]] base::Result<void> send_digits(const std::string& digits) override {
        return chains_->send_digits(digits);
    }
    void take_seat(std::shared_ptr<model::ChannelSeat> seat, std::function<void()> after) override {
        chains_->take_seat(std::move(seat), std::move(after));
    }
    void retire(Reaper& reaper, std::function<void()> after) override {
        chains_->retire(reaper, std::move(after));
    }

    [[nodiscard]] const std::shared_ptr<model::AudioPort>& audio_port() const noexcept override {
        return chains_->audio_port();
    }
    [[nodiscard]] const model::LegCounters& counters() const noexcept override {
        return chains_->counters();
    }
    [[nodiscard]] const model::ChosenAudio& chosen() const noexcept override {
        return chains_->chosen();
    }
    [[nodiscard]] const worker::MediaWorker& worker() const noexcept override { return *worker_; }
    [[nodiscard]] model::LegStats stats(std::int64_t answered_ns,
                                        std::int64_t now_ns) const override {
        return chains_->stats(answered_ns, now_ns);
    }
    /// Local: where its socket is bound.
    [[nodiscard]] model::LegPath path() const override;
    [[nodiscard]] std::string chain() const override { return chains_->text(); }

private:
    PhoneLeg(std::shared_ptr<session::RtpSession> session,
             std::shared_ptr<worker::MediaWorker> worker,
             std::unique_ptr<LegChains> chains);

    std::shared_ptr<session::RtpSession> session_;
    std::shared_ptr<worker::MediaWorker> worker_;
    session::SrtpContexts srtp_;
    session::Endpoint announced_;  ///< the peer's, as it described itself last
    std::string srtp_suite_;       ///< empty: plain RTP
    std::unique_ptr<LegChains> chains_;
};

}  // namespace offhook::media
