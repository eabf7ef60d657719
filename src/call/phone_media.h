#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "call/call.h"
#include "call/refusal.h"
#include "config/config.h"
#include "media/media_bus.h"
#include "media/phone_leg.h"
#include "media/port_range.h"
#include "media/worker_pool.h"

namespace offhook::call {

/// The sound of a call over RTP or SRTP: its ports, its keys, its PhoneLeg. Every description is
/// there at once.
///
///     reserve -> [offer] -> build -> [answer] -> renegotiate ...
///
/// @thread control
class PhoneMedia {
public:
    /// Borrowed; they outlive this.
    struct Parts {
        const config::Config* config = nullptr;
        media::WorkerPool* workers = nullptr;
        media::MediaBus* bus = nullptr;
        /// Our address as the world outside sees it (STUN), numeric; empty: not known. Null: nobody
        /// asks.
        std::function<std::string()> learned_address{};
    };
    explicit PhoneMedia(Parts parts);

    /// An address and a port pair for the call, of the IP version that `offer` needs (null: we
    /// offer). Refused with 488 when we have no such address, with 503 when no port is left.
    [[nodiscard]] std::optional<Refusal> reserve(Call& call, const model::RemoteSdp* offer);
    /// Chooses a codec and a worker and builds the leg. 488 when there is nothing to agree on.
    [[nodiscard]] std::optional<Refusal> build(Call& call, const model::RemoteSdp& remote);
    /// What a later offer or answer changes: address, payload numbers, keys. Nothing changes when
    /// it cannot be used: the session stays as it was (RFC 3261 §14.2).
    /// @errors Unsupported, with the sentence
    [[nodiscard]] base::Result<void> renegotiate(Call& call, const model::RemoteSdp& remote);

    /// All that we speak, to start a call with.
    [[nodiscard]] model::LocalSdp offer(Call& call) const;
    /// The answer to the newest offer of the peer.
    [[nodiscard]] model::LocalSdp answer(Call& call) const;
    /// A later offer of ours, of what was agreed. Each description is one version newer.
    [[nodiscard]] model::LocalSdp reoffer(Call& call) const;

private:
    [[nodiscard]] model::LocalSdp local_sdp(Call& call,
                                            std::vector<model::SdpFormat> formats,
                                            model::Direction direction) const;
    [[nodiscard]] model::SrtpPolicy policy_of(const Call& call) const;
    [[nodiscard]] base::Result<std::optional<model::SrtpAgreement>> agree_on_srtp(
        const Call& call, model::RemoteSdp& remote) const;
    [[nodiscard]] base::Result<void> apply_srtp(Call& call,
                                                const std::optional<model::SrtpAgreement>& agreed);
    static void apply_remote(Call& call, const model::RemoteSdp& remote);
    /// That of a call whose `info.leg` says so.
    [[nodiscard]] static media::PhoneLeg& leg_of(Call& call);

    Parts parts_;
    media::PortRange ports_;
};

}  // namespace offhook::call
