#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "model/codec.h"
#include "sdp/detail/candidate.h"
#include "sdp/detail/description.h"
#include "sdp/detail/fingerprint.h"
#include "sdp/detail/formats.h"
#include "sdp/detail/ice_credentials.h"
#include "sdp/detail/setup.h"
#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace {

constexpr std::size_t kMaxLocalCandidates = 32;

std::string upper(std::string_view text) {
    std::string changed(text);
    std::transform(changed.begin(), changed.end(), changed.begin(), [](char c) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    return changed;
}

/// The role that webrtcbin is to believe of the remote: it takes the other one.
Setup setup_for(const WebRemote& remote, bool is_offer) {
    const Setup unwritten = is_offer ? Setup::Active : Setup::Passive;
    const Setup setup = remote.setup.value_or(unwritten);
    if (setup == Setup::ActPass && is_offer && remote.must_begin_dtls) return Setup::Active;
    // An answer decides (RFC 5763 §5); one that does not leaves the handshake to us.
    return setup == Setup::ActPass && !is_offer ? Setup::Passive : setup;
}

base::Result<WebLocal> unusable(std::string why) {
    return base::fail(base::ErrorCode::Unsupported, "webrtcbin's description is of no use: " + why);
}

void keep_candidate(std::string_view value, WebLocal& local) {
    const auto candidate = detail::parse_candidate(value);
    if (!candidate || local.candidates.size() >= kMaxLocalCandidates) return;
    std::string text = candidate->text();
    if (std::find(local.candidates.begin(), local.candidates.end(), text) == local.candidates.end())
        local.candidates.push_back(std::move(text));
}

}  // namespace

std::string reduced_for_webrtcbin(const WebRemote& remote,
                                  const model::ChosenAudio& chosen,
                                  bool is_offer) {
    const model::CodecFacts& facts = model::facts_of(chosen.codec);
    const std::string number = std::to_string(chosen.payload_type);
    std::string text = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";
    // Beside a lite agent webrtcbin has to be the controlling one (RFC 8445 §6.1.1).
    if (remote.is_ice_lite) text += "a=ice-lite\r\n";
    text += "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF " + number +
            "\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\na=sendrecv\r\na=rtpmap:" + number +
            ' ' + upper(facts.rtp_encoding) + '/' + std::to_string(facts.rtp_clock_hz);
    if (facts.rtp_channels > 1) text += '/' + std::to_string(facts.rtp_channels);
    text += "\r\na=setup:" + std::string(detail::name_of(setup_for(remote, is_offer))) +
            "\r\na=ice-ufrag:" + remote.ice_ufrag + "\r\na=ice-pwd:" + remote.ice_pwd + "\r\n";
    for (const Fingerprint& fingerprint : remote.fingerprints)
        text += "a=fingerprint:" + detail::text_of(fingerprint) + "\r\n";
    for (const std::string& candidate : remote.candidates) text += "a=" + candidate + "\r\n";
    return text;
}

base::Result<WebLocal> read_local(std::string_view webrtcbin_text,
                                  std::uint8_t payload_type,
                                  const std::vector<std::string>& candidates) {
    const auto description = detail::parse(webrtcbin_text);
    if (!description) return tl::unexpected(description.error());
    const detail::Section& line = description->media.front();
    if (description->media.size() != 1 || line.media != "audio" || line.port == 0)
        return unusable("it has not one audio line");
    const auto direction = detail::read_direction(line);
    if (direction != model::Direction::SendRecv)
        return unusable("it is " +
                        std::string(direction ? model::name_of(*direction) : "without direction") +
                        " instead of sendrecv; its caps and the description disagree");
    const auto formats = detail::read_formats(line);
    if (std::none_of(formats.begin(), formats.end(), [&](const model::SdpFormat& format) {
            return format.payload_type == payload_type;
        }))
        return unusable("payload type " + std::to_string(payload_type) + " is not in it");

    const auto place = [&](std::string_view name) {
        const auto value = line.value(name);
        return std::string(value ? *value : description->session.value(name).value_or(""));
    };
    WebLocal local;
    local.ice_ufrag = place("ice-ufrag");
    local.ice_pwd = place("ice-pwd");
    if (!detail::are_credentials(local.ice_ufrag, local.ice_pwd))
        return unusable("it has no ICE credentials");
    const auto fingerprint = detail::parse_fingerprint(place("fingerprint"));
    if (!fingerprint) return unusable("it has no fingerprint");
    local.fingerprint = detail::text_of(*fingerprint);
    const auto setup = detail::parse_setup(place("setup"));
    if (!setup) return unusable("it has no a=setup");
    local.setup = *setup;
    for (const std::string_view value : line.values("candidate")) keep_candidate(value, local);
    for (const std::string& value : candidates) keep_candidate(value, local);
    return local;
}

std::string text_of(const Fingerprint& fingerprint) {
    return detail::text_of(fingerprint);
}

}  // namespace offhook::sdp
