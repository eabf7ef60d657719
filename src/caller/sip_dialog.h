#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "caller/endpoint.h"
#include "caller/sdp_text.h"
#include "caller/sip_message.h"
#include "caller/sip_uri.h"
#include "model/sdp_offer.h"
#include "model/srtp_agreement.h"

namespace offhook::caller {

/// Where a dialog's messages go. Implemented over a socket, or by a test.
class SipOut {
public:
    virtual ~SipOut() = default;
    /// Sends one whole message. Over TCP `to` does not matter: there is one connection.
    virtual void send(const std::string& text, const Endpoint& to) = 0;
};

/// A response to `request` with its Via, Record-Route, From, To, Call-ID and CSeq.
/// @param extra_headers whole lines with their CRLF
[[nodiscard]] std::string write_response(const SipMessage& request,
                                         int status,
                                         std::string_view reason,
                                         std::string_view extra_headers,
                                         std::string_view body);

/// What all calls of a run have in common.
struct DialogSettings {
    SipUri target;
    Endpoint next_hop;  ///< where the first request goes
    Endpoint local;     ///< the SIP socket's own address, for Via and Contact
    bool is_tcp = false;
    std::string from_user = "offhook";
    model::Codec codec = model::Codec::Pcmu;
    std::vector<model::SrtpSuite> srtp;               ///< to offer, best first; empty: plain RTP
    std::int64_t answer_timeout_ns = 32'000'000'000;  ///< from INVITE to a final answer
};

/// How a call came to its end.
enum class Ending {
    None,         ///< it has not ended
    WeHungUp,     ///< our BYE, as planned
    PeerHungUp,   ///< their BYE
    Refused,      ///< a final answer of 300-699
    NoResponse,   ///< nothing at all came back
    RangOut,      ///< provisional answers only
    Unreachable,  ///< ICMP or the TCP connection said no
    BadAnswer,    ///< a 200 that we cannot talk to
    Cancelled,    ///< the run was stopped before the answer
};

/// One call's signalling as a caller (RFC 3261 UAC): INVITE with offer, its retransmissions, ACK,
/// BYE both ways, CANCEL, and polite answers to what a peer may ask in a dialog. Knows no socket
/// and no clock: both are given.
///
///     Idle -invite-> Calling -1xx-> Ringing -2xx-> Answered -hang_up-> Leaving -> Ended
///                       '--------- hang_up: Cancelling ----'---- BYE from the peer ----^
/// @thread one
class SipDialog {
public:
    enum class State { Idle, Calling, Ringing, Cancelling, Answered, Leaving, Ended };

    /// @param settings outlives the dialog
    SipDialog(const DialogSettings& settings, Endpoint media, SipOut& out);

    void invite(std::int64_t now_ns);
    /// A message with this dialog's Call-ID. @param arrival_ns when the kernel had it
    void receive(const SipMessage& message,
                 const Endpoint& from,
                 std::int64_t arrival_ns,
                 std::int64_t now_ns);
    /// Ends the call: CANCEL while it rings, BYE once answered; nothing when it is over.
    void hang_up(std::int64_t now_ns);
    /// The way to `to` (unset: any) is broken: ends a call that had no answer, and gives up waiting
    /// for a BYE's.
    void transport_failed(const Endpoint& to, const std::string& why);
    /// Retransmissions and time-outs that are due; call every 20 ms or so.
    void tick(std::int64_t now_ns);

