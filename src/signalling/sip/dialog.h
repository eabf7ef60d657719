#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "glib/timer.h"
#include "model/call_id.h"
#include "model/sdp_offer.h"
#include "signalling/sip/flow.h"
#include "signalling/sip/message.h"

namespace offhook::signalling::sip {

/// One call's dialog as the called side (RFC 3261 §12), from the INVITE on. Plain data and what can
/// be computed from it; the user agent moves it. @thread sip
///
///     Incoming --answer--> Answered --ACK--> Confirmed --BYE/hangup--> (gone, or Terminating until
///     our BYE is done)
///         \--reject, CANCEL--> gone
struct Dialog {
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

    // identity
    std::string call_id;
    std::string local_tag;
    std::string remote_tag;
    std::string local_party;    ///< To of the INVITE, for our From
    std::string remote_party;   ///< From of the INVITE with its tag, for our To
    std::string remote_target;  ///< the URI of the newest Contact
    std::vector<std::string> route_set;
    std::string contact;  ///< ours, with angle brackets
    std::uint32_t remote_cseq = 0;
    std::uint32_t local_cseq = 0;
    Path path;              ///< where the newest INVITE came from
    std::string merge_key;  ///< of the first INVITE

    /// The INVITE that waits for `answer` or `reject`; empty when there is none.
    std::string pending_transaction;
    std::uint32_t pending_cseq = 0;  ///< its CSeq, which the ACK to our 200 repeats
    std::string pending_target;      ///< its Contact: the remote target once we answer 200

    /// The last 200 we sent to an INVITE; its bytes live until the ACK.
    std::string answered_transaction;
    std::string answer;
    Path answer_path;
    std::uint32_t answer_cseq = 0;
    bool awaits_ack = false;
    bool carries_offer = false;  ///< the ACK brings the answer
    std::int64_t ack_deadline_ns = 0;
    std::chrono::milliseconds repeat_in{0};
    glib::Timer repeater;

    // session descriptions
    std::string local_sdp;                   ///< the text we sent last
    std::optional<model::RemoteSdp> remote;  ///< what they sent last
    std::optional<model::RemoteSdp> pending_remote;

    std::string bye_reason;  ///< Reason header of a BYE that waits for the ACK

    /// From an INVITE without To tag whose headers were checked by `keys_of`. Malformed: no usable
    /// Contact.
    [[nodiscard]] static base::Result<Dialog> from_invite(const osip_message_t& invite,
                                                          const RequestKeys& keys,
                                                          const Path& path,
                                                          const std::string& contact);

    /// The key under which in-dialog requests find it.
    [[nodiscard]] std::string key() const { return key_of(call_id, local_tag, remote_tag); }
    [[nodiscard]] static std::string key_of(const std::string& call_id,
                                            const std::string& local_tag,
                                            const std::string& remote_tag) {
        return call_id + '\n' + local_tag + '\n' + remote_tag;
    }

    /// Where a request of ours goes first: the first route, else the remote target.
    [[nodiscard]] std::string next_hop() const {
        return route_set.empty() ? remote_target : route_set.front();
    }
    /// Our BYE, with the route set (RFC 3261 §12.2.1.1, also through a strict router) and the next
    /// CSeq.
    [[nodiscard]] base::Result<UniqueMessage> make_bye(Transport transport,
                                                       const std::string& via_host_port,
                                                       const std::string& user_agent,
                                                       const std::string& reason);
};

/// The URI in the first Contact, or empty.
[[nodiscard]] std::string contact_of(const osip_message_t& message);

/// True when an offer changes nothing (a session refresh): the origin and all that we use are the
/// same. A peer that puts us on hold without raising the version of o= is not taken for a refresh.
[[nodiscard]] bool is_refresh(const model::RemoteSdp& offer, const model::RemoteSdp& last);

}  // namespace offhook::signalling::sip
