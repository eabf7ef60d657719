#include "signalling/sip/dialog.h"

#include <algorithm>

#include "signalling/sip/sip_error.h"

namespace offhook::signalling::sip {
namespace {

/// Routes and Record-Routes and Contacts of libosip2 share one type and one printer.
std::string text_of(const osip_from_t* header) {
    char* raw = nullptr;
    if (header == nullptr || osip_from_to_str(header, &raw) != 0) return {};
    return OsipString(raw).get();
}

/// The URI inside "<sip:...>;params" or "sip:...".
std::string uri_in(const std::string& name_addr) {
    const auto open = name_addr.find('<');
    if (open == std::string::npos) return name_addr.substr(0, name_addr.find(';'));
    const auto close = name_addr.find('>', open);
    return name_addr.substr(open + 1, close == std::string::npos ? close : close - open - 1);
}

bool is_loose(const std::string& uri) {
    osip_uri_t* raw = nullptr;
    if (osip_uri_init(&raw) != 0) return true;
    const glib::Unique<osip_uri_t, osip_uri_free> parsed(raw);
    if (osip_uri_parse(raw, uri.c_str()) != 0) return true;
    osip_uri_param_t* lr = nullptr;
    osip_uri_param_get_byname(&raw->url_params, const_cast<char*>("lr"), &lr);
    return lr != nullptr;
}

bool same_audio(const model::RemoteAudio& a, const model::RemoteAudio& b) {
    const auto same_format = [](const model::SdpFormat& x, const model::SdpFormat& y) {
        return x.payload_type == y.payload_type && x.clock_hz == y.clock_hz &&
               x.channels == y.channels && x.encoding == y.encoding && x.fmtp == y.fmtp;
    };
    return a.address == b.address && a.rtp_port == b.rtp_port && a.rtcp_port == b.rtcp_port &&
           a.rtcp_mux == b.rtcp_mux && a.direction == b.direction && a.ptime_ms == b.ptime_ms &&
           std::equal(
               a.formats.begin(), a.formats.end(), b.formats.begin(), b.formats.end(), same_format);
}

bool same_line(const model::SdpMediaLine& a, const model::SdpMediaLine& b) {
    return a.media == b.media && a.protocol == b.protocol && a.formats == b.formats &&
           a.is_chosen == b.is_chosen;
}

}  // namespace

std::string contact_of(const osip_message_t& message) {
    const auto* contact = static_cast<const osip_contact_t*>(osip_list_get(&message.contacts, 0));
    return contact == nullptr || contact->url == nullptr ? std::string()
                                                         : sip::text_of(contact->url);
}

bool is_refresh(const model::RemoteSdp& offer, const model::RemoteSdp& last) {
    return offer.origin_session_id == last.origin_session_id &&
           offer.origin_version == last.origin_version && same_audio(offer.audio, last.audio) &&
           std::equal(offer.lines.begin(),
                      offer.lines.end(),
                      last.lines.begin(),
                      last.lines.end(),
                      same_line);
}

base::Result<Dialog> Dialog::from_invite(const osip_message_t& invite,
                                         const RequestKeys& keys,
                                         const Path& path,
                                         const std::string& contact) {
    Dialog dialog;
    dialog.remote_target = contact_of(invite);
    if (dialog.remote_target.empty())
        return base::fail(base::ErrorCode::Malformed, "INVITE without Contact");
    dialog.id = model::CallId::make();
    dialog.call_id = keys.call_id;
    dialog.local_tag = random_token();
    dialog.remote_tag = keys.from_tag;
    dialog.local_party = text_of(invite.to) + ";tag=" + dialog.local_tag;
    dialog.remote_party = text_of(invite.from);
    dialog.contact = contact;
    dialog.remote_cseq = keys.cseq;
    dialog.path = path;
    dialog.merge_key = keys.merge;
    dialog.pending_transaction = keys.transaction;
    dialog.pending_cseq = keys.cseq;
    for (int i = 0; i < osip_list_size(&invite.record_routes); ++i) {
        dialog.route_set.push_back(
            uri_in(text_of(static_cast<osip_from_t*>(osip_list_get(&invite.record_routes, i)))));
    }
    return dialog;
}

base::Result<UniqueMessage> Dialog::make_bye(Transport transport,
                                             const std::string& via_host_port,
                                             const std::string& user_agent,
                                             const std::string& reason) {
    std::string request_uri = remote_target;
    std::vector<std::string> routes = route_set;
    if (!routes.empty() && !is_loose(routes.front())) {
        request_uri = routes.front();
        routes.erase(routes.begin());
        routes.push_back(remote_target);
    }
    std::string text = "BYE " + request_uri + " SIP/2.0\r\nVia: SIP/2.0/" +
                       std::string(via_name_of(transport)) + ' ' + via_host_port +
                       ";branch=z9hG4bK" + random_token() + ";rport\r\nMax-Forwards: 70\r\n";
    for (const std::string& route : routes) text += "Route: <" + route + ">\r\n";
    text += "From: " + local_party + "\r\nTo: " + remote_party + "\r\nCall-ID: " + call_id +
            "\r\nCSeq: " + std::to_string(++local_cseq) + " BYE\r\nUser-Agent: " + user_agent +
            "\r\n";
    if (!reason.empty()) text += "Reason: " + single_line(reason) + "\r\n";
    text += "Content-Length: 0\r\n\r\n";
    osip_message_t* raw = nullptr;
    if (osip_message_init(&raw) != 0) throw std::bad_alloc();
    UniqueMessage message(raw);
    if (const int code = osip_message_parse(raw, text.data(), text.size()); code != 0) {
        return osip_failure(code, "cannot write a BYE for this dialog");
    }
    return message;
}

}  // namespace offhook::signalling::sip
