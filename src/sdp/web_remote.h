#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/cidr.h"
#include "model/sdp_offer.h"

namespace offhook::sdp {

/// The largest session description we read.
inline constexpr std::size_t kMaxBytes = 32 * 1024;

/// a=fingerprint (RFC 8122 §5): the hash of the certificate that the peer will show in DTLS.
struct Fingerprint {
    enum class Hash : std::uint8_t { Sha1, Sha224, Sha256, Sha384, Sha512 };
    Hash hash = Hash::Sha256;
    std::vector<std::uint8_t> bytes;  ///< as long as the hash is
    bool operator==(const Fingerprint&) const = default;
};

/// "sha-256 AB:CD:...", as a=fingerprint has it.
[[nodiscard]] std::string text_of(const Fingerprint& fingerprint);

/// a=setup (RFC 4145 §4), as its writer wrote it.
enum class Setup : std::uint8_t { ActPass, Active, Passive };

/// Which remote candidates we send STUN to. A description must not make us knock at doors that its
/// writer could not reach by itself.
struct CandidateRules {
    std::size_t max_candidates = 32;  ///< kept of one peer, trickled ones included
    std::size_t max_mdns = 2;         ///< "*.local" names looked up of one peer
    std::uint16_t min_port = 1024;    ///< lower ones are left out
    bool allow_loopback = true;
    std::vector<config::Cidr> deny{};  ///< left out beside what no peer can be: multicast,
                                       ///< unspecified, broadcast, link-local with cloud metadata
};

/// A description of a web peer (a browser, a WebPhone, a SIP phone with ICE and DTLS-SRTP), read
/// and put straight: what stood at session level is here as if it stood at the line, what was
/// missing is filled in. Only the one audio line that is used.
struct WebRemote {
    model::RemoteSdp sdp;  ///< origin and all lines; `sdp.audio` is the line that is used
    std::string ice_ufrag, ice_pwd;
    bool is_ice_lite = false;
    std::vector<Fingerprint> fingerprints;  ///< >= 1; any of them has to match
    /// Empty: not written. By RFC 4145 §4 the offerer is then active and the answerer passive.
    std::optional<Setup> setup = Setup::ActPass;
    std::vector<std::string> candidates;  ///< "candidate:..." of component 1 that the rules let by
    std::size_t left_out = 0;  ///< candidates that they did not, of another component, TCP, broken
    bool is_end_of_candidates = false;
    std::optional<std::string> mid;   ///< as written
    std::vector<std::string> bundle;  ///< mids of the BUNDLE group with our line; empty: no group
    std::vector<std::optional<std::string>> line_mids;  ///< of every one of `sdp.lines`
    bool has_msid = false;  ///< names its streams, and so is a WebRTC peer
    /// It has to begin DTLS where it left that open. read_web says so of linphone up to 5.1
    /// (mbedTLS), which takes no ClientHello in pieces, and ours comes so, as GStreamer 1.22 never
    /// tells OpenSSL the MTU; WebLeg says so of a peer that restarts ICE.
    bool must_begin_dtls = false;

    /// Whether `later` wants another ICE session (RFC 8445 §9): other credentials.
    [[nodiscard]] bool restarts(const WebRemote& later) const {
        return ice_ufrag != later.ice_ufrag || ice_pwd != later.ice_pwd;
    }
};

/// Our end of a web leg, as its transport knows it once candidates are gathered.
struct WebLocal {
    std::string ice_ufrag, ice_pwd;
    std::string fingerprint;  ///< "sha-256 AB:CD:..."
    Setup setup = Setup::Active;
    std::vector<std::string> candidates;  ///< "candidate:..." values, component 1
};

/// Whether a description can only be meant for a web leg: an audio line with DTLS-SRTP (a
/// fingerprint, and no a=crypto that would do) that is not rejected. False as well for what does not
/// parse.
[[nodiscard]] bool is_web(std::string_view text);

/// parse and normalise. Bounded: <= kMaxBytes, 16 lines, 64 formats, 256 attributes a line (those
/// that matter).
/// @errors Malformed: not SDP, or over a bound; Unsupported ("488"): no audio line that a web leg
/// can use (no ICE, no fingerprint, no rtcp-mux, rejected ...), with a sentence that says what lacks
[[nodiscard]] base::Result<WebRemote> read_web(std::string_view text, const CandidateRules& rules);

/// One trickled "candidate:..." or "a=candidate:..." value; empty: left out by the rules.
/// @param known  how many of this peer were kept before; a name gets by only while that is below
/// `max_mdns` (browsers gather their own addresses first)
[[nodiscard]] std::optional<std::string> read_candidate(std::string_view value,
                                                        const CandidateRules& rules,
                                                        std::size_t known);

/// What webrtcbin is given of a remote description: one m-line with mid "0", the one codec under the
/// remote's number, media-level ICE, setup and fingerprint, sendrecv, the candidates. No fmtp: its
/// stereo and sprop-stereo would be compared with our caps.
///
/// webrtcbin carries packets and never looks into them, so that every codec of a web leg can be told
/// as it is, "OPUS/16000" too. GStreamer 1.22 reads the encoding name in upper case: caps of
/// ours that say "opus" get a silent recvonly, "OPUS" gets sendrecv. `encoding-params` is not needed.
/// @param is_offer  whether the remote made the offer
[[nodiscard]] std::string reduced_for_webrtcbin(const WebRemote& remote,
                                                const model::ChosenAudio& chosen,
                                                bool is_offer);

/// Reads what webrtcbin answered or offered; to its candidates come those of `candidates`, gathered
/// meanwhile. Kept are those of component 1 over UDP that a peer can have (no link-local).
/// @errors Unsupported: it is not sendrecv with `payload_type`, i.e. would not do what was agreed
[[nodiscard]] base::Result<WebLocal> read_local(std::string_view webrtcbin_text,
                                                std::uint8_t payload_type,
                                                const std::vector<std::string>& candidates);

/// What stays the same in all descriptions of ours in one call.
struct WebIdentity {
    std::string session_id;     ///< o=, decimal
    std::uint64_t version = 1;  ///< o=, rises with each description
    std::uint32_t ssrc = 0;
    std::string cname;
};

/// complete: the answer as the peer gets it. Every line of the offer in place, all but one with
/// port 0; the offered protocol; mid and BUNDLE only when offered (msid likewise); rtcp-mux, default
/// address and port of the best candidate, all candidates, end-of-candidates, codec and
/// telephone-event, ptime.
/// @param direction  ours; never more than the offer allows (RFC 3264 §6.1)
[[nodiscard]] std::string write_answer(const WebRemote& offer,
                                       const model::ChosenAudio& chosen,
                                       const WebLocal& local,
                                       model::Direction direction,
                                       const WebIdentity& identity);

/// An offer of ours: `formats` (model::offer_formats, or answer_formats once agreed), actpass.
/// @param in_force  what the peer wrote last, in an offer that is not the first of its call: lines,
/// mids and protocol stay as they are (RFC 3264 §8), those beside the audio line with port 0
[[nodiscard]] std::string write_offer(const std::vector<model::SdpFormat>& formats,
                                      const WebLocal& local,
                                      model::Direction direction,
                                      const WebIdentity& identity,
                                      const WebRemote* in_force = nullptr);

}  // namespace offhook::sdp
