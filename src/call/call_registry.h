#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ai/ai_runtime.h"
#include "base/executor.h"
#include "call/admission.h"
#include "call/call.h"
#include "call/call_media.h"
#include "call/call_table.h"
#include "call/refusal.h"
#include "config/config.h"
#include "glib/timer.h"
#include "media/launch_library.h"
#include "media/media_bus.h"
#include "media/reaper.h"
#include "media/worker_pool.h"
#include "model/call_directory.h"
#include "model/signalling.h"

namespace offhook::call {

/// Every call of the process, and the story each goes through: who may come in, what it is made of,
/// when its media starts, what is noticed on the way, why it ended.
///
///     on_incoming    -> admission -> route -> port -> codec -> leg -> signalling answers
///     on_answer_sent -> the leg plays, the AI listens
///     on_reoffer     -> hold, resume, a moved address
///     on_ended       -> leg to the reaper, one CallEnd to log, metrics, history
///
/// Ownership: everything in Parts is borrowed and outlives the registry. Destroying it with calls
/// left takes their legs down.
/// @thread control
class CallRegistry final : public model::SignallingEvents, public model::CallDirectory {
public:
    struct Hooks {
        std::function<void(const model::CallInfo&)> on_answered;
        std::function<void(const model::CallInfo&)> on_ended;
        std::function<void()> on_drained;  ///< draining, and the last call is over
    };
    struct Parts {
        const config::Config* config = nullptr;
        GMainContext* context = nullptr;
        base::Executor* control = nullptr;
        media::LaunchLibrary* launches = nullptr;
        media::WorkerPool* workers = nullptr;
        media::Reaper* reaper = nullptr;
        ai::AiRuntime* ai = nullptr;
        std::function<std::string()> learned_address{};  ///< @see CallMedia::Parts; may be null
        Hooks hooks;
    };
    explicit CallRegistry(Parts parts);
    ~CallRegistry() override;

    /// Before the first event. The registry and signalling know each other, so one of them comes
    /// second.
    void set_signalling(model::Signalling& signalling) { signalling_ = &signalling; }

    // model::SignallingEvents
    void on_incoming(model::IncomingCall incoming) override;
    void on_answer_sent(const model::CallId& id) override;
    void on_confirmed(const model::CallId& id, std::optional<model::RemoteSdp> answer) override;
    void on_reoffer(const model::CallId& id,
                    std::optional<model::RemoteSdp> offer,
                    std::uint32_t exchange) override;
    void on_ended(const model::CallId& id, model::CallEnd end) override;

    // model::CallDirectory
    [[nodiscard]] std::vector<model::CallInfo> calls(bool ended) const override {
        return calls_.calls(ended);
    }
    [[nodiscard]] std::optional<model::CallInfo> find(const model::CallId& id) const override {
        return calls_.find(id);
    }
    base::Result<void> hangup(const model::CallId& id, const std::string& who) override;
    base::Result<void> send_dtmf(const model::CallId& id, const std::string& digits) override;
    [[nodiscard]] Totals totals() const override { return calls_.totals(); }

    /// New calls get 503 from here on; running ones go on for `timeout_s`, then get BYE. Again, or
    /// 0: at once.
    void drain(int timeout_s);
    [[nodiscard]] bool is_draining() const { return admission_.is_draining(); }
    [[nodiscard]] model::HealthCheck health() const;

private:
    std::optional<Refusal> prepare(Call& call, const model::IncomingCall& incoming);
    std::optional<Refusal> choose_route(Call& call, const model::IncomingCall& incoming) const;
    void answer(Call& call);
    void start_media(Call& call);
    void end(Call& call, model::CallEnd why, std::string reason_header);
    void finish(std::unique_ptr<Call> call, model::CallEnd end);
    void look();
    void look_at(Call& call, std::int64_t now_ns);
    void look_for_stop(Call& call, const model::LegStats& stats, std::int64_t now_ns);
    void look_for_oneway(Call& call, const model::LegStats& stats, std::int64_t now_ns);
    void on_pipeline_error(const std::string& id,
                           const std::string& element,
                           const std::string& text);
    void on_digit(const std::string& id, char digit, unsigned duration_ms);
    void hang_up_all(const std::string& why);
    [[nodiscard]] Call* get(const model::CallId& id) const { return calls_.get(id); }

    Parts parts_;
    model::Signalling* signalling_ = nullptr;
    media::MediaBus bus_;
    CallMedia media_;
    Admission admission_;
    CallTable calls_;
    glib::Timer look_timer_;
    glib::Timer drain_timer_;
    std::int64_t last_observed_ns_ = 0;
};

}  // namespace offhook::call
