#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ai/bot_settings.h"
#include "base/monotonic.h"
#include "config/config.h"
#include "glib/timer.h"
#include "media/launch_file.h"
#include "media/leg.h"
#include "media/media_address.h"
#include "model/ai_stats.h"
#include "model/call_directory.h"
#include "model/call_recorder.h"
#include "model/channel.h"
#include "model/leg_quirks.h"
#include "model/signalling.h"
#include "model/srtp_agreement.h"
#include "session/socket_pair.h"
#include "stats/leg_record.h"

namespace offhook::call {

/// The state of one call; CallRegistry tells its story and is the only one to change it.
///
///     Incoming --ring--> Ringing --200 sent--> Answered <--re-INVITE--> Held
///     Dialing --180/183--> Ringing --200 came--'
///         '-------------- CANCEL, BYE, hang-up, refusal ---------------> Ending --> Ended
///
/// @thread control
struct Call {
    /// One that comes in.
    explicit Call(const model::IncomingCall& incoming);
    /// One that we place on an account.
    Call(std::string account, std::string from, std::string to);

    /// What only a phone leg has (PhoneMedia).
    struct Phone {
        media::MediaAddress address;  ///< from the first description on
        session::SocketPair sockets;  ///< until the leg takes them
        std::uint16_t port = 0;
        std::uint64_t sdp_version = 1;
        std::vector<model::SdpMediaLine> offered_lines;
        bool rtcp_mux = false;
        std::optional<model::SrtpPolicy> srtp_policy;  ///< of its account; empty: that of [rtp]
        std::optional<model::SrtpAgreement> srtp;      ///< in force; empty: plain RTP
        std::optional<std::vector<model::SdpCrypto>>
            srtp_offered;  ///< in our first offer, until it is answered
    };
    /// What only a web leg has (WebMedia).
    struct Web {
        bool awaits_answer = false;  ///< an offer of ours has yet to be answered
        std::int64_t exchanged_ns =
            0;  ///< CLOCK_MONOTONIC, when both had each other's description; 0: not yet
    };
    /// The AI and what it asked for (call_bot.cpp).
    struct Bot {
        std::shared_ptr<const ai::BotSettings> settings;  ///< null: none was attached yet
        std::shared_ptr<model::AiStats> stats;
        std::size_t fallbacks_used = 0;              ///< of the route's
        model::AiState told = model::AiState::None;  ///< Live or Lost, as the log knows it
        unsigned told_refusals = 0;                  ///< a bit for each verb
        std::optional<std::uint64_t> transfer_verb, hold_verb;  ///< under way, by number
        bool is_transferred_away = false;  ///< by the route's fallback, under way
    };
    /// A description of ours on its way to the peer: made by the leg, and then due or not yet.
    struct Description {
        enum class Purpose : std::uint8_t { None, Answer, Invite, Reoffer };
        Purpose purpose = Purpose::None;
        std::uint32_t exchange = 0;  ///< of the re-INVITE that it answers; 0: the INVITE
        bool is_due = false;
        std::optional<model::LocalSdp> sdp;
    };

    model::CallId id;
    model::CallInfo info;    ///< what the outside sees; stats are filled when asked for
    std::string session_id;  ///< o= of our SDP, decimal
    /// Who brought it and takes its commands; null: the SIP room.
    model::Signalling* via = nullptr;

    const config::Route* route = nullptr;
    const config::Ai* ai = nullptr;
    std::shared_ptr<const media::LaunchFile> launch;
    std::vector<model::Codec> codecs;  ///< ours that the pipeline supports
    model::LegQuirks quirks;           ///< of the account it came on
    /// The place in a channel that its leg takes instead of having an AI.
    std::optional<model::ChannelPlace> place;
    bool is_own_member = false;  ///< `place` is its own, by its route: it leaves with the call
    std::string peer_name;       ///< display name, or the masked number; not escaped
    std::string local_address;   ///< numeric, our side of the SIP flow

    /// Phone: from the peer's description on, its offer or its answer to ours. Web: from the first
    /// description on, whoever made it.
    std::unique_ptr<media::Leg> leg;
    bool is_agreed = false;  ///< both have described themselves, and it fits
    model::Direction remote_direction = model::Direction::SendRecv;
    Phone phone;
    Web web;
    Bot bot;
    Description description;
    std::shared_ptr<model::CallRecorder> recorder;  ///< null: it is not recorded now
    glib::Timer recording_timer;                    ///< the announcement is over
    std::optional<model::OutgoingCall> placing;     ///< until its INVITE goes to signalling

    bool is_holding = false;   ///< we asked the peer to send nothing, or are about to
    bool is_offering = false;  ///< a re-INVITE of ours is under way

    glib::Timer answer_timer;
    std::int64_t incoming_ns = 0;  ///< CLOCK_MONOTONIC
    std::int64_t answered_ns = 0;  ///< CLOCK_MONOTONIC, 0: not yet
    std::optional<model::CallEnd>
        ending;  ///< we decided, signalling has yet to say that it is over

    model::CallId transferor;  ///< this call was placed because that one's peer asked for it
    model::CallId replaced;    ///< ends once this one is answered (RFC 3891)
    /// Set while another call takes the place of this one, or RingCentral takes it away as it was
    /// told to: the peer's BYE or CANCEL is then the end of what was asked for.
    std::optional<model::CallEnd> superseded;
    glib::Timer transfer_timer;
    std::uint64_t ringcentral_number = 0;  ///< of the newest command
    glib::Timer ringcentral_timer;         ///< nothing came of it

    // what the once-a-second look has already told
    bool told_first_sent = false;
    bool told_first_received = false;
    bool told_stopped = false;
    std::uint64_t told_gaps = 0;
    std::int64_t told_gap_ns = 0;        ///< CLOCK_MONOTONIC, of the last telling
    std::int64_t media_started_ns = 0;   ///< 0: not yet
    std::int64_t expected_since_ns = 0;  ///< since when RTP of the caller is due (answer, resume)
    std::int64_t last_keepalive_ns = 0;
    /// Once the media has started, sampled once a second.
    std::unique_ptr<stats::LegRecord> record;
    unsigned sample_turn = 0;  ///< in which of a second's looks

    [[nodiscard]] bool is_outbound() const {
        return info.direction == model::CallDirection::Outbound;
    }
    [[nodiscard]] bool is_web() const { return info.leg == model::LegKind::Web; }
    [[nodiscard]] bool is_answered() const { return answered_ns != 0; }
    /// Both have each other's description, as far as we can know.
    void note_exchange() {
        if (web.exchanged_ns == 0) web.exchanged_ns = base::monotonic_ns();
    }
    /// The answer just happened.
    void note_answer();
    /// Answered or held, once answered.
    void update_state();
    /// The peer asked for nothing.
    [[nodiscard]] bool is_held() const { return !model::receives(remote_direction); }
    /// What we would do. Who holds asks for nothing and goes on sending (RFC 3264 §8.4).
    [[nodiscard]] model::Direction wanted_direction() const {
        return is_holding ? model::Direction::SendOnly : model::Direction::SendRecv;
    }
    /// A peer that holds may say "sendonly" and play no music: its silence means nothing.
    [[nodiscard]] bool is_sound_expected() const {
        return model::sends(remote_direction) && !is_held() && !is_holding;
    }
};

}  // namespace offhook::call
