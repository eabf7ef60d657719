#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "model/ai_info.h"
#include "model/call_end.h"
#include "model/call_facts.h"
#include "model/call_id.h"
#include "model/channel.h"
#include "model/leg_kind.h"
#include "model/quality.h"
#include "model/recording.h"
#include "model/stats_snapshot.h"

namespace offhook::model {

/// `Incoming` came in and nothing is decided; `Dialing` is its like for a call that we place.
enum class CallState : std::uint8_t { Incoming, Dialing, Ringing, Answered, Held, Ending, Ended };
[[nodiscard]] std::string_view name_of(CallState state) noexcept;

/// Who began it.
enum class CallDirection : std::uint8_t { Inbound, Outbound };
[[nodiscard]] std::string_view name_of(CallDirection direction) noexcept;

/// A call on its way to somewhere else, by REFER (RFC 3515).
struct TransferInfo {
    bool is_by_peer = false;  ///< the peer asked us to go; else we sent it
    std::string target;
    CallId call;     ///< by the peer: the call that we placed for it; attended: the other one
    int status = 0;  ///< what the far end said last; 0: nothing yet
};

/// How the transport of a web leg fares.
struct WebInfo {
    bool is_connected =
        false;               ///< ICE and DTLS are up, the peer's certificate is the described one
    bool is_lost = false;    ///< nothing at all is heard of the peer
    double connect_ms = -1;  ///< from both descriptions being exchanged to connected; -1: not yet
    std::uint64_t restarts = 0;  ///< ICE restarts that came up
    std::uint64_t losses = 0;    ///< times it was lost
};

/// What RingCentral was asked about a call, and what came of it.
struct RingCentralCommand {
    enum class State : std::uint8_t { Pending, Done, Failed };
    std::uint64_t number = 0;  ///< rises by one with each of a call
    std::string command;       ///< "to-voicemail" ...
    State state = State::Pending;
    std::string detail;      ///< their words, or why it failed; escaped
    std::int64_t at_ns = 0;  ///< CLOCK_REALTIME
};
[[nodiscard]] std::string_view name_of(RingCentralCommand::State state) noexcept;

/// One call as the outside sees it. Strings from the network are escaped already.
struct CallInfo {
    CallId id;
    CallState state = CallState::Incoming;
    CallDirection direction = CallDirection::Inbound;
    std::string sip_call_id, from, to, peer, user_agent;
    std::string account;                           ///< empty: a listener
    std::string transport;                         ///< "udp", "tcp", "tls", "ws", "wss"
    CallFacts facts;                               ///< what its INVITE said beside that
    std::string route, ai, pipeline, fill, codec;  ///< empty until chosen
    std::int64_t created_ns = 0, answered_ns = 0, ended_ns = 0;  ///< CLOCK_REALTIME; 0: not yet
    double answer_ms = -1;                                       ///< INVITE to 200
    LegKind leg = LegKind::Phone;
    AiInfo bot;                                ///< of `ai`
    WebInfo web;                               ///< of a web leg
    int worker = -1;                           ///< media worker of its kind of leg, -1: none
    std::string srtp;                          ///< suite of the media, empty: plain RTP
    bool srtp_key_exchange_protected = false;  ///< the keys came over TLS
    bool is_oneway = false;  ///< no RTP came from the caller for 3 s while it should
    bool is_held_by_us = false, is_held_by_peer = false;
    bool is_sound_expected = true;  ///< RTP of the caller is due
    std::string channel;            ///< its leg has a place in; empty: none
    MemberId member;                ///< that it is there; of a supervised call: empty
    std::optional<TransferInfo> transfer;
    std::vector<RingCentralCommand> ringcentral_commands;  ///< the last 16
    RecordingState recording = RecordingState::Off;
    std::string recording_detail;  ///< why it failed, or ended before its time
    std::optional<CallEnd> end;
    LegStats stats;
    Quality quality;  ///< sampled once a second from the start of the media on
};

/// The calls of this process, for the API and the metrics. Control thread only.
class CallDirectory {
public:
    virtual ~CallDirectory() = default;
    /// Live calls, oldest first; with `ended`, also the last 1,000 ended ones.
    [[nodiscard]] virtual std::vector<CallInfo> calls(bool ended) const = 0;
    [[nodiscard]] virtual std::optional<CallInfo> find(const CallId& id) const = 0;
    /// Hangs up; Conflict when it is already ending, NotFound when it is not ours.
    virtual base::Result<void> hangup(const CallId& id, const std::string& who) = 0;
    /// Sends RFC 4733 digits (0-9 * # A-D, at most 64), one after another.
    virtual base::Result<void> send_dtmf(const CallId& id, const std::string& digits) = 0;

    struct Totals {
        std::uint64_t started = 0, answered = 0, active = 0,
                      alive = 0;  ///< alive: sent RTP within 60 ms, or held
        std::vector<std::pair<EndReason, std::uint64_t>> ended;
    };
    [[nodiscard]] virtual Totals totals() const = 0;
};

/// One entry of `/health`'s checks.
struct HealthCheck {
    enum class Status { Off, Ok, Degraded, Failed };
    Status status = Status::Off;
    std::string detail;  ///< a sentence a person can act on
    std::vector<std::pair<std::string, std::variant<std::int64_t, double, std::string>>> figures;
};
using HealthProbe = std::function<HealthCheck()>;

}  // namespace offhook::model
