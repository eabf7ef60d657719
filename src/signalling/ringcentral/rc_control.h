#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace offhook::signalling::ringcentral {

// Call control of RingCentral's WebPhones: a small XML element, in the header P-rc of an INVITE and
// in the body of MESSAGE (type x-rc/agent):
//
//     <Msg><Hdr SID=".." Req=".." From=".." To=".." Cmd="6"/><Bdy Phn=".." Nm=".."/></Msg>

/// Cmd of a message. 1 to 9 come from the server, the others go to it.
enum class Command : std::uint8_t {
    ChangeMessage = 1,
    ServerFreeResources = 2,
    NewMsg = 3,
    ReLogin = 4,
    ChangePhones = 5,
    IncomingCall = 6,  ///< the one in P-rc
    AlreadyProcessed = 7,
    ClientMinimize = 8,
    SessionClose = 9,
    ClientForward = 10,
    ClientVoicemail = 11,
    ClientReject = 12,
    ClientStartReply = 13,
    ClientReply = 14,
    ClientNotProcessed = 15,
    ClientClosed = 16,
    ClientReceiveConfirm = 17,  ///< "it rings here"; without it the server heeds none of the others
};
/// "incoming-call", ...; "unknown" for any other number.
[[nodiscard]] std::string_view name_of(Command command) noexcept;

/// The largest element that is read.
inline constexpr std::size_t kMaxControlBytes = 2048;
inline constexpr std::string_view kControlType = "x-rc/agent";

/// One such element, its values decoded. Not escaped.
struct ControlMessage {
    using Attributes = std::vector<std::pair<std::string, std::string>>;
    std::string session;  ///< SID
    std::string request;  ///< Req
    std::string from, to;
    Command command = Command::IncomingCall;
    Attributes body;  ///< of Bdy, in order

    /// The value of an attribute of Bdy; empty when there is none.
    [[nodiscard]] std::string_view of_body(std::string_view name) const;
};

/// Reads exactly this element: two levels, attributes in quotes, the five entities of XML and
/// character references. Comments, declarations, CDATA, text between elements, doubled attributes,
/// control characters and anything over the bounds (kMaxControlBytes, 32 attributes an element,
/// names of 32 bytes) are refused.
/// @errors Malformed
/// @thread any
[[nodiscard]] base::Result<ControlMessage> read_control(std::string_view text);

/// The element on one line. @thread any
[[nodiscard]] std::string write_control(const ControlMessage& message);

/// What we send about the call that `incoming` announced: its values, From and To swapped, and a
/// body that begins with our `client` (the authorization id of our registration).
[[nodiscard]] ControlMessage reply_to(const ControlMessage& incoming,
                                      Command command,
                                      const std::string& client,
                                      const ControlMessage::Attributes& more = {});

/// "a=b;c=d=e" as in p-rc-api-ids and p-rc-api-call-info: the value of `name`, which may have '=';
/// empty when there is none.
[[nodiscard]] std::string_view value_in(std::string_view header, std::string_view name);

}  // namespace offhook::signalling::ringcentral
