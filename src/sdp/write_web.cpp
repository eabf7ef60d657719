#include <string>
#include <tuple>
#include <utility>

#include "sdp/detail/candidate.h"
#include "sdp/detail/formats.h"
#include "sdp/detail/setup.h"
#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace {

using model::Direction;

constexpr std::string_view kProtocol = "UDP/TLS/RTP/SAVPF";
constexpr std::string_view kStream = "offhook";

/// Where our default candidate is (RFC 8839 §4.2.1.2): peers with ICE look whether it is among the
/// candidates, boxes between us take it for our address. IPv4 when there is any: what does not do
/// ICE (or does it on one family, as media relays do) is likelier to reach that.
struct DefaultAddress {
    std::string connection = "IN IP4 0.0.0.0";
    std::uint16_t port = 9;  // discard, as long as nothing is gathered (RFC 8840 §4.1.1)
};

DefaultAddress default_of(const WebLocal& local) {
    std::optional<detail::Candidate> best;
    const auto rank = [](const detail::Candidate& candidate) {
        return std::tuple(!candidate.is_loopback, !candidate.is_ipv6, candidate.priority);
    };
    for (const std::string& value : local.candidates) {
        auto candidate = detail::parse_candidate(value);
        if (!candidate || candidate->is_mdns || (best && rank(*candidate) <= rank(*best))) continue;
        best = std::move(candidate);
    }
    if (!best) return {};
    return {(best->is_ipv6 ? "IN IP6 " : "IN IP4 ") + best->address, best->port};
}

/// What one audio line of ours says.
struct AudioLine {
    std::string_view protocol = kProtocol;
    const std::vector<model::SdpFormat>& formats;
    const WebLocal& local;
    Setup setup;
    Direction direction;
    const WebIdentity& identity;
    bool is_offer = false;
    bool names_streams = true;
    const std::optional<std::string>& mid;
};

std::string head(const DefaultAddress& address,
                 const WebIdentity& identity,
                 const std::optional<std::string>& bundled_mid,
                 bool names_streams) {
    std::string text = "v=0\r\no=offhook " + identity.session_id + ' ' +
                       std::to_string(identity.version) + ' ' + address.connection +
                       "\r\ns=offhook\r\nc=" + address.connection + "\r\nt=0 0\r\n";
    if (bundled_mid) text += "a=group:BUNDLE " + *bundled_mid + "\r\n";
    if (names_streams) text += "a=msid-semantic: WMS " + std::string(kStream) + "\r\n";
    return text;
}

std::string audio(const AudioLine& line, const DefaultAddress& address) {
    std::string text = "m=audio " + std::to_string(address.port) + ' ' + std::string(line.protocol);
    for (const model::SdpFormat& format : line.formats)
        text += ' ' + std::to_string(format.payload_type);
    text += "\r\n";
    if (line.mid) text += "a=mid:" + *line.mid + "\r\n";
    text += "a=" + std::string(model::name_of(line.direction)) + "\r\na=rtcp-mux\r\n";
    if (line.is_offer) text += "a=rtcp-mux-only\r\n";  // RFC 8858: nothing else will do
    text += detail::write_formats(line.formats) + "a=ptime:" + std::to_string(model::kPtimeMs) +
            "\r\na=ice-ufrag:" + line.local.ice_ufrag + "\r\na=ice-pwd:" + line.local.ice_pwd +
            "\r\na=fingerprint:" + line.local.fingerprint +
            "\r\na=setup:" + std::string(detail::name_of(line.setup)) + "\r\n";
    if (line.names_streams) text += "a=msid:" + std::string(kStream) + " audio\r\n";
    text +=
        "a=ssrc:" + std::to_string(line.identity.ssrc) + " cname:" + line.identity.cname + "\r\n";
    for (const std::string& candidate : line.local.candidates) text += "a=" + candidate + "\r\n";
    text += "a=end-of-candidates\r\n";
    return text;
}

/// A line that is not for us, in its place (RFC 3264 §6).
std::string rejected(const model::SdpMediaLine& line, const std::optional<std::string>& mid) {
    std::string text =
        "m=" + line.media + " 0 " + line.protocol + ' ' + line.formats + "\r\na=inactive\r\n";
    if (mid) text += "a=mid:" + *mid + "\r\n";
    return text;
}

/// `audio_text` among the lines of what the peer wrote.
std::string among_lines(const WebRemote& remote, const std::string& audio_text) {
    std::string text;
    for (std::size_t at = 0; at < remote.sdp.lines.size(); ++at) {
        text += remote.sdp.lines[at].is_chosen
                    ? audio_text
                    : rejected(remote.sdp.lines[at], remote.line_mids[at]);
    }
    return text;
}

const std::string& protocol_of(const WebRemote& remote) {
    return remote.sdp.lines[remote.sdp.audio.line].protocol;
}

Direction allowed(Direction ours, Direction offered) {
    const bool may_send = model::sends(ours) && model::receives(offered);
    const bool may_receive = model::receives(ours) && model::sends(offered);
    if (may_send) return may_receive ? Direction::SendRecv : Direction::SendOnly;
    return may_receive ? Direction::RecvOnly : Direction::Inactive;
}

std::optional<std::string> bundled_mid(const WebRemote& remote) {
    return remote.bundle.empty() ? std::nullopt : remote.mid;
}

}  // namespace

std::string write_answer(const WebRemote& offer,
                         const model::ChosenAudio& chosen,
                         const WebLocal& local,
                         Direction direction,
                         const WebIdentity& identity) {
    const DefaultAddress address = default_of(local);
    const auto formats = model::answer_formats(chosen);
    const std::string line = audio({.protocol = protocol_of(offer),
                                    .formats = formats,
                                    .local = local,
                                    .setup = local.setup,
                                    .direction = allowed(direction, offer.sdp.audio.direction),
                                    .identity = identity,
                                    .is_offer = false,
                                    .names_streams = offer.has_msid,
                                    .mid = offer.mid},
                                   address);
    return head(address, identity, bundled_mid(offer), offer.has_msid) + among_lines(offer, line);
}

std::string write_offer(const std::vector<model::SdpFormat>& formats,
                        const WebLocal& local,
                        Direction direction,
                        const WebIdentity& identity,
                        const WebRemote* in_force) {
    const DefaultAddress address = default_of(local);
    const std::optional<std::string> mid =
        in_force ? in_force->mid : std::optional<std::string>("0");
    const bool names_streams = in_force == nullptr || in_force->has_msid;
    const std::string line =
        audio({.protocol = in_force ? std::string_view(protocol_of(*in_force)) : kProtocol,
               .formats = formats,
               .local = local,
               .setup = Setup::ActPass,
               .direction = direction,
               .identity = identity,
               .is_offer = true,
               .names_streams = names_streams,
               .mid = mid},
              address);
    if (in_force == nullptr) return head(address, identity, mid, names_streams) + line;
    return head(address, identity, bundled_mid(*in_force), names_streams) +
           among_lines(*in_force, line);
}

}  // namespace offhook::sdp
