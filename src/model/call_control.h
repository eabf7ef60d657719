#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/call_id.h"
#include "model/recording.h"

namespace offhook::model {

/// A call that somebody wants us to place. Strings are as they came: bounded by the body, not
/// checked.
struct PlaceOrder {
    std::string account;
    std::string to;     ///< "+4930123456", or a SIP URI
    std::string ai;     ///< empty: the route's
    std::string route;  ///< what the call is made of; empty: the account's, else the first one
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<int> ring_timeout_s;
    std::string idempotency_key;  ///< the same key means the same call; empty: none
    std::string who;              ///< for the log: "api 127.0.0.1:50123"
};

struct Placed {
    CallId id;
    bool is_repeat = false;  ///< the key was used before: this is the call of then
};

/// Why an order to place a call, or to send a message, is not followed. Nothing was sent.
struct OrderRefusal {
    enum class Why : std::uint8_t {
        BadField,     ///< `field` cannot work
        NotAllowed,   ///< the account allows no calls out, or not to this destination
        TooMany,      ///< more than `outbound_per_minute`; try again after `retry_after`
        KeyReused,    ///< the idempotency key belongs to another order
        Unavailable,  ///< draining, at a limit, or the account has no flow
    };
    Why why = Why::BadField;
    std::string field;   ///< the member of the order that is to blame: "to", "headers[2]"
    std::string detail;  ///< a sentence that says what to do
    std::chrono::seconds retry_after{0};
};

/// Where to send the peer of a call: exactly one of the two.
struct TransferOrder {
    std::string target;  ///< blind: a SIP URI, or a user part that gets the account's domain
    CallId call;         ///< attended: our other call, whose far end the peer takes over
};

/// Something to ask of RingCentral about a call. Strings are as they came.
struct RingCentralOrder {
    /// While it rings: "to-voicemail", "reject", "forward", "reply"; later: "start-recording",
    /// "stop-recording", "park", "flip".
    std::string command;
    std::string to;      ///< of "forward": a number
    std::string text;    ///< of "reply"
    std::string target;  ///< of "flip": which of the user's phones
    std::string who;     ///< for the log
};

/// A text to send, in a call or outside.
struct MessageOrder {
    CallId call;  ///< empty: outside, then `account` and `to` say where
    std::string account;
    std::string to;
    std::string content_type = "text/plain";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// One text, sent or received. Strings from the network are escaped already.
struct MessageRecord {
    std::uint64_t number = 0;  ///< rises by one with each
    bool is_inbound = false;
    CallId call;  ///< empty: outside of any
    std::string account, from, to, content_type;
    std::string body;  ///< the first 2 KiB
    std::size_t body_bytes = 0;
    int status = 0;          ///< final status of one we sent; 0: none yet
    std::int64_t at_ns = 0;  ///< CLOCK_REALTIME
};

/// What may be done with calls beside looking at them. @see CallDirectory
/// @thread control
class CallControl {
public:
    virtual ~CallControl() = default;

    /// Starts a call; its story is in the CallDirectory from here on.
    virtual tl::expected<Placed, OrderRefusal> place(PlaceOrder order) = 0;
    /// Asks the peer to send nothing; it hears the filler. @errors NotFound; Conflict: not
    /// answered, ending, held already, or another offer is under way
    virtual base::Result<void> hold(const CallId& id) = 0;
    /// @errors as `hold`
    virtual base::Result<void> resume(const CallId& id) = 0;
    /// Sends the peer elsewhere by REFER; our call ends when it has arrived. @errors NotFound (also
    /// of `order.call`), InvalidArgument, Conflict
    virtual base::Result<void> transfer(const CallId& id, TransferOrder order) = 0;
    /// What becomes of it is in CallInfo::ringcentral_commands. A call that rings is not answered
    /// meanwhile, and is when it does not work.
    /// @errors NotFound; InvalidArgument: the command, or what it needs; Conflict: no call of a
    /// WebPhone, not at this time, not allowed by RingCentral, another one is under way
    virtual base::Result<void> ringcentral(const CallId& id, RingCentralOrder order) = 0;
    /// Makes the call, its AI included, a channel of its own that supervisors may join, if it is
    /// none yet. @return the channel's name. @errors NotFound; Conflict: not answered, ending
    virtual base::Result<std::string> supervise(const CallId& /*id*/) {
        return base::fail(base::ErrorCode::Unsupported, "calls cannot be supervised here");
    }
    /// @errors NotFound; Conflict: not answered, ending, or its recording is in no state for that;
    /// Unavailable: there is no folder for it
    virtual base::Result<void> record(const CallId& /*id*/, RecordingVerb /*verb*/) {
        return base::fail(base::ErrorCode::Unsupported, "calls cannot be recorded here");
    }
    /// @return its number
    virtual tl::expected<std::uint64_t, OrderRefusal> send_message(MessageOrder order) = 0;
    /// The last 200, oldest first; of one call unless `call` is empty.
    [[nodiscard]] virtual std::vector<MessageRecord> messages(const CallId& call) const = 0;
};

}  // namespace offhook::model
