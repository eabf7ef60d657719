#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "media/launch_file.h"
#include "media/leg.h"
#include "media/media_bus.h"
#include "media/web_settings.h"
#include "media/web_transport.h"
#include "model/call_id.h"
#include "model/leg_quirks.h"
#include "rtp/codec.h"

namespace offhook::media {

/// One call's sound over ICE and DTLS-SRTP: the chains of a phone leg, with a WebTransport where
/// that has sockets.
///
///     offer, answer, re-offer  -> sdp:: (parse, normalise, choose, complete)
///     other ICE credentials    -> a new WebTransport; the old one carries on until it is verified
///     the same                 -> answered from what we have; webrtcbin is not asked
///
/// @thread control; events come on control
class WebLeg final : public Leg {
public:
    struct Events {
        /// Our answer or offer to the newest `accept` or `offer` is ready to be sent.
        std::function<void(std::string sdp)> on_local;
        /// The first time: from here on media flows (call `start`).
        std::function<void()> on_connected;
        /// @see WebTransport::Events::on_failed. A restart that fails leaves the old transport in
        /// force as long as that lives.
        std::function<void(model::CallEnd)> on_failed;
        std::function<void(bool is_lost)> on_lost;
    };
    struct Parts {
        model::CallId id;
        std::string session_id;            ///< o= of our descriptions, decimal
        std::vector<model::Codec> codecs;  ///< ours, by preference; G722 is not for web legs
        rtp::CodecSettings codec_settings;
        model::LegQuirks quirks;
        std::shared_ptr<const LaunchFile> launch;
        std::string fill;
        std::shared_ptr<worker::MediaWorker> worker;  ///< of the web pool
        MediaBus* bus = nullptr;
        const WebSettings* settings = nullptr;
        base::Executor* control = nullptr;
        GMainContext* context = nullptr;
        Reaper* reaper = nullptr;
        Events events;
    };
    [[nodiscard]] static std::unique_ptr<WebLeg> create(Parts parts);

    /// The remote's offer: the first, a changed one, one that restarts ICE. `on_local` follows, at
    /// once when nothing new has to be gathered.
    /// @param ours  what we would do; the answer is what both want
    /// @errors Malformed (400), Unsupported (488), with the sentence; nothing changed
    [[nodiscard]] base::Result<void> accept(std::string_view offer, model::Direction ours);
    /// We offer: at first, and later (hold, resume). `on_local` follows.
    [[nodiscard]] base::Result<void> offer(model::Direction ours);
    /// The remote's answer to our newest offer. @errors as `accept`
    [[nodiscard]] base::Result<void> take_answer(std::string_view answer);
    /// Trickled "candidate:..." values.
    void add_candidates(const std::vector<std::string>& candidates);
    /// What the remote wrote last.
    [[nodiscard]] model::Direction remote_direction() const noexcept;
    [[nodiscard]] bool is_connected() const noexcept;

    [[nodiscard]] base::Result<void> start() override;
    void set_sending(bool sending) override;
    [[nodiscard]] base::Result<void> send_digits(const std::string& digits) override;
    void retire(Reaper& reaper, std::function<void()> after) override;
    [[nodiscard]] const std::shared_ptr<model::AudioPort>& audio_port() const noexcept override;
    [[nodiscard]] const model::LegCounters& counters() const noexcept override;
    [[nodiscard]] const model::ChosenAudio& chosen() const noexcept override;
    [[nodiscard]] const worker::MediaWorker& worker() const noexcept override;
    [[nodiscard]] model::LegStats stats(std::int64_t answered_ns,
                                        std::int64_t now_ns) const override;
    [[nodiscard]] std::string chain() const override;
};

}  // namespace offhook::media
