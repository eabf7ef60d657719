#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/sdp_crypto.h"
#include "model/sdp_offer.h"
#include "model/srtp.h"

namespace offhook::model {

/// What both ends protect one call's media with (RFC 4568): each chose the key of what it sends.
struct SrtpAgreement {
    SrtpSuite suite = SrtpSuite::AesCm128HmacSha1_80;
    std::uint32_t tag = 1;  ///< of the offer's line
    SrtpKey local;
    SrtpKey remote;

    /// Our side of it, as a description repeats it.
    [[nodiscard]] SdpCrypto local_crypto() const { return {tag, suite, local}; }
    [[nodiscard]] bool operator==(const SrtpAgreement&) const = default;
};

/// Decides on a remote offer: which of its audio lines is answered (`offer.audio` and `is_chosen`
/// follow), and under which keys. The first line with a=crypto we speak wins (RTP/SAVP, or RTP/AVP
/// with a=crypto: RFC 8643), of its suites the one we like best; else, if `policy` allows, the first
/// plain line.
/// @param current what is in force (re-INVITE): our own key stays as long as the suite does
/// @return empty: plain RTP
/// @errors Unsupported: nothing in the offer fits the policy; the sentence is for the log
[[nodiscard]] base::Result<std::optional<SrtpAgreement>> agree_on_offer(
    RemoteSdp& offer, SrtpPolicy policy, const std::optional<SrtpAgreement>& current);

/// Decides on the answer to an offer of ours that had `offered`.
/// @errors Unsupported: the answer broke the offer or the policy
[[nodiscard]] base::Result<std::optional<SrtpAgreement>> agree_on_answer(
    const RemoteAudio& answer, const std::vector<SdpCrypto>& offered, SrtpPolicy policy);

/// The a=crypto lines of an offer of ours, best first; none for Off. With a `current` agreement that
/// one alone, so that our stream goes on as it is.
/// @errors Io: no random bytes
[[nodiscard]] base::Result<std::vector<SdpCrypto>> crypto_to_offer(
    SrtpPolicy policy, const std::optional<SrtpAgreement>& current);

/// The profile of such an offer: RTP/SAVP when required; else RTP/AVP, which every peer understands
/// and may still answer with a=crypto (RFC 8643).
[[nodiscard]] std::string_view profile_to_offer(SrtpPolicy policy) noexcept;

}  // namespace offhook::model
