#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "glib/timer.h"
#include "model/call_id.h"
#include "model/sdp_offer.h"
#include "model/signalling.h"
#include "signalling/ringcentral/rc_control.h"
#include "signalling/sip/dialog.h"
#include "signalling/sip/request_sender.h"
#include "signalling/sip/session_timer.h"

namespace offhook::signalling::sip {

/// One call: its dialog, and what INVITE does in it (RFC 3261 §13, §14). Plain data; the parts of
/// the user agent move it, each what it owns. @thread sip
///
///     Incoming --answer--> Answered --ACK--> Confirmed --BYE/hangup--> (gone, or Terminating until
///     our BYE is done)
///         \--reject, CANCEL--> gone
///     Placing --2xx, our ACK--> Confirmed
///         \--refused, CANCEL and its 487--> gone
struct SipCall {
    enum class State {
        Incoming,  ///< the first INVITE waits for its final answer
        Placing,   ///< our first INVITE has no final response; the dialog has no remote tag yet
        Answered,  ///< our 200 waits for its ACK
        Confirmed,
        Terminating,  ///< reported as ended; our BYE waits for the ACK before it, or for its own
                      ///< answer
    };

    model::CallId id;
    State state = State::Incoming;
    bool is_placed = false;    ///< by us: the Call-ID is ours (RFC 3261 §14.1)
    bool is_reported = false;  ///< `on_ended` is posted
    Dialog dialog;

    /// The dialog is confirmed: anything but BYE may be sent in it, also before the ACK to our 200
    /// (RFC 3261 §12.1, §15).
    [[nodiscard]] bool is_up() const {
        return state == State::Answered || state == State::Confirmed;
    }

    // what the peer says it can
    bool allows_update = false;

    /// An offer of theirs that waits for `answer` or `reject`.
    struct Pending {
        std::string transaction = {};
        std::uint32_t cseq = 0;                       ///< the ACK to our 200 repeats it
        std::string target = {};                      ///< the remote target once we answer 2xx
        std::optional<model::RemoteSdp> remote = {};  ///< empty: our answer carries the offer
        std::uint32_t exchange = 0;   ///< names it to the call room; the first INVITE is 0
        SessionAnswer session = {};   ///< goes into the 2xx
        bool is_update = false;       ///< UPDATE: its 200 gets no ACK
        bool wants_reliable = false;  ///< `Require: 100rel`: our 180 is reliable
    };
    std::optional<Pending> pending;
    std::uint32_t exchanges = 0;  ///< how many were told by `on_reoffer`

    /// Our last 200 to an INVITE; its bytes live until the ACK.
    struct Answer {
        std::string transaction;
        std::string bytes;
        Path path;
        std::uint32_t cseq = 0;
        bool awaits_ack = false;
        bool carries_offer = false;  ///< the ACK brings the answer
        std::int64_t deadline_ns = 0;
        std::chrono::milliseconds repeat_in{0};
        glib::Timer repeater;
    };
    Answer answer;

    /// Our reliable 180 (RFC 3262), repeated until its PRACK.
    struct Ringing {
        std::uint32_t rseq = 0;  ///< 0: none
        bool is_acknowledged = false;
        std::uint32_t cseq = 0;
        std::string bytes;
        Path path;
        std::int64_t deadline_ns = 0;
        std::chrono::milliseconds repeat_in{0};
        glib::Timer repeater;
    };
    Ringing ringing;

    /// One branch of the INVITE we placed that answered provisionally.
    struct Fork {
        Dialog dialog;
        std::uint32_t rseq = 0;                 ///< of the last reliable provisional response
        std::optional<model::RemoteSdp> early;  ///< the newest description it sent
    };
    /// Our first INVITE while it has no final response.
    struct Placing {
        std::shared_ptr<SentRequest> invite;
        bool is_provisional = false;        ///< a response came: CANCEL may be sent
        bool is_given_up = false;           ///< CANCEL is sent, or is to be sent as soon as it may
        std::string cancel_reason;          ///< Reason of the BYE, should a 2xx cross the CANCEL
        std::map<std::string, Fork> forks;  ///< by To tag, <= 16
        bool raised_interval = false;       ///< 422 was met once
        model::OutgoingCall order;          ///< to write the INVITE again after a 422
        glib::Timer timer;                  ///< the ring timeout, then the end of waiting
    };
    std::unique_ptr<Placing> placing;

    /// A re-INVITE or UPDATE of ours under way.
    struct Change {
        std::shared_ptr<SentRequest> request;
        std::string sdp;  ///< our offer; empty: none
        bool is_update = false;
        bool is_reoffer = false;   ///< the call room asked; else a refresh
        bool is_given_up = false;  ///< CANCEL is sent
    };
    std::optional<Change> change;
    std::optional<std::string> wanted;  ///< text of the offer that the call room wants sent
    bool wants_refresh = false;         ///< of session or target
    int glares = 0;                     ///< 491s in a row
    glib::Timer change_timer;  ///< end of waiting for the change; with none, the wait after a 491

    /// Our newest ACK to a 2xx, for when that is repeated.
    struct Ack {
        std::uint32_t cseq = 0;
        std::string bytes;
        Path path;
    };
    Ack ack;

    /// RFC 4028; no interval: no session timer.
    struct Session {
        SessionTerms terms;
        std::int64_t lapses_ns = 0;
        std::uint32_t min_se_s = 0;  ///< the largest Min-SE that the peer asked for
        glib::Timer timer;
    };
    Session session;

    /// A REFER of theirs and the subscription it made.
    struct TransferIn {
        bool is_pending = false;     ///< waits for accept or refuse
        bool is_subscribed = false;  ///< NOTIFY is wanted
        std::uint32_t cseq = 0;      ///< of the REFER: the id of its event
        model::CallId placed;        ///< whose progress is reported
    };
    TransferIn transfer_in;
    /// A REFER of ours.
    struct TransferOut {
        bool is_active = false;
        glib::Timer timer;  ///< nobody reports for ever
    };
    TransferOut transfer_out;

    /// RingCentral's call control, of a call whose INVITE brought some.
    struct Control {
        ringcentral::ControlMessage incoming;   ///< its P-rc
        bool is_begun = false;                  ///< our confirmation was sent
        bool is_waiting = false;                ///< it was not answered yet
        std::optional<model::LocalSdp> answer;  ///< of our 200, which comes after that
        glib::Timer timer;
    };
    std::unique_ptr<Control> control;

    std::string digits;  ///< still to be sent by INFO, the first one is on its way
    bool is_sending_digit = false;

    // session descriptions
    std::string local_sdp;                   ///< the text that is in force on our side
    std::optional<model::RemoteSdp> remote;  ///< what is in force on theirs

    model::CallId replaces;    ///< the call this one takes the place of once it is answered
    std::string bye_reason;    ///< Reason header of a BYE that waits for the ACK, or is owed
    bool is_bye_owed = false;  ///< our BYE was not heard; once more on another flow
};

}  // namespace offhook::signalling::sip
