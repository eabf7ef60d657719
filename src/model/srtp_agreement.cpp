#include "model/srtp_agreement.h"

#include <algorithm>
#include <array>

namespace offhook::model {
namespace {

using base::ErrorCode;

/// The best of what they offer; of equals the first.
const SdpCrypto* best_of(const std::vector<SdpCrypto>& offered) {
    // kSrtpSuites and its enumerators are in our order.
    const auto best = std::min_element(
        offered.begin(), offered.end(), [](const SdpCrypto& a, const SdpCrypto& b) {
            return a.suite < b.suite;
        });
    return best == offered.end() ? nullptr : &*best;
}

const SdpCrypto* with_suite(const std::vector<SdpCrypto>& offered, SrtpSuite suite) {
    const auto found = std::find_if(
        offered.begin(), offered.end(), [&](const SdpCrypto& c) { return c.suite == suite; });
    return found == offered.end() ? nullptr : &*found;
}

void choose_line(RemoteSdp& offer, const RemoteAudio& audio) {
    for (std::size_t i = 0; i < offer.lines.size(); ++i) offer.lines[i].is_chosen = i == audio.line;
    offer.audio = audio;
}

}  // namespace

base::Result<std::optional<SrtpAgreement>> agree_on_offer(
    RemoteSdp& offer, SrtpPolicy policy, const std::optional<SrtpAgreement>& current) {
    const auto first_line = [&](auto&& fits) -> const RemoteAudio* {
        const auto found = std::find_if(offer.audio_lines.begin(), offer.audio_lines.end(), fits);
        return found == offer.audio_lines.end() ? nullptr : &*found;
    };
    const RemoteAudio* secure = first_line([](const RemoteAudio& a) { return !a.crypto.empty(); });
    if (secure && policy != SrtpPolicy::Off) {
        // A change of suite would begin our stream anew: only when theirs left us no choice.
        const SdpCrypto* chosen = current ? with_suite(secure->crypto, current->suite) : nullptr;
        const bool keeps_ours = chosen != nullptr;
        if (!chosen) chosen = best_of(secure->crypto);
        SrtpAgreement agreed{chosen->suite, chosen->tag, {}, chosen->key};
        if (keeps_ours) {
            agreed.local = current->local;
        } else {
            auto key = SrtpKey::random(chosen->suite);
            if (!key) return tl::unexpected(key.error());
            agreed.local = *key;
        }
        choose_line(offer, *secure);
        return agreed;
    }
    const RemoteAudio* plain = first_line([](const RemoteAudio& a) { return !a.is_savp; });
    if (plain && policy != SrtpPolicy::Require) {
        choose_line(offer, *plain);
        return std::nullopt;
    }
    return base::fail(ErrorCode::Unsupported,
                      policy == SrtpPolicy::Off
                          ? "only SRTP was offered, and [rtp] srtp is off"
                          : "no SRTP (a=crypto) that we speak was offered, and [rtp] srtp requires "
                            "it");
}

base::Result<std::optional<SrtpAgreement>> agree_on_answer(const RemoteAudio& answer,
                                                           const std::vector<SdpCrypto>& offered,
                                                           SrtpPolicy policy) {
    for (const SdpCrypto& theirs : answer.crypto) {
        const auto ours = std::find_if(offered.begin(), offered.end(), [&](const SdpCrypto& c) {
            return c.tag == theirs.tag && c.suite == theirs.suite;
        });
        if (ours != offered.end())
            return SrtpAgreement{ours->suite, ours->tag, ours->key, theirs.key};
    }
    if (answer.is_savp || policy == SrtpPolicy::Require) {
        return base::fail(ErrorCode::Unsupported,
                          "the answer took none of the a=crypto lines that we offered");
    }
    return std::nullopt;
}

base::Result<std::vector<SdpCrypto>> crypto_to_offer(SrtpPolicy policy,
                                                     const std::optional<SrtpAgreement>& current) {
    if (current) return std::vector<SdpCrypto>{current->local_crypto()};
    std::vector<SdpCrypto> offered;
    if (policy == SrtpPolicy::Off) return offered;
    constexpr std::array kOffered{
        SrtpSuite::AeadAes128Gcm, SrtpSuite::AesCm128HmacSha1_80, SrtpSuite::AesCm128HmacSha1_32};
    for (const SrtpSuite suite : kOffered) {
        auto key = SrtpKey::random(suite);
        if (!key) return tl::unexpected(key.error());
        offered.push_back({static_cast<std::uint32_t>(offered.size() + 1), suite, *key});
    }
    return offered;
}

std::string_view profile_to_offer(SrtpPolicy policy) noexcept {
    return policy == SrtpPolicy::Require ? "RTP/SAVP" : "RTP/AVP";
}

}  // namespace offhook::model
