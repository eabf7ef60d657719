#include "signalling/sip/offers.h"

#include <algorithm>

#include "signalling/sip/sip_sdp.h"

namespace offhook::signalling::sip {
namespace {

bool same_audio(const model::RemoteAudio& a, const model::RemoteAudio& b) {
    const auto same_format = [](const model::SdpFormat& x, const model::SdpFormat& y) {
        return x.payload_type == y.payload_type && x.clock_hz == y.clock_hz &&
               x.channels == y.channels && x.encoding == y.encoding && x.fmtp == y.fmtp;
    };
    return a.address == b.address && a.rtp_port == b.rtp_port && a.rtcp_port == b.rtcp_port &&
           a.rtcp_mux == b.rtcp_mux && a.direction == b.direction && a.ptime_ms == b.ptime_ms &&
           a.crypto == b.crypto &&
           std::equal(
               a.formats.begin(), a.formats.end(), b.formats.begin(), b.formats.end(), same_format);
}

bool same_line(const model::SdpMediaLine& a, const model::SdpMediaLine& b) {
    return a.media == b.media && a.protocol == b.protocol && a.formats == b.formats &&
           a.is_chosen == b.is_chosen;
}

}  // namespace

bool is_refresh(const model::RemoteSdp& offer, const model::RemoteSdp& last) {
    return offer.origin_session_id == last.origin_session_id &&
           offer.origin_version == last.origin_version && offer.web_text == last.web_text &&
           same_audio(offer.audio, last.audio) &&
           std::equal(offer.lines.begin(),
                      offer.lines.end(),
                      last.lines.begin(),
                      last.lines.end(),
                      same_line);
}

bool read_offer(AgentCore& core, const Request& request, std::optional<model::RemoteSdp>& offer) {
    const osip_message_t& message = request.message;
    const std::string_view body = body_of(message);
    if (body.empty()) return true;
    const auto* encoding =
        static_cast<const osip_content_encoding_t*>(osip_list_get(&message.content_encodings, 0));
    if (encoding != nullptr && !same_text(bounded(encoding->value), "identity")) {
        core.respond(request, 415, {{"Accept-Encoding", "identity"}});
        return false;
    }
    if (!has_type(message, "application", "sdp")) {
        core.respond(request, 415, {{"Accept", std::string(kAcceptedType)}});
        return false;
    }
    auto parsed = parse_sdp(body);
    if (!parsed) {
        SipCounters::count(core.counters().malformed);
        core.respond(request, 400, {{"Warning", "399 offhook \"" + parsed.error().message + "\""}});
        return false;
    }
    if (!is_usable(*parsed)) {
        core.respond(
            request,
            488,
            {{"Warning",
              "304 offhook \"no audio line with RTP/AVP, or RTP/SAVP and an a=crypto that we "
              "speak, and a numeric address; nor with ICE and a=fingerprint\""}});
        return false;
    }
    offer = std::move(*parsed);
    return true;
}

}  // namespace offhook::signalling::sip
