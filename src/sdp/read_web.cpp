#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>

#include "model/sdp_crypto.h"
#include "sdp/detail/candidate_filter.h"
#include "sdp/detail/description.h"
#include "sdp/detail/fingerprint.h"
#include "sdp/detail/formats.h"
#include "sdp/detail/ice_credentials.h"
#include "sdp/detail/setup.h"
#include "sdp/detail/text.h"
#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace {

using base::ErrorCode;
using detail::Description;
using detail::same;
using detail::Section;

/// What the media engine of linphone calls every session.
constexpr std::string_view kMediastreamer = "Talk";
constexpr std::size_t kMaxFingerprints = 8;
constexpr std::size_t kMaxString = 256;
constexpr std::size_t kMaxMid = 64;
constexpr std::size_t kMaxBundle = 16;

bool is_protected(const Section& section) {
    return same(section.protocol, "RTP/SAVP") || same(section.protocol, "RTP/SAVPF") ||
           same(section.protocol, "UDP/TLS/RTP/SAVP") ||
           same(section.protocol, "UDP/TLS/RTP/SAVPF");
}

bool is_audio(const Section& section) {
    return same(section.media, "audio");
}

/// Where the attributes of one line's transport stand: at the line, else at the session.
class Places {
public:
    Places(const Section& line, const Section& session) : places_{&line, &session} {}

    [[nodiscard]] std::optional<std::string_view> value(std::string_view name) const {
        for (const Section* place : places_) {
            if (const auto value = place->value(name)) return value;
        }
        return std::nullopt;
    }
    [[nodiscard]] bool has(std::string_view name) const { return value(name).has_value(); }
    /// All of that name of the first place that has one.
    [[nodiscard]] std::vector<std::string_view> values(std::string_view name) const {
        for (const Section* place : places_) {
            if (auto values = place->values(name); !values.empty()) return values;
        }
        return {};
    }
    [[nodiscard]] std::string_view connection() const {
        return places_.front()->connection.empty() ? places_.back()->connection
                                                   : places_.front()->connection;
    }

private:
    std::array<const Section*, 2> places_;
};

/// The mids of a line's BUNDLE group (RFC 9143); empty: it is in none.
std::vector<std::string_view> bundle_of(const Description& description, const Section& line) {
    const auto mid = line.value("mid");
    if (!mid) return {};
    for (std::string_view group : description.session.values("group")) {
        if (!same(detail::take(group), "BUNDLE")) continue;
        std::vector<std::string_view> mids;
        while (!group.empty() && mids.size() < kMaxBundle) mids.push_back(detail::take(group));
        if (std::find(mids.begin(), mids.end(), *mid) != mids.end()) return mids;
    }
    return {};
}

/// Whether a line has no transport of its own but that of the first of its BUNDLE group, another
/// line ("max-bundle"). As we reject all others, it would have none: Chromium then refuses the
/// answer.
bool borrows_transport(const Description& description, const Section& line) {
    const auto mids = bundle_of(description, line);
    if (mids.empty() || line.value("mid") == mids.front()) return false;
    if (line.port == 0) return true;  // a=bundle-only
    return std::any_of(
        description.media.begin(), description.media.end(), [&](const Section& owner) {
            return owner.value("mid") == mids.front() && owner.port != 0 &&
                   ((owner.has("candidate") && !line.has("candidate")) ||
                    (owner.has("ice-ufrag") && !line.has("ice-ufrag")));
        });
}

/// Why a web leg cannot use an audio line; empty: it can.
std::string what_lacks(const Description& description, const Section& line) {
    const Places places(line, description.session);
    if (borrows_transport(description, line))
        return "the audio line shares the transport of another line, which is not taken; put audio "
               "first, or bundle less (bundlePolicy \"balanced\")";
    if (line.port == 0) return "the audio line is rejected (port 0)";
    if (!is_protected(line)) return "the audio line is not protected (RTP/SAVP or RTP/SAVPF)";
    if (!places.has("ice-ufrag") || !places.has("ice-pwd"))
        return "no ICE (a=ice-ufrag and a=ice-pwd); switch ICE on";
    if (!places.has("fingerprint")) return "no a=fingerprint; switch DTLS-SRTP on";
    if (!places.has("rtcp-mux") && !places.has("rtcp-mux-only"))
        return "no a=rtcp-mux; switch RTCP multiplexing on";
    return {};
}

/// "IN IP4 192.0.2.1/127" as a numeric address; empty when it is none.
std::string address_in(std::string_view connection) {
    (void)detail::take(connection);
    (void)detail::take(connection);
    const std::string_view word = detail::take(connection);
    const std::string address(word.substr(0, word.find('/')));
    std::array<std::uint8_t, 16> bytes{};
    const bool is_numeric = inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
                            inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
    return is_numeric ? address : std::string();
}

model::RemoteAudio read_audio(const Section& line, const Section& session, std::size_t index) {
    model::RemoteAudio audio;
    audio.rtp_port = line.port;
    audio.rtcp_port = line.port;
    audio.rtcp_mux = true;
    // c=0.0.0.0 is no hold here: it is how one writes that no candidate is gathered yet.
    audio.direction = detail::read_direction(line).value_or(
        detail::read_direction(session).value_or(model::Direction::SendRecv));
    audio.formats = detail::read_formats(line);
    if (const auto ptime = line.value("ptime"))
        audio.ptime_ms = detail::number_in<int>(*ptime, 1, 1000);
    audio.is_savp = true;
    audio.line = index;
    return audio;
}

