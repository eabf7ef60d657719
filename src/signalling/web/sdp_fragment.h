#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/sdp_offer.h"

namespace offhook::signalling::web {

// What signalling over HTTP has to see of descriptions that it otherwise only carries: which way the
// sound goes, and the ICE part that a WHIP client changes by itself.

/// a=ice-ufrag, a=ice-pwd.
struct IceCredentials {
    std::string ufrag, pwd;
    bool operator==(const IceCredentials&) const = default;
};

/// A body of application/trickle-ice-sdpfrag (RFC 8840 §9).
struct SdpFragment {
    IceCredentials ice;                   ///< empty when it names none
    std::vector<std::string> candidates;  ///< "candidate:..." values, <= kMaxFragmentCandidates
    bool is_end = false;                  ///< a=end-of-candidates
};

inline constexpr std::size_t kMaxFragmentCandidates = 64;

/// @errors Malformed: a line that is none of SDP, credentials that ICE does not allow (RFC 8839
/// §5.4), more candidates than we read
[[nodiscard]] base::Result<SdpFragment> read_fragment(std::string_view text);

/// The direction of the audio line that is used, from its writer's side.
[[nodiscard]] model::Direction direction_of(std::string_view description);

/// Of that line or, missing there, of the session. Empty strings when there are none.
[[nodiscard]] IceCredentials ice_of(std::string_view description);

/// The description as its writer would have it after an ICE restart: the credentials and candidates
/// of `fragment`, all else as it was.
[[nodiscard]] std::string with_ice_of(std::string_view description, const SdpFragment& fragment);

/// What changed in a description of ours by an ICE restart: credentials, candidates, and the
/// certificate's fingerprint with its setup, because our restart is a new DTLS association too.
[[nodiscard]] std::string fragment_of(std::string_view description);

}  // namespace offhook::signalling::web
