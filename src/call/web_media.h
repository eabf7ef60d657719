#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "call/call.h"
#include "call/refusal.h"
#include "config/config.h"
#include "media/media_bus.h"
#include "media/reaper.h"
#include "media/web_leg.h"
#include "media/worker_pool.h"
#include "model/call_end.h"

namespace offhook::call {

/// The sound of a call over ICE and DTLS-SRTP: its WebLeg. Descriptions of ours take the time of
/// gathering and come by `on_local`.
///
///     accept -> on_local (answer) ... on_connected
///     offer  -> on_local (offer) -> take_answer ... on_connected
///
/// @thread control
class WebMedia {
public:
    using MakeTransport = decltype(media::WebLeg::Parts::make_transport);
    /// Come while the call lives, never from inside a method here.
    struct Events {
        std::function<void(const model::CallId&, model::LocalSdp)> on_local;
        std::function<void(const model::CallId&)> on_connected;
        std::function<void(const model::CallId&, model::CallEnd)> on_failed;
        std::function<void(const model::CallId&, bool is_lost)> on_lost;
        std::function<void(const model::CallId&)> on_restarted;
    };
    /// Borrowed; they outlive this.
    struct Parts {
        const config::Config* config = nullptr;
        media::WorkerPool* workers = nullptr;          ///< null: no web legs
        const media::WebSettings* settings = nullptr;  ///< with `workers`
        MakeTransport make_transport{};                ///< null: real ones
        media::Reaper* reaper = nullptr;
        media::MediaBus* bus = nullptr;
        base::Executor* control = nullptr;
        GMainContext* context = nullptr;
        Events events;
    };
    explicit WebMedia(Parts parts) : parts_(std::move(parts)) {}

    /// The peer's first offer. 400 when it cannot be read, 488 when there is nothing to agree on.
    [[nodiscard]] std::optional<Refusal> accept(Call& call, const model::RemoteSdp& offer);
    /// Our first offer.
    [[nodiscard]] std::optional<Refusal> offer(Call& call);
    /// The answer to it. 488 when there is nothing that was offered.
    [[nodiscard]] std::optional<Refusal> take_answer(Call& call, const model::RemoteSdp& answer);

    // Later ones. @errors Malformed, Unsupported; all stays as it was
    [[nodiscard]] base::Result<void> accept_again(Call& call, const model::RemoteSdp& offer);
    [[nodiscard]] base::Result<void> reoffer(Call& call);
    /// The answer to it, or what was in force before an offer of the peer that was taken back.
    [[nodiscard]] base::Result<void> renegotiate(Call& call, const model::RemoteSdp& remote);

    [[nodiscard]] static bool is_connected(Call& call) { return leg_of(call).is_connected(); }
    static void add_candidates(Call& call, const std::vector<std::string>& candidates);

private:
    [[nodiscard]] std::optional<Refusal> create(Call& call);
    [[nodiscard]] media::WebLeg::Events events_for(const model::CallId& id) const;
    static void note_agreed(Call& call);
    [[nodiscard]] static media::WebLeg& leg_of(Call& call);

    Parts parts_;
};

}  // namespace offhook::call
