#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ai/ai_events.h"
#include "ai/ai_runtime.h"
#include "base/executor.h"
#include "call/account_rules.h"
#include "call/admission.h"
#include "call/bot_lookup.h"
#include "call/call.h"
#include "call/call_media.h"
#include "call/call_table.h"
#include "call/channel_bots.h"
#include "call/message_log.h"
#include "call/outbound_policy.h"
#include "call/refusal.h"
#include "channel/channels.h"
#include "config/config.h"
#include "glib/timer.h"
#include "media/launch_library.h"
#include "media/media_bus.h"
#include "media/reaper.h"
#include "media/worker_pool.h"
#include "model/call_control.h"
#include "model/call_directory.h"
#include "model/signalling.h"
#include "stats/leg_directory.h"
#include "store/recordings.h"

namespace offhook::call {

/// Every call of the process, and the story each goes through: who may come in, what it is made of,
/// when its media starts, what is noticed on the way, why it ended.
///
///     on_incoming    -> admission -> route -> leg -> (our description) -> signalling answers
///     on_answer_sent -> the leg plays, the AI listens
///     on_reoffer     -> hold, resume, a moved address -> (our description) -> signalling answers
///     on_ended       -> leg to the reaper, one CallEnd to log, metrics, history
///
/// The other way round, in call_outbound.cpp:
///
///     place          -> order checked -> admission -> (our description) -> signalling dials
///     on_accepted    -> leg; it plays at once (what comes before the answer is not heard)
///
/// A description of ours is there at once or after a while; it leaves when it is there and due
/// (`send_description`).
///
/// A web leg carries sound once it is answered and connected: call_web.cpp.
///
/// What a call's bot asks for and how it fares is in call_bot.cpp.
///
/// Calls that are in a channel, and those that are supervised, are in call_channel.cpp.
///
/// What is recorded of calls is in call_recording.cpp.
///
/// Transfers and replacements are in call_transfer.cpp, what RingCentral is asked in
/// call_ringcentral.cpp, texts in call_messages.cpp, what is noticed
/// while calls run in call_watch.cpp.
///
/// Ownership: everything in Parts is borrowed and outlives the registry, but for the reaper: that
/// has to go after `close` and before the registry, to whose bus its pipelines speak to the last.
/// @thread control
class CallRegistry final : public model::SignallingEvents,
                           public model::CallDirectory,
                           public model::CallControl,
                           public stats::LegDirectory {
public:
    struct Hooks {
        /// An INVITE came, and nothing is decided; or one of ours is about to leave.
        std::function<void(const model::CallInfo&)> on_begun{};
        /// Signalling refused an INVITE by itself: it has ended, and no other hook is told of it.
        std::function<void(const model::CallInfo&)> on_refused{};
        std::function<void(const model::CallInfo&)> on_answered;
        std::function<void(const model::CallInfo&)> on_ended;
        std::function<void(model::AccountInfo)> on_account{};
        /// A verb and "done", "failed" or "refused".
        std::function<void(std::string_view verb, std::string_view result)> on_bot_verb{};
        /// @param why  word of a fixed set, may be empty
        std::function<void(std::string_view protocol, std::string_view why)> on_bot_lost{};
        std::function<void(double gap_s)> on_bot_back{};
        /// Its bot is as `call.bot.state` says now. @param stats  of it; may be null
        std::function<void(const model::CallInfo& call,
                           const std::shared_ptr<model::AiStats>& stats)>
            on_bot_state{};
        /// Another AI takes the place of the one of `call`.
        std::function<void(const model::CallInfo& call)> on_ai_left{};
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
        BotLookup bot{};                                   ///< @see CallMedia::Parts
        std::function<std::string()> learned_address{};    ///< @see PhoneMedia::Parts; may be null
        media::WorkerPool* web_workers = nullptr;          ///< null: no web legs
        const media::WebSettings* web_settings = nullptr;  ///< with `web_workers`
        WebMedia::MakeTransport make_transport{};          ///< null: real ones
        AccountLookup account{};                           ///< without it there are no accounts
        channel::Channels* channels = nullptr;             ///< null: there are none
        store::Recordings* recordings = nullptr;           ///< null: nothing is recorded
        Hooks hooks{};
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
    void on_refused(model::RefusedInvite refused) override;
    void on_placed(const model::CallId& id, model::PlacedCall placed) override;
    void on_progress(const model::CallId& id,
                     int status,
                     std::optional<model::RemoteSdp> early) override;
    void on_accepted(const model::CallId& id, model::RemoteSdp answer) override;
    void on_reoffer_done(const model::CallId& id,
                         int status,
                         std::optional<model::RemoteSdp> answer) override;
    void on_info_digit(const model::CallId& id, char digit, unsigned duration_ms) override;
    void on_info(const model::CallId& id, std::string content_type, std::string body) override;
    void on_control_done(const model::CallId& id, std::uint64_t tag, int status) override;
    void on_control(const model::CallId& id, int command) override;
    void on_transfer_requested(const model::CallId& id, model::Transfer transfer) override;
    void on_transfer_progress(const model::CallId& id, int status) override;
    void on_message(model::TextMessage message) override;
    void on_message_done(std::uint64_t tag, int status) override;
    void on_candidates(const model::CallId& id,
                       std::vector<std::string> candidates,
                       bool is_end) override;
    void on_account(model::AccountInfo account) override {
        if (parts_.hooks.on_account) parts_.hooks.on_account(std::move(account));
    }

    // What the AI side says, brought by BotMail. Calls that ended meanwhile are fine.
    void on_bot_request(const model::CallId& id, const ai::BotRequest& request);
    void on_bot_refused(const model::CallId& id, const ai::BotRequest& request);
    void on_bot_state(const model::CallId& id, model::AiState state, const std::string& detail);
    void on_bot_fallback(const model::CallId& id, const ai::Fallback& next);
    void on_bot_finished(const model::CallId& id, const std::string& detail);
    void on_bot_waiting(const model::CallId& id, const std::string& path);

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

    // stats::LegDirectory
    [[nodiscard]] std::optional<stats::LegFacts> leg(const model::CallId& id) const override;
    [[nodiscard]] std::optional<std::vector<stats::HistoryRow>> history(
        const model::CallId& id, stats::History::Resolution resolution) const override;

    // model::CallControl
    tl::expected<model::Placed, model::OrderRefusal> place(model::PlaceOrder order) override;
    base::Result<void> hold(const model::CallId& id) override { return set_hold(id, true); }
    base::Result<void> resume(const model::CallId& id) override { return set_hold(id, false); }
    base::Result<void> transfer(const model::CallId& id, model::TransferOrder order) override;
    base::Result<void> ringcentral(const model::CallId& id, model::RingCentralOrder order) override;
    tl::expected<std::uint64_t, model::OrderRefusal> send_message(
        model::MessageOrder order) override;
    [[nodiscard]] std::vector<model::MessageRecord> messages(
        const model::CallId& call) const override {
        return messages_.of(call);
    }
    base::Result<std::string> supervise(const model::CallId& id) override;
    base::Result<void> record(const model::CallId& id, model::RecordingVerb verb) override;
    /// A recording ended by itself: `store::Recordings::Told`.
    void on_recording(const model::CallId& id, model::RecordingState state, const std::string& why);

    // What channels ask for: `channel::Channels::Hooks`.
    void end_member(const model::CallId& id, const std::string& why);
    void note_place(const model::CallId& id,
                    const std::string& channel,
                    const model::MemberId& member);
    channel::AiComes attach_channel_ai(const channel::ChannelAi& wanted) {
        return channel_bots_.attach(wanted);
    }
    void dismiss_channel_ai(const model::CallId& session) { channel_bots_.dismiss(session); }

    /// Hands the legs of all calls that are left to the reaper. Nothing else may be called
    /// afterwards.
    void close();
    /// New calls get 503 from here on; running ones go on for `timeout_s`, then get BYE. Again, or
    /// 0: at once.
    void drain(int timeout_s);
    [[nodiscard]] bool is_draining() const { return admission_.is_draining(); }
    [[nodiscard]] model::HealthCheck health() const;
    /// Whether calls have their bots.
    [[nodiscard]] model::HealthCheck ai_health() const;
    /// Why web calls are refused beside other calls' reasons; empty: they are not.
    [[nodiscard]] const std::string& web_overload() const { return web_admission_.overload(); }

private:
    /// Because of whose REFER a call is placed; empty: nobody's.
    struct Referral {
        model::CallId transferor;
        std::string referred_by, replaces;
    };
    std::optional<Refusal> prepare(Call& call, const model::IncomingCall& incoming);
    std::optional<Refusal> choose_route(Call& call, const model::IncomingCall& incoming) const;
    std::optional<Refusal> follow_replaced(Call& call) const;
    std::optional<Refusal> equip(Call& call,
                                 const config::Route& route,
                                 const std::string& ai,
                                 const std::vector<model::Codec>& codecs) const;
    std::optional<Refusal> take_place(Call& call);
    void record_by_route(Call& call);
    void begin_recording(Call& call, const std::string& who);
    void end_recording(Call& call);
    void seat(Call& call);
    void leave_channel(Call& call);
    [[nodiscard]] channel::SeatedLeg seated_leg(const Call& call);
    /// Whom to tell what becomes of the call: whoever brought it.
    [[nodiscard]] model::Signalling& via(const Call& call) const {
        return call.via != nullptr ? *call.via : *signalling_;
    }
    void send_description(Call& call);
    void on_local(const model::CallId& id, model::LocalSdp sdp);
    /// Once the call is answered and its leg can carry sound.
    void start_media(Call& call);
    void tell_answered(const Call& call);
    void give_way(Call& call);

    void settle_verb(Call& call,
                     std::uint64_t number,
                     ai::BotVerb verb,
                     const std::optional<std::string>& problem);
    void settle_hold_verb(Call& call, bool is_done, int status);
    void tell_bot_of_transfer(Call& call, int status);
    void take_next_ai(Call& call, const std::string& name);
    void after_failed_transfer(Call& call, const std::string& why);
    void end_without_bot(Call& call);

    [[nodiscard]] std::optional<AccountRules> account(const std::string& name) const;
    [[nodiscard]] const config::Route* route_for(const model::PlaceOrder& order,
                                                 const AccountRules& rules) const;
    tl::expected<model::CallId, model::OrderRefusal> dial(const model::PlaceOrder& order,
                                                          const AccountRules& rules,
                                                          const std::string& destination,
                                                          const Referral& referral);
    void tell_transferor(const Call& placed, int status);
    base::Result<void> set_hold(const model::CallId& id, bool is_holding);
    /// A live call that is answered and not ending. @errors NotFound, Conflict
    base::Result<Call*> answered_call(const model::CallId& id) const;
    bool take_ringcentral_answer(Call& call,
                                 const std::string& content_type,
                                 const std::string& body);
    static void note_ringcentral_end(Call& call);
    void settle(Call& call, bool is_done, const std::string& detail);
    void refuse_transfer(Call& call, int status, const std::string& why);
    [[nodiscard]] std::size_t web_calls() const;
    /// @param others  web calls beside the one in question
    [[nodiscard]] std::optional<Refusal> refuse_web(std::size_t others) const;
    void on_web_connected(const model::CallId& id);
    void on_web_failed(const model::CallId& id, model::CallEnd why);
    void on_web_lost(const model::CallId& id, bool is_lost);
    void on_web_restarted(const model::CallId& id);
    [[nodiscard]] model::CallEnd judged(const Call& call, model::CallEnd end) const;
    void end(Call& call, model::CallEnd why, std::string reason_header);
    void finish(std::unique_ptr<Call> call, model::CallEnd end);
    void look();
    void look_at(Call& call, std::int64_t now_ns);
    void sample(Call& call, const model::LegStats& stats, std::int64_t now_ns);
    void look_for_gap(Call& call, const model::LegStats& stats, std::int64_t now_ns);
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
    ChannelBots channel_bots_;
    Admission admission_;
    Admission web_admission_;
    CallTable calls_;
    OutboundPolicy outbound_;
    MessageLog messages_;
    glib::Timer look_timer_;
    glib::Timer drain_timer_;
    std::int64_t last_observed_ns_ = 0;
    unsigned look_turn_ = 0, next_sample_turn_ = 0;
    std::array<std::uint64_t, 60> gaps_{};  ///< long ones, by second of the last minute
    std::int64_t gaps_second_ = 0;          ///< that is counted now
};

}  // namespace offhook::call
