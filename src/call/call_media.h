#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ai/ai_runtime.h"
#include "base/error.h"
#include "base/executor.h"
#include "call/bot_lookup.h"
#include "call/call.h"
#include "call/phone_media.h"
#include "call/refusal.h"
#include "call/web_media.h"
#include "config/config.h"
#include "media/media_bus.h"
#include "media/reaper.h"
#include "media/worker_pool.h"

namespace offhook::call {

/// The sound of a call from its first description to its end, without its story: what is offered,
/// what is answered, the leg between, and the AI that hears it. What differs between the kinds of
/// leg is in PhoneMedia and WebMedia.
///
///     accept -> on_local (our answer) ------> start -> accept_again, reoffer ... -> stop
///     offer  -> on_local -> take_answer ---'
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
        BotLookup bot{};  ///< null: bots without secrets, prompts and what routes say
        media::MediaBus* bus = nullptr;
        std::function<std::string()> learned_address{};  ///< @see PhoneMedia::Parts
        media::WorkerPool* web_workers = nullptr;        ///< null: no web legs
        const media::WebSettings* web_settings = nullptr;
        WebMedia::MakeTransport make_transport{};  ///< null: real ones
        base::Executor* control = nullptr;
        GMainContext* context = nullptr;
        /// `on_local`: a description of ours is made, our answer or offer to the newest `accept`,
        /// `offer`, `accept_again` or `reoffer`. On a phone leg it comes from inside them.
        WebMedia::Events events;
    };
    explicit CallMedia(Parts parts);

    /// The peer's first offer; the leg is built. Refused with 400, 488, 500 or 503.
    [[nodiscard]] std::optional<Refusal> accept(Call& call, const model::RemoteSdp& offer);
    /// Our first offer. Refused with 488, 500 or 503.
    [[nodiscard]] std::optional<Refusal> offer(Call& call);
    /// The answer to it. Refused with 400, 488 or 500.
    [[nodiscard]] std::optional<Refusal> take_answer(Call& call, const model::RemoteSdp& answer);

    // Later ones: hold, resume, a moved address, an ICE restart. Nothing changes when one cannot be
    // used: the session stays as it was (RFC 3261 §14.2).

    /// The peer offers anew. @errors Unsupported, Malformed, with the sentence
    [[nodiscard]] base::Result<void> accept_again(Call& call, const model::RemoteSdp& offer);
    /// We offer, of what was agreed.
    [[nodiscard]] base::Result<void> reoffer(Call& call);
    /// The answer to it, or what was in force before an offer that was taken back. No description
    /// of ours follows. @errors as `accept_again`
    [[nodiscard]] base::Result<void> renegotiate(Call& call, const model::RemoteSdp& remote);

    /// Trickled ones of a web leg.
    static void add_candidates(Call& call, const std::vector<std::string>& candidates) {
        WebMedia::add_candidates(call, candidates);
    }

    /// Plays; the AI, where it has one of its own, listens. @errors Internal: an element refused
    [[nodiscard]] base::Result<void> start(Call& call);
    /// While it is, what the AI says is lost and the peer hears the filler.
    static void mute(Call& call, bool is_muted);
    /// The call's AI comes, in the place of the one before.
    void attach_ai(Call& call);
    /// Tells the AI. Calls without one are fine.
    void tell(const Call& call, ai::CallNews news);
    /// The AI leaves; the peer hears the filler.
    void dismiss_ai(Call& call, model::EndReason why);
    /// Gives everything back. Calls without a leg are fine.
    void stop(Call& call, model::EndReason why);

private:
    /// What was agreed changed the direction of the sound, perhaps.
    void follow(Call& call, bool was_held, bool was_expected);

    Parts parts_;
    PhoneMedia phone_;
    WebMedia web_;
};

}  // namespace offhook::call
