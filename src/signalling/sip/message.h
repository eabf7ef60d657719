#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "signalling/sip/flow.h"
#include "signalling/sip/osip.h"

namespace offhook::signalling::sip {

/// What we allow, accept and support: the same in every answer (RFC 3261 §11.2).
inline constexpr std::string_view kAllow =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, MESSAGE";
inline constexpr std::string_view kSupported = "100rel, timer, replaces, norefersub";
inline constexpr std::string_view kAcceptedType = "application/sdp";

/// The parts of a request that decide what it belongs to, read once. Tags may be empty (RFC 2543
/// peers).
struct RequestKeys {
    std::string method;
    std::string call_id;
    std::string from_tag;
    std::string to_tag;
    std::uint32_t cseq = 0;
    /// Of the server transaction (RFC 3261 §17.2.3): branch, sent-by, method; ACK counts as INVITE.
    std::string transaction;
    /// The same for the INVITE that a CANCEL means.
    std::string invite_transaction;
    /// Of a request that came by two ways (RFC 3261 §8.2.2.2).
    std::string merge;
};

/// Parses one message after checking the bounds that libosip2 does not have: its header lists cost
/// the square of their length. @return an event that owns the message
[[nodiscard]] base::Result<osip_event_t*> parse_message(std::string_view bytes);

/// Malformed when a header that everything rests on is missing (Via, From, To, Call-ID, CSeq).
[[nodiscard]] base::Result<RequestKeys> keys_of(const osip_message_t& request);

/// Writes `received` and `rport` into the top Via and returns where answers go (RFC 3261 §18.2, RFC
/// 3581 §4). `maddr` is not obeyed: it would let a peer aim our answers at others.
[[nodiscard]] Path answer_path(osip_message_t& request, const Received& received);

/// An answer to `request`: Via, From, To, Call-ID, CSeq copied; `to_tag` added unless it is empty
/// or there is one.
[[nodiscard]] UniqueMessage make_response(const osip_message_t& request,
                                          int status,
                                          std::string_view reason,
                                          const std::string& to_tag,
                                          const std::string& server);

/// The CANCEL of an INVITE of ours (RFC 3261 §9.1).
[[nodiscard]] UniqueMessage make_cancel(const osip_message_t& invite,
                                        const std::string& reason_header);

/// One header line: its name and its value.
using Header = std::pair<std::string, std::string>;
using Headers = std::vector<Header>;

/// A request of ours before it becomes a message.
struct RequestText {
    std::string method;
    std::string request_uri;
    std::string via;                  ///< "SIP/2.0/UDP 192.0.2.1:5060", without branch
    std::vector<std::string> routes;  ///< URIs
    std::string from, to;             ///< name-addr with tag
    std::string call_id;
    std::uint32_t cseq = 1;
    std::string contact;  ///< with brackets; empty: none
    Headers headers;
    std::string content_type, body;
};
/// Makes libosip2 write `uri` as it is in `text` ("sip:#1@host"), although '#' cannot stand there
/// by RFC 3261 and would be escaped.
void keep_verbatim(osip_uri_t& uri, const std::string& text);
/// The value of a header as it came, for headers that libosip2 parses and does not keep; empty when
/// there is none.
[[nodiscard]] std::string_view raw_header(std::string_view message, std::string_view name);
/// Written with a new branch, Max-Forwards and Content-Length; header values become single lines.
/// @errors  what makes it unparsable, such as a remote target that is no URI
[[nodiscard]] base::Result<UniqueMessage> make_request(const RequestText& text);
/// The same request again after a challenge: new branch, `cseq`, `credentials` added.
[[nodiscard]] UniqueMessage make_repeated(const osip_message_t& request,
                                          std::uint32_t cseq,
                                          const Headers& credentials);

/// The standard phrase of a status code.
[[nodiscard]] std::string_view phrase_of(int status);

void add_header(osip_message_t& message, const char* name, const std::string& value);
void set_body(osip_message_t& message, const std::string& content_type, const std::string& body);
/// Replaces the Content-Length by the length of the body; what `serialise` writes is complete after
/// it.
[[nodiscard]] std::string serialise(osip_message_t& message);

/// First value of a header libosip2 keeps in its generic list, without regard to case; empty when
/// absent.
[[nodiscard]] std::string_view header_of(const osip_message_t& message, const char* name);
/// All comma-separated values of such a header.
[[nodiscard]] std::vector<std::string> list_of(const osip_message_t& message, const char* name);
/// True when a list of option tags (Supported, Require) has `option`; knows the compact form of
/// Supported.
[[nodiscard]] bool has_option(const osip_message_t& message,
                              const char* header,
                              std::string_view option);
/// True when the Allow header names `method`.
[[nodiscard]] bool allows(const osip_message_t& message, std::string_view method);
/// The body, or empty.
[[nodiscard]] std::string_view body_of(const osip_message_t& message);
/// True when the Content-Type is `type`/`subtype`.
[[nodiscard]] bool has_type(const osip_message_t& message,
                            std::string_view type,
                            std::string_view subtype);

/// "type/subtype" of the Content-Type, without parameters; empty when there is none.
[[nodiscard]] std::string content_type_of(const osip_message_t& message);
/// False when an Accept header leaves no room for a session description (RFC 3261 §20.1); true
/// without one.
[[nodiscard]] bool accepts_sdp(const osip_message_t& message);

/// Of From or To (libosip2 gives both one type); empty when there is none.
[[nodiscard]] std::string tag_of(const osip_from_t* header);
/// A From, To, Contact, Route or Record-Route as text (libosip2 gives all one type).
[[nodiscard]] std::string text_of(const osip_from_t* header);
/// The URI inside "<sip:...>;params" or "sip:...".
[[nodiscard]] std::string uri_in(const std::string& name_addr);
[[nodiscard]] std::string text_of(const osip_uri_t* uri);
/// Parsed; null when it is no URI.
using UniqueUri = glib::Unique<osip_uri_t, osip_uri_free>;
[[nodiscard]] UniqueUri parse_uri(const std::string& text);
/// A URI's numeric host and its port (default 5060); empty when the host is a name or there is
/// none.
[[nodiscard]] std::optional<SocketAddress> address_of(const osip_uri_t& uri);
/// True when the URI asks for TCP (`;transport=tcp`).
[[nodiscard]] bool wants_tcp(const osip_uri_t& uri);

/// At most `max` bytes of a possibly absent C string.
[[nodiscard]] std::string bounded(const char* text, std::size_t max = 256);
[[nodiscard]] bool same_text(std::string_view a,
                             std::string_view b);  ///< ASCII, without regard to case
/// `text` cut to `max` bytes with control characters made spaces, so that it cannot end a header
/// line.
[[nodiscard]] std::string single_line(std::string_view text, std::size_t max = 256);

/// A random token of 16 hex digits for tags and branches (RFC 3261 §19.3). @thread any
[[nodiscard]] std::string random_token();

}  // namespace offhook::signalling::sip