    [[nodiscard]] const std::string& call_id() const noexcept { return call_id_; }
    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] Ending ending() const noexcept { return ending_; }
    [[nodiscard]] int status() const noexcept { return status_; }  ///< final status; 0: none
    [[nodiscard]] const std::string& ending_text() const noexcept {
        return text_;
    }  ///< a sentence, escaped
    [[nodiscard]] std::int64_t invited_ns() const noexcept { return invited_ns_; }
    [[nodiscard]] std::int64_t answered_ns() const noexcept {
        return answered_ns_;
    }  ///< arrival of the 200; -1: none
    [[nodiscard]] std::int64_t peer_bye_ns() const noexcept {
        return peer_bye_ns_;
    }  ///< arrival of their BYE; -1: none
    [[nodiscard]] const model::RemoteAudio& remote_audio() const noexcept { return remote_; }
    [[nodiscard]] const std::optional<model::ChosenAudio>& chosen() const noexcept {
        return chosen_;
    }
    /// The keys in force; empty: plain RTP, or no answer yet.
    [[nodiscard]] const std::optional<model::SrtpAgreement>& srtp() const noexcept { return srtp_; }
    /// Rises whenever `remote_audio` or `srtp` changes.
    [[nodiscard]] int media_revision() const noexcept { return media_revision_; }
    [[nodiscard]] std::uint32_t invite_retransmissions() const noexcept {
        return invite_retransmissions_;
    }
    [[nodiscard]] bool is_over() const noexcept { return state_ == State::Ended; }

private:
    /// The far side of a dialog; a forked INVITE can have more than one.
    struct Remote {
        std::string to;  ///< To header with its tag
        std::string contact;
        std::vector<std::string> routes;
    };

    void on_response(const SipMessage& message, std::int64_t arrival_ns, std::int64_t now_ns);
    void on_invite_response(const SipMessage& message,
                            std::int64_t arrival_ns,
                            std::int64_t now_ns);
    void on_answer(const SipMessage& message, std::int64_t arrival_ns, std::int64_t now_ns);
    void on_refusal(const SipMessage& message);
    void on_request(const SipMessage& message, const Endpoint& from, std::int64_t arrival_ns);
    void on_reinvite(const SipMessage& message, const Endpoint& from);
    base::Result<void> take_remote_sdp(const std::string& body);
    [[nodiscard]] base::Result<std::optional<model::SrtpAgreement>> agree_on_srtp(
        const model::RemoteAudio& audio) const;

    [[nodiscard]] std::string request(std::string_view method,
                                      const std::string& uri,
                                      const std::string& to,
                                      const std::vector<std::string>& routes,
                                      std::uint32_t cseq,
                                      const std::string& branch,
                                      const std::string& body) const;
    void send_in_dialog(std::string_view method,
                        const Remote& remote,
                        std::uint32_t cseq,
                        std::string& kept);
    [[nodiscard]] Endpoint in_dialog_hop(const Remote& remote) const;
    void respond(const SipMessage& request,
                 const Endpoint& to,
                 int status,
                 std::string_view reason);
    [[nodiscard]] std::string contact() const;
    void send_bye(std::int64_t now_ns);
    void end(Ending ending, std::string text);
    [[nodiscard]] std::string new_branch();

    const DialogSettings& settings_;
    SipOut& out_;
    OwnSdp sdp_;
    std::string token_;  ///< random; part of everything that must be unique
    std::string call_id_;
    std::string local_tag_;
    std::uint32_t branches_ = 0;
    std::uint32_t cseq_ = 1;

    State state_ = State::Idle;
    Ending ending_ = Ending::None;
    int status_ = 0;
    std::string text_;
    std::int64_t invited_ns_ = -1, answered_ns_ = -1, peer_bye_ns_ = -1;
    std::uint32_t invite_retransmissions_ = 0;

    std::string invite_text_, invite_branch_;
    std::string ack_text_, bye_text_;
    Endpoint ack_hop_;
    Remote remote_end_;
    model::RemoteAudio remote_;
    std::optional<model::ChosenAudio> chosen_;
    std::optional<model::SrtpAgreement> srtp_;
    int media_revision_ = 0;

    std::string sending_;  ///< request being retransmitted
    Endpoint sending_hop_;
    std::int64_t retransmit_ns_ = -1, interval_ns_ = 0, deadline_ns_ = -1;
    bool cancel_wanted_ = false;
    bool cancel_is_ours_ = false;  ///< the answer took too long (as against: the run was stopped)
};

}  // namespace offhook::caller
