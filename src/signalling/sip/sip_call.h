#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "glib/timer.h"
#include "model/call_id.h"
#include "model/sdp_offer.h"
#include "signalling/sip/dialog.h"

namespace offhook::signalling::sip {

/// One call: its dialog, and what INVITE does in it (RFC 3261 §13, §14). Plain data; the parts of
/// the user agent move it, each what it owns. @thread sip
///
///     Incoming --answer--> Answered --ACK--> Confirmed --BYE/hangup--> (gone, or Terminating until
///     our BYE is done)
///         \--reject, CANCEL--> gone
struct SipCall {
    enum class State {
        Incoming,  ///< the first INVITE waits for its final answer
        Answered,  ///< our 200 waits for its ACK
        Confirmed,
        Terminating,  ///< reported as ended; our BYE waits for the ACK before it, or for its own
                      ///< answer
    };

    model::CallId id;
    State state = State::Incoming;
    bool is_reported = false;  ///< `on_ended` is posted
    Dialog dialog;

    /// An offer of theirs that waits for `answer` or `reject`.
    struct Pending {
        std::string transaction;
        std::uint32_t cseq = 0;                  ///< the ACK to our 200 repeats it
        std::string target;                      ///< the remote target once we answer 2xx
        std::optional<model::RemoteSdp> remote;  ///< empty: our answer carries the offer
        std::uint32_t exchange = 0;  ///< names it to the call room; the first INVITE is 0
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

    // session descriptions
    std::string local_sdp;                   ///< the text we sent last
    std::optional<model::RemoteSdp> remote;  ///< what they sent last

    std::string bye_reason;  ///< Reason header of a BYE that waits for the ACK
};

}  // namespace offhook::signalling::sip
