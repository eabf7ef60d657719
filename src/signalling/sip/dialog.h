#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "signalling/sip/flow.h"
#include "signalling/sip/message.h"

namespace offhook::signalling::sip {

/// A dialog (RFC 3261 §12) as either side: who, where to, by which routes, and the two counters.
/// What is done in it (a call, a subscription) is somebody else's. @thread sip
struct Dialog {
    std::string call_id;
    std::string local_tag;
    std::string remote_tag;
    std::string local_party;    ///< name-addr with our tag, for From of our requests
    std::string remote_party;   ///< name-addr with their tag, for To of our requests
    std::string remote_target;  ///< the URI of the newest Contact
    std::vector<std::string> route_set;
    std::string contact;  ///< ours, with angle brackets
    std::uint32_t remote_cseq = 0;
    /// Of our newest request. Shared with requests on their way, which count on after a challenge.
    std::shared_ptr<std::uint32_t> local_cseq = std::make_shared<std::uint32_t>(0);
    Path path;            ///< where the newest target refresh came from
    std::string account;  ///< whose flow it lives on; empty: a listener's

    /// As the called side, from a request without To tag whose headers were checked by `keys_of`.
    /// Malformed: no usable Contact.
    [[nodiscard]] static base::Result<Dialog> from_request(const osip_message_t& request,
                                                           const RequestKeys& keys,
                                                           const Path& path,
                                                           const std::string& contact);
    /// As the calling side: what the response with a To tag (101-299) makes of what was sent.
    /// `sent` has call_id, local_tag, local_party, contact, local_cseq, path and account.
    /// Malformed: no To tag, or no usable Contact in a 2xx.
    [[nodiscard]] static base::Result<Dialog> from_response(const Dialog& sent,
                                                            const osip_message_t& response);

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

    struct Content {
        Headers headers = {};
        std::string content_type = {}, body = {};
    };
    /// A request of ours with the route set (RFC 3261 §12.2.1.1, also through a strict router) and
    /// the next CSeq. Those that refresh the target (INVITE, UPDATE) and REFER, SUBSCRIBE, NOTIFY
    /// carry our Contact.
    /// @param via  "SIP/2.0/UDP host:port"
    [[nodiscard]] base::Result<UniqueMessage> make_request(std::string_view method,
                                                           const std::string& via,
                                                           const Content& content);
    /// The ACK to a 2xx of our INVITE with that CSeq (RFC 3261 §13.2.2.4).
    [[nodiscard]] base::Result<UniqueMessage> make_ack(std::uint32_t cseq,
                                                       const std::string& via,
                                                       const Content& content) const;

private:
    [[nodiscard]] base::Result<UniqueMessage> make(std::string_view method,
                                                   std::uint32_t cseq,
                                                   const std::string& via,
                                                   const Content& content) const;
};

/// The URI in the first Contact, or empty.
[[nodiscard]] std::string contact_of(const osip_message_t& message);

}  // namespace offhook::signalling::sip