/// The formats of a line that is rejected: one would do, and so the rest may be cut.
std::string bounded_formats(std::string_view formats) {
    std::string text;
    while (!formats.empty()) {
        const std::string_view word = detail::take(formats);
        if (text.size() + word.size() + 1 > kMaxString) break;
        if (!text.empty()) text += ' ';
        text += word;
    }
    return text;
}

base::Result<void> read_lines(const Description& description,
                              const Section& chosen,
                              WebRemote& remote) {
    remote.sdp.origin_session_id = description.session_id.substr(0, kMaxString);
    // Some write letters, or more digits than 64 bits hold: what matters is whether it changed.
    remote.sdp.origin_version = detail::number_in<std::uint64_t>(description.version, 0, UINT64_MAX)
                                    .value_or(std::hash<std::string_view>{}(description.version));
    for (const Section& section : description.media) {
        remote.sdp.lines.push_back({std::string(section.media),
                                    std::string(section.protocol),
                                    bounded_formats(section.formats),
                                    &section == &chosen});
        const auto mid = section.value("mid");
        if (mid && !detail::is_word(*mid, kMaxMid))
            return base::fail(ErrorCode::Malformed, "a=mid is not one word of at most 64 bytes");
        remote.line_mids.push_back(mid ? std::optional<std::string>(*mid) : std::nullopt);
    }
    return {};
}

base::Result<void> read_transport(const Places& places, WebRemote& remote) {
    const auto unsupported = [](std::string why) {
        return base::fail(ErrorCode::Unsupported, std::move(why));
    };
    remote.ice_ufrag = places.value("ice-ufrag").value_or("");
    remote.ice_pwd = places.value("ice-pwd").value_or("");
    if (!detail::are_credentials(remote.ice_ufrag, remote.ice_pwd))
        return base::fail(ErrorCode::Malformed,
                          "a=ice-ufrag (4 to 256) or a=ice-pwd (22 to 256 characters) is broken");
    for (const std::string_view value : places.values("fingerprint")) {
        auto fingerprint = detail::parse_fingerprint(value);
        if (fingerprint && remote.fingerprints.size() < kMaxFingerprints)
            remote.fingerprints.push_back(std::move(*fingerprint));
    }
    if (remote.fingerprints.empty())
        return unsupported("no a=fingerprint that can be read; sha-1 to sha-512 are");
    if (const auto setup = places.value("setup")) {
        remote.setup = detail::parse_setup(*setup);
        if (!remote.setup) return unsupported("a=setup is neither actpass nor active nor passive");
    }
    return {};
}

void read_candidates(const Description& description,
                     const Places& places,
                     const CandidateRules& rules,
                     WebRemote& remote) {
    detail::CandidateFilter filter(rules);
    for (const std::string_view value : places.values("candidate")) {
        if (const auto candidate = filter.let_by(value)) {
            remote.candidates.push_back(candidate->text());
        } else {
            ++remote.left_out;
        }
    }
    remote.is_ice_lite = description.session.has("ice-lite");
    remote.is_end_of_candidates = places.has("end-of-candidates");
}

/// Whether a line's keys would do for SRTP without DTLS (RFC 4568).
bool has_usable_crypto(const Section& section) {
    if (section.protocol.starts_with("UDP/TLS")) return false;
    const auto values = section.values("crypto");
    return std::any_of(values.begin(), values.end(), [](std::string_view value) {
        return model::parse_crypto(value).has_value();
    });
}

}  // namespace

bool is_web(std::string_view text) {
    const auto description = detail::parse(text);
    if (!description) return false;
    return std::any_of(
        description->media.begin(), description->media.end(), [&](const Section& section) {
            return is_audio(section) && section.port != 0 && is_protected(section) &&
                   !has_usable_crypto(section) &&
                   Places(section, description->session).has("fingerprint");
        });
}

base::Result<WebRemote> read_web(std::string_view text, const CandidateRules& rules) {
    const auto description = detail::parse(text);
    if (!description) return tl::unexpected(description.error());
    const Section* chosen = nullptr;
    std::string lacking = "no audio line";
    for (const Section& section : description->media) {
        if (!is_audio(section)) continue;
        std::string lacks = what_lacks(*description, section);
        if (lacks.empty()) {
            chosen = &section;
            break;
        }
        // The first one that was meant to be used tells most.
        if (lacking == "no audio line" || section.port != 0) lacking = std::move(lacks);
    }
    if (chosen == nullptr)
        return base::fail(ErrorCode::Unsupported, "not for a web leg: " + lacking);

    WebRemote remote;
    const Places places(*chosen, description->session);
    if (auto read = read_lines(*description, *chosen, remote); !read)
        return tl::unexpected(read.error());
    if (auto read = read_transport(places, remote); !read) return tl::unexpected(read.error());
    read_candidates(*description, places, rules, remote);
    const auto index = static_cast<std::size_t>(chosen - description->media.data());
    remote.sdp.audio = read_audio(*chosen, description->session, index);
    remote.sdp.audio.address = address_in(places.connection());
    remote.sdp.audio_lines = {remote.sdp.audio};
    remote.mid = remote.line_mids[index];
    for (const std::string_view mid : bundle_of(*description, *chosen))
        remote.bundle.emplace_back(mid);
    remote.must_begin_dtls = description->name == kMediastreamer;
    remote.has_msid = chosen->has("msid") || description->session.has("msid-semantic");
    return remote;
}

}  // namespace offhook::sdp
