#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ai/ai_runtime.h"
#include "base/error.h"
#include "call/call.h"
#include "call/refusal.h"
#include "config/config.h"
#include "media/media_bus.h"
#include "media/port_range.h"
#include "media/reaper.h"
#include "media/worker_pool.h"

namespace offhook::call {

/// The sound of a call, from its ports to its end, without its story: what is offered, what is
/// answered, the leg between, and the AI that hears it.
///
///     reserve -> [offer] -> build -> [answer] -> start -> renegotiate ... -> stop
///
/// @thread control
class CallMedia {
public:
    /// Borrowed; they outlive this.
    struct Parts {
        const config::Config* config = nullptr;
        media::WorkerPool* workers = nullptr;
        media::Reaper* reaper = nullptr;
        ai::AiRuntime* ai = nullptr;
        media::MediaBus* bus = nullptr;
        /// Our address as the world outside sees it (STUN), numeric; empty: not known. Null: nobody
        /// asks.
        std::function<std::string()> learned_address{};
    };
    explicit CallMedia(Parts parts);

    /// An address and a port pair for the call, of the IP version that `offer` needs (null: we
    /// offer). Refused with 488 when we have no such address, with 503 when no port is left.
    [[nodiscard]] std::optional<Refusal> reserve(Call& call, const model::RemoteSdp* offer);
    /// Chooses a codec and a worker and builds the leg. 488 when there is nothing to agree on.
    [[nodiscard]] std::optional<Refusal> build(Call& call, const model::RemoteSdp& remote);
    /// Plays; the AI listens. @errors Internal: an element refused
    [[nodiscard]] base::Result<void> start(Call& call);
    /// What a later offer or answer changes: address, payload numbers, hold. Nothing changes when
    /// it cannot be used (false): the session stays as it was (RFC 3261 §14.2).
    [[nodiscard]] bool renegotiate(Call& call, const model::RemoteSdp& remote);
    /// While it is, what the AI says is lost and the peer hears the filler.
    static void mute(Call& call, bool is_muted);
    /// The AI leaves; the peer hears the filler.
    void dismiss_ai(Call& call);
    /// Gives everything back. Calls without a leg are fine.
    void stop(Call& call);

    /// All that we speak, to start a call with.
    [[nodiscard]] model::LocalSdp offer(Call& call) const;
    /// The answer to the newest offer of the peer; before a leg is built it is `offer`.
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
    void apply_remote(Call& call, const model::RemoteSdp& remote);

    Parts parts_;
    media::PortRange ports_;
};

}  // namespace offhook::call
