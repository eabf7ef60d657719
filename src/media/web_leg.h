#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "glib/timer.h"
#include "media/launch_file.h"
#include "media/leg.h"
#include "media/leg_chains.h"
#include "media/media_bus.h"
#include "media/web_settings.h"
#include "media/web_transport.h"
#include "model/call_id.h"
#include "model/leg_quirks.h"
#include "rtp/codec.h"
#include "sdp/web_remote.h"
#include "session/rtp_session.h"
#include "session/web_port.h"

namespace offhook::media {

/// One call's sound over ICE and DTLS-SRTP: the chains of a phone leg, with a WebTransport where
/// that has sockets.
///
///     offer, answer, re-offer  -> sdp:: (parse, normalise, choose, complete)
///     other ICE credentials    -> a new WebTransport; the old one carries on until it is verified,
///                                 and receives for half a second more
///     the same                 -> answered from what we have; webrtcbin is not asked
///
/// The chains are built with the first offer or answer, when the codec is known, and depend on no
/// state of webrtcbin. The codec stays for the whole call.
///
///     peer <--> WebTransport (one, or two during an ICE restart) <--> WebPort <--> RtpSession
///                                                                     <--> LegChains <--> AI
///
/// @thread control; events come on control by the executor, never inside a call of these, and may
/// retire or destroy the leg
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
        /// Another transport has taken the place of the one before: an ICE restart came up.
        std::function<void()> on_restarted;
    };
    struct Parts {
        model::CallId id;
        std::string session_id;            ///< o= of our descriptions, decimal
        std::vector<model::Codec> codecs;  ///< ours, by preference; G722 is not for web legs
        rtp::CodecSettings codec_settings;
        model::LegQuirks quirks;
        std::chrono::milliseconds gap_limit{60};  ///< between two packets of ours
        std::shared_ptr<const LaunchFile> launch;
        std::string fill;
        std::shared_ptr<worker::MediaWorker> worker;  ///< of the web pool
        /// Empty: WebTransport::create.
        std::function<base::Result<std::shared_ptr<WebTransport>>(WebTransport::Parts)>
            make_transport;
        MediaBus* bus = nullptr;
        const WebSettings* settings = nullptr;
        base::Executor* control = nullptr;
        GMainContext* context = nullptr;
        Reaper* reaper = nullptr;
        Events events;
    };
    [[nodiscard]] static std::unique_ptr<WebLeg> create(Parts parts);
    ~WebLeg() override;

    /// The remote's offer: the first, a changed one, one that restarts ICE. `on_local` follows, at
    /// once when nothing new has to be gathered.
    /// @param ours  what we would do; the answer is what both want
    /// @errors Malformed (400), Unsupported (488), Internal (no transport), with the sentence;
    /// nothing changed
    [[nodiscard]] base::Result<void> accept(std::string_view offer, model::Direction ours);
    /// We offer: at first, and later (hold, resume). `on_local` follows.
    [[nodiscard]] base::Result<void> offer(model::Direction ours);
    /// The remote's answer to our newest offer. @errors as `accept`; Conflict: none is open
    [[nodiscard]] base::Result<void> take_answer(std::string_view answer);
    /// Trickled "candidate:..." values.
    void add_candidates(const std::vector<std::string>& candidates);
    /// What the remote wrote last.
    [[nodiscard]] model::Direction remote_direction() const noexcept;
    [[nodiscard]] bool is_connected() const noexcept;

    [[nodiscard]] base::Result<void> start() override;
    void set_sending(bool sending) override;
    [[nodiscard]] base::Result<void> send_digits(const std::string& digits) override;
    void take_seat(std::shared_ptr<model::ChannelSeat> seat, std::function<void()> after) override;
    void retire(Reaper& reaper, std::function<void()> after) override;
    /// Null until the codec is known.
    [[nodiscard]] const std::shared_ptr<model::AudioPort>& audio_port() const noexcept override;
    [[nodiscard]] const model::LegCounters& counters() const noexcept override;
    [[nodiscard]] const model::ChosenAudio& chosen() const noexcept override;
    [[nodiscard]] const worker::MediaWorker& worker() const noexcept override;
    [[nodiscard]] model::LegStats stats(std::int64_t answered_ns,
                                        std::int64_t now_ns) const override;
    [[nodiscard]] model::LegPath path() const override;
    [[nodiscard]] std::string chain() const override;

private:
    /// One transport, and what was said about it.
    struct Way {
        std::uint64_t number = 0;
        std::shared_ptr<WebTransport> transport;
        std::optional<sdp::WebRemote> remote;  ///< its first description; empty: none yet
        std::optional<sdp::WebLocal> local;    ///< empty: still gathering
        std::vector<std::string> candidates;   ///< of the remote, given to the transport
    };
    /// What we have yet to say.
    enum class Due : std::uint8_t { Nothing, Answer, Offer };

    explicit WebLeg(Parts parts);
    [[nodiscard]] Way* newest() noexcept;
    [[nodiscard]] Way* way_of(std::uint64_t number) noexcept;
    [[nodiscard]] base::Result<model::ChosenAudio> choose(const sdp::WebRemote& remote) const;
    [[nodiscard]] base::Result<void> ensure_chains(const model::ChosenAudio& chosen);
    /// Puts a new transport in the place of the newest that is not verified yet.
    [[nodiscard]] base::Result<void> open_way();
    void drop(std::optional<Way>& way, std::function<void()> after = {});
    void give_new_candidates(Way& way, const std::vector<std::string>& candidates);
    void describe_soon();
    void describe();

    void on_local(std::uint64_t number, sdp::WebLocal local);
    void on_verified(std::uint64_t number);
    void on_failed(std::uint64_t number, const model::CallEnd& end);
    void on_lost(std::uint64_t number, bool is_lost);

    Parts parts_;
    const std::shared_ptr<session::WebPort> port_;
    sdp::WebIdentity identity_;
    std::shared_ptr<session::RtpSession> session_;  ///< with chains_
    std::unique_ptr<LegChains> chains_;             ///< null until the codec is known
    std::shared_ptr<model::AudioPort> no_audio_port_;
    bool is_sending_ = true;
    std::shared_ptr<model::ChannelSeat> seat_;

    std::uint64_t ways_ = 0;
    std::optional<Way> live_;  ///< verified: carries the sound
    /// Those before the last ICE restarts, which still receive for a moment; none is empty.
    std::vector<std::optional<Way>> replaced_;
    glib::Timer overlap_;
    std::optional<Way> next_;               ///< not verified yet: the first, or an ICE restart's
    std::optional<sdp::WebRemote> remote_;  ///< what the remote wrote last
    model::Direction ours_ = model::Direction::SendRecv;
    Due due_ = Due::Nothing;
    bool awaits_answer_ = false;
    bool was_connected_ = false;
    bool is_lost_ = false;
    /// Callbacks hold it weakly; it goes with the leg, or when that is retired.
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace offhook::media
