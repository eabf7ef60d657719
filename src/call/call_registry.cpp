#include "call/call_registry.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include "base/log.h"
#include "base/monotonic.h"
#include "call/diversion.h"
#include "call/number_mask.h"
#include "call/router.h"
#include "model/trace_context.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::CallEnd;
using model::CallId;
using model::CallInfo;
using model::CallState;
using model::EndReason;

namespace {

constexpr std::chrono::milliseconds kLookPeriod{250};
constexpr std::chrono::seconds kRetryAfter{5};
constexpr std::size_t kMaxDigits = 64;

std::string describe(const model::LegStats& s) {
    return "sent " + std::to_string(s.sent_packets) + " packets (" +
           std::to_string(s.sent_ai_frames) + " of the AI, " + std::to_string(s.sent_fill_frames) +
           " filler), longest gap " + std::to_string(static_cast<int>(s.max_gap_ms)) +
           " ms; received " + std::to_string(s.received_packets) + ", lost " +
           std::to_string(s.lost_packets);
}

}  // namespace

CallRegistry::CallRegistry(Parts parts)
    : parts_(std::move(parts)),
      bus_(*parts_.control,
           {.on_error = [this](const auto& id,
                               const auto& element,
                               const auto& text) { on_pipeline_error(id, element, text); },
            .on_digit = [this](
                            const auto& id, char digit, unsigned ms) { on_digit(id, digit, ms); }}),
      media_(
          {.config = parts_.config,
           .workers = parts_.workers,
           .reaper = parts_.reaper,
           .ai = parts_.ai,
           .bot = parts_.bot,
           .bus = &bus_,
           .learned_address = parts_.learned_address,
           .web_workers = parts_.web_workers,
           .web_settings = parts_.web_settings,
           .make_transport = parts_.make_transport,
           .control = parts_.control,
           .context = parts_.context,
           .events = {.on_local = [this](const auto& id,
                                         model::LocalSdp sdp) { on_local(id, std::move(sdp)); },
                      .on_connected = [this](const auto& id) { on_web_connected(id); },
                      .on_failed = [this](const auto& id,
                                          CallEnd why) { on_web_failed(id, std::move(why)); },
                      .on_lost = [this](const auto& id, bool is_lost) { on_web_lost(id, is_lost); },
                      .on_restarted = [this](const auto& id) { on_web_restarted(id); }}}),
      channel_bots_({.ai = parts_.ai,
                     .bot = parts_.bot,
                     .channels = parts_.channels,
                     .on_verb = parts_.hooks.on_bot_verb}),
      admission_(parts_.config->admission),
      web_admission_(parts_.config->admission) {
    look_timer_.every(parts_.context, kLookPeriod, [this] { look(); });
}

CallRegistry::~CallRegistry() = default;

// ---- a call comes in ----

void CallRegistry::on_incoming(model::IncomingCall incoming) {
    calls_.count_start();
    Call& call = calls_.add(std::make_unique<Call>(incoming));
    log::write(Level::Info,
               Mark::Call,
               "call.incoming",
               call.id.text,
               "a call comes in",
               {{"from", mask_numbers(call.info.from)},
                {"to", mask_numbers(call.info.to)},
                {"account", call.info.account},
                {"peer", call.info.peer},
                {"trace", model::trace_id_of(call.id.text)}});
    if (parts_.hooks.on_begun) parts_.hooks.on_begun(call.info);
    if (auto refusal = prepare(call, incoming)) {
        via(call).reject(call.id,
                         refusal->status,
                         refusal->phrase,
                         refusal->retry_later ? std::optional(kRetryAfter) : std::nullopt);
        finish(calls_.take(call.id), std::move(refusal->end));
        return;
    }
    via(call).ring(call.id);
    call.info.state = CallState::Ringing;
    const auto rules = account(incoming.account);
    // A PBX that orders the answer knows better than the configuration when it is due.
    const auto delay = incoming.facts.answer_after ? *incoming.facts.answer_after
                       : rules && rules->answer_delay
                           ? *rules->answer_delay
                           : std::chrono::milliseconds(parts_.config->sip.answer_delay_ms);
    const auto answer = [this, id = call.id] {
        Call* waiting = get(id);
        if (!waiting) return;
        waiting->description.is_due = true;
        send_description(*waiting);
    };
    if (delay.count() == 0 || !call.replaced.empty()) {
        answer();
    } else {
        call.answer_timer.once(parts_.context, delay, answer);
    }
}

// It never was a call: neither the totals nor the history know it.
void CallRegistry::on_refused(model::RefusedInvite refused) {
    if (!parts_.hooks.on_refused) return;
    model::IncomingCall incoming;
    incoming.id = CallId::make();
    incoming.account = std::move(refused.account);
    incoming.sip_call_id = std::move(refused.sip_call_id);
    incoming.from_uri = std::move(refused.from_uri);
    incoming.to_uri = std::move(refused.to_uri);
    incoming.peer = std::move(refused.peer);
    incoming.user_agent = std::move(refused.user_agent);
    CallInfo info = Call(incoming).info;
    info.state = CallState::Ended;
    info.ended_ns = info.created_ns;
    info.end = model::ended(model::refused_with(refused.status),
                            "the INVITE was answered " + std::to_string(refused.status));
    info.end->sip_status = refused.status;
    parts_.hooks.on_refused(info);
}

std::optional<Refusal> CallRegistry::prepare(Call& call, const model::IncomingCall& incoming) {
    if (auto reason = admission_.refuse(calls_.size() - 1)) {
        return Refusal{
            503, "Service Unavailable", model::ended(EndReason::LimitCalls, *reason), true};
    }
    const auto rules = account(call.info.account);
    const bool is_web = incoming.offer ? !incoming.offer->web_text.empty()
                                       : rules && rules->media == model::LegKind::Web;
    call.info.leg = is_web ? model::LegKind::Web : model::LegKind::Phone;
    if (auto refusal =
            call.replaced.empty() ? choose_route(call, incoming) : follow_replaced(call)) {
        return refusal;
    }
    if (rules) call.phone.srtp_policy = rules->srtp;
    if (call.is_web()) {
        if (auto refusal = refuse_web(web_calls() - 1)) return refusal;
    }
    if (auto refusal = take_place(call)) return refusal;
    call.description.purpose = Call::Description::Purpose::Answer;
    // Without an offer our 200 carries one, and the answer comes in the ACK.
    return incoming.offer ? media_.accept(call, *incoming.offer) : media_.offer(call);
}

std::optional<Refusal> CallRegistry::choose_route(Call& call,
                                                  const model::IncomingCall& incoming) const {
    const config::Config& config = *parts_.config;
    const auto rules = account(incoming.account);
    if (call.place && config.route.empty()) return not_acceptable("there is no [[route]]");
    if (call.place) return equip(call, config.route.front(), {}, incoming.codecs);
    call.route =
        rules && !rules->route.empty()
            ? route_named(config.route, rules->route)
            : find_route(config.route, incoming.to_user, incoming.from_user, incoming.account);
    if (!call.route) {
        return Refusal{
            404,
            "Not Found",
            model::ended(EndReason::NoRoute, "no [[route]] matches " + mask_numbers(call.info.to)),
            false};
    }
    return equip(call,
                 *call.route,
                 call.route->ai,
                 rules && incoming.codecs.empty() ? rules->codecs : incoming.codecs);
}

// What a call is made of. The pointers into the configuration live as long as the process.
std::optional<Refusal> CallRegistry::equip(Call& call,
                                           const config::Route& route,
                                           const std::string& ai_name,
                                           const std::vector<model::Codec>& codecs) const {
    const config::Config& config = *parts_.config;
    const auto ai = std::find_if(config.ai.begin(), config.ai.end(), [&](const auto& candidate) {
        return candidate.name == ai_name;
    });
    call.route = &route;
    const std::string& pipeline = call.is_web() ? route.web_pipeline : route.pipeline;
    call.launch = parts_.launches->find(pipeline);
    const bool has_ai = !call.place && route.channel.empty();
    if ((has_ai && ai == config.ai.end()) || !call.launch) {
        return Refusal{
            500,
            "Server Internal Error",
            model::ended(EndReason::InternalError,
                         "route \"" + route.name + "\" wants AI \"" + ai_name +
                             "\" and pipeline \"" + pipeline + "\"; one of them is not loaded"),
            false};
    }
    call.ai = has_ai ? &*ai : nullptr;
    const auto& usual = call.is_web() ? config.web.codecs : config.rtp.codecs;
    for (const model::Codec codec : codecs.empty() ? usual : codecs) {
        if (call.launch->supports(codec)) call.codecs.push_back(codec);
    }
    call.info.route = route.name;
    call.info.ai = has_ai ? call.ai->name : std::string();
    call.info.pipeline = pipeline;
    call.info.fill = route.fill;
    return std::nullopt;
}

// ---- the answer ----

void CallRegistry::on_local(const CallId& id, model::LocalSdp sdp) {
    Call* call = get(id);
    if (!call || call->description.purpose == Call::Description::Purpose::None) return;
    call->description.sdp = std::move(sdp);
    send_description(*call);
}

void CallRegistry::send_description(Call& call) {
    using Purpose = Call::Description::Purpose;
    if (call.ending || !call.description.is_due || !call.description.sdp) return;
    Call::Description out = std::exchange(call.description, {});
    switch (out.purpose) {
        case Purpose::Answer:
            if (call.is_agreed) call.note_exchange();
            via(call).answer(call.id, std::move(*out.sdp), out.exchange);
            break;
        case Purpose::Reoffer:
            via(call).reoffer(call.id, std::move(*out.sdp));
            break;
        case Purpose::Invite: {
            model::OutgoingCall outgoing = std::move(*call.placing);
            call.placing.reset();
            outgoing.offer = std::move(*out.sdp);
            via(call).place_call(std::move(outgoing));
            // Now signalling knows the call whose progress it reports to who asked for it.
            if (const Call* asked_by = get(call.transferor))
                via(*asked_by).accept_transfer(asked_by->id, call.id);
            break;
        }
        case Purpose::None:
            break;
    }
}

void CallRegistry::on_answer_sent(const CallId& id) {
    Call* call = get(id);
    if (!call || call->answered_ns != 0) return;
    call->note_answer();
    calls_.count_answer();
    start_media(*call);
    tell_answered(*call);
    if (Call* replaced = get(call->replaced)) give_way(*replaced);
}

void CallRegistry::tell_answered(const Call& call) {
    log::write(Level::Info,
               Mark::Call,
               "call.answered",
               call.id.text,
               "answered",
               {{"after_ms", call.info.answer_ms},
                {"from", mask_numbers(call.info.from)},
                {"to", mask_numbers(call.info.to)},
                {"account", call.info.account},
                {"codec", call.info.codec},
                {"route", call.info.route},
                {"ai", call.info.ai},
                {"leg", model::name_of(call.info.leg)},
                {"rtp_port", call.phone.port},
                {"worker", call.info.worker}});
    if (parts_.hooks.on_answered) parts_.hooks.on_answered(call.info);
}

void CallRegistry::start_media(Call& call) {
    const bool can_carry = call.is_web() ? call.info.web.is_connected : call.is_agreed;
    if (!call.is_answered() || !can_carry || call.media_started_ns != 0) return;
    if (auto started = media_.start(call); !started)
        return end(
            call, model::ended(EndReason::PipelineError, started.error().text()), "SIP;cause=500");
    if (call.place) seat(call);
    record_by_route(call);
}

void CallRegistry::on_confirmed(const CallId& id, std::optional<model::RemoteSdp> answer) {
    Call* call = get(id);
    if (!call || call->ending) return;
    if (!answer) {
        if (!call->is_agreed)
            end(*call,
                model::ended(EndReason::NotAcceptable, "the ACK carried no answer to our offer"),
                {});
        return;
    }
    if (call->is_agreed) {  // the answer to an offer of ours in a re-INVITE, or what was before a
                            // cancelled one
        if (call->description.purpose == Call::Description::Purpose::Answer) call->description = {};
        if (auto done = media_.renegotiate(*call, *answer); !done) {
            log::write(Level::Warning,
                       Mark::Warning,
                       "call.bad_answer",
                       id.text,
                       "the answer to our offer has nothing that was offered; the sound stays as "
                       "it was: " +
                           done.error().text());
        }
        return;
    }
    if (auto refusal = media_.take_answer(*call, *answer)) {
        end(*call, std::move(refusal->end), "SIP;cause=488");
        return;
    }
    start_media(*call);
}

// ---- hold, resume, a moved address ----

void CallRegistry::on_reoffer(const CallId& id,
                              std::optional<model::RemoteSdp> offer,
                              std::uint32_t exchange) {
    using Purpose = Call::Description::Purpose;
    Call* call = get(id);
    if (!call) return signalling_->reject(id, 491, "Request Pending", std::nullopt, exchange);
    // An answer that is still being made is for a re-INVITE that is no more; an offer of ours is
    // about to cross theirs (RFC 3261 §14.2).
    if (!call->is_agreed || call->description.purpose == Purpose::Reoffer)
        return via(*call).reject(id, 491, "Request Pending", std::nullopt, exchange);
    call->description = {
        .purpose = Purpose::Answer, .exchange = exchange, .is_due = true, .sdp = {}};
    const auto done = offer ? media_.accept_again(*call, *offer) : media_.reoffer(*call);
    if (done) return;
    call->description = {};
    log::write(Level::Warning,
               Mark::Warning,
               "call.reoffer_refused",
               id.text,
               "the peer's new offer cannot be used; all stays as it was: " + done.error().text());
    const bool is_malformed = done.error().code == base::ErrorCode::Malformed;
    via(*call).reject(id,
                      is_malformed ? 400 : 488,
                      is_malformed ? "Bad Request" : "Not Acceptable Here",
                      std::nullopt,
                      exchange);
}

// ---- the end ----

base::Result<void> CallRegistry::hangup(const CallId& id, const std::string& who) {
    Call* call = get(id);
    if (!call) return base::fail(base::ErrorCode::NotFound, "there is no live call " + id.text);
    if (call->ending)
        return base::fail(base::ErrorCode::Conflict, "call " + id.text + " is already ending");
    end(*call, model::ended(EndReason::ApiHangup, "hung up by " + who), {});
    return {};
}

base::Result<void> CallRegistry::send_dtmf(const CallId& id, const std::string& digits) {
    Call* call = get(id);
    if (!call) return base::fail(base::ErrorCode::NotFound, "there is no live call " + id.text);
    if (!call->is_agreed) return base::fail(base::ErrorCode::Conflict, "the call has no media yet");
    if (digits.empty() || digits.size() > kMaxDigits ||
        digits.find_first_not_of("0123456789*#ABCDabcd") != std::string::npos) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "digits are 0-9, *, # and A-D, 1 to 64 of them");
    }
    if (call->is_answered() && !call->leg->chosen().telephone_event_type) {
        // A peer without RFC 4733 gets them by INFO.
        via(*call).send_info_digits(id, digits);
        return {};
    }
    return call->leg->send_digits(digits);
}

void CallRegistry::end(Call& call, CallEnd why, std::string reason_header) {
    call.ending = why;
    call.info.state = CallState::Ending;
    if (call.placing) {
        // Its INVITE has not left, so signalling will not tell that it is over.
        call.answer_timer.once(parts_.context, std::chrono::milliseconds(0), [this, id = call.id] {
            if (const Call* unsent = get(id)) on_ended(id, CallEnd(*unsent->ending));
        });
        return;
    }
    via(call).hangup(call.id, std::move(why), std::move(reason_header));
}

void CallRegistry::on_ended(const CallId& id, CallEnd end) {
    auto call = calls_.take(id);
    if (!call) return;
    if (const Call* asked_by = call->placing ? get(call->transferor) : nullptr)
        via(*asked_by).refuse_transfer(asked_by->id, 503);
    if (call->is_outbound() && !call->is_answered())
        tell_transferor(*call, end.sip_status == 0 ? 503 : end.sip_status);
    end = judged(*call, std::move(end));
    note_ringcentral_end(*call);
    finish(std::move(call), std::move(end));
    if (admission_.is_draining() && calls_.empty() && parts_.hooks.on_drained)
        parts_.hooks.on_drained();
}

// What we decided stands, whatever the far end made of our BYE. Of what the far end did, some has a
// better name than signalling could know.
CallEnd CallRegistry::judged(const Call& call, CallEnd end) const {
    if (call.ending) return *call.ending;
    const bool is_bye =
        end.reason == EndReason::CallerHangup || end.reason == EndReason::CalleeHangup;
    const bool is_cancel = end.reason == EndReason::CallerCancelled;
    if (call.superseded && (is_bye || is_cancel)) return *call.superseded;
    if (!is_bye) return end;
    end.reason = call.is_outbound() ? EndReason::CalleeHangup : EndReason::CallerHangup;
    if (!call.is_answered()) return end;
    const std::int64_t now_ns = base::monotonic_ns();
    const TakenCall taken{
        .reasons = end.peer_reasons,
        .answered_s = static_cast<double>(now_ns - call.answered_ns) / 1e9,
        .is_held = call.is_held() || call.is_holding,
        .stats = call.is_agreed ? call.leg->stats(call.answered_ns, now_ns) : model::LegStats{}};
    auto sentence = diversion_of(taken);
    if (!sentence) {
        end.detail = describe(taken.stats) +
                     (end.detail.empty() ? std::string() : "; its BYE says " + end.detail);
        return end;
    }
    log::write(Level::Error,
               Mark::Error,
               "call.diverted",
               call.id.text,
               *sentence,
               {{"after_answer_ms", taken.answered_s * 1000},
                {"sent", taken.stats.sent_packets},
                {"received", taken.stats.received_packets},
                {"max_gap_ms", taken.stats.max_gap_ms},
                {"rtcp_received", taken.stats.rtcp_received},
                {"peer", call.info.peer}});
    CallEnd diverted = model::ended(EndReason::Diverted, std::move(*sentence));
    diverted.peer_reasons = std::move(end.peer_reasons);
    return diverted;
}

void CallRegistry::finish(std::unique_ptr<Call> call, CallEnd end) {
    end_recording(*call);
    CallInfo info = CallTable::info_of(*call);
    info.state = CallState::Ended;
    if (info.bot.state != model::AiState::None && info.bot.state != model::AiState::BuiltIn)
        info.bot.state = model::AiState::Ended;
    info.bot.media_path.clear();
    info.is_held_by_us = info.is_held_by_peer = false;
    info.ended_ns = base::realtime_ns();
    leave_channel(*call);
    media_.stop(*call, end.reason);
    if (end.detail.empty()) end.detail = describe(info.stats);
    // The far end of a call that we placed is no caller.
    if (call->is_outbound() && end.end_class == model::EndClass::Caller)
        end.end_class = model::EndClass::Callee;
    info.end = end;
    const bool is_good = end.end_class == model::EndClass::Success;
    log::write(is_good ? Level::Info : Level::Warning,
               is_good ? Mark::Call : Mark::Warning,
               "call.ended",
               call->id.text,
               end.detail,
               {{"class", model::name_of(end.end_class)},
                {"reason", model::name_of(end.reason)},
                {"direction", model::name_of(info.direction)},
                {"from", mask_numbers(info.from)},
                {"to", mask_numbers(info.to)},
                {"account", info.account},
                {"route", info.route},
                {"ai", info.ai},
                {"codec", info.codec},
                {"duration_ms",
                 info.answered_ns == 0 ? 0 : (info.ended_ns - info.answered_ns) / base::kNsPerMs},
                {"sent", info.stats.sent_packets},
                {"received", info.stats.received_packets},
                {"max_gap_ms", info.stats.max_gap_ms},
                {"mos", std::max(0.0, info.quality.mos)},
                {"loss_percent", std::max(0.0, info.quality.loss_share * 100)},
                {"jitter_ms", std::max(0.0, info.quality.jitter_ms)},
                {"round_trip_ms", std::max(0.0, info.quality.round_trip_ms)},
                {"oneway_ms", info.quality.oneway_ms}});
    if (parts_.hooks.on_ended) parts_.hooks.on_ended(info);
    calls_.remember(std::move(info));
}

void CallRegistry::close() {
    look_timer_.cancel();
    drain_timer_.cancel();
    if (parts_.channels != nullptr) parts_.channels->shut();
    for (const CallId& id : calls_.ids()) media_.stop(*calls_.take(id), EndReason::Drained);
}

void CallRegistry::drain(int timeout_s) {
    const bool again = admission_.is_draining();
    admission_.set_draining(true);
    signalling_->set_draining(true);
    if (calls_.empty()) {
        if (parts_.hooks.on_drained) parts_.hooks.on_drained();
        return;
    }
    if (again || timeout_s == 0) {
        hang_up_all("the daemon stops");
        return;
    }
    log::write(Level::Info,
               Mark::System,
               "system.draining",
               {},
               "no new calls; waiting for the running ones",
               {{"calls", calls_.size()}, {"timeout_s", timeout_s}});
    drain_timer_.once(parts_.context, std::chrono::seconds(timeout_s), [this] {
        hang_up_all("the drain timeout passed");
    });
}

void CallRegistry::hang_up_all(const std::string& why) {
    for (const CallId& id : calls_.ids()) {
        Call* call = get(id);
        if (call && !call->ending)
            end(*call, model::ended(EndReason::Drained, why), "SIP;cause=503;text=\"stopping\"");
    }
}

// ---- what others ask ----

model::HealthCheck CallRegistry::health() const {
    using Status = model::HealthCheck::Status;
    const Totals now = totals();
    model::HealthCheck check;
    check.status = Status::Ok;
    check.detail = std::to_string(now.active) + " active, " + std::to_string(now.alive) + " alive";
    const auto count = [this](bool (*matches)(const Call&)) {
        return std::count_if(calls_.live().begin(), calls_.live().end(), [&](const auto& entry) {
            return matches(*entry.second);
        });
    };
    const auto stopped = count([](const Call& call) { return call.told_stopped; });
    const auto oneway = count([](const Call& call) { return call.info.is_oneway; });
    if (stopped > 0) {
        check.status = Status::Degraded;
        check.detail +=
            "; to " + std::to_string(stopped) + " nothing is sent: look for rtp.stopped in the log";
    } else if (oneway > 0) {
        check.status = Status::Degraded;
        check.detail += "; from " + std::to_string(oneway) +
                        " no RTP comes: look for a firewall between the peer and [rtp] ports";
    } else if (!admission_.overload().empty()) {
        check.status = Status::Degraded;
        check.detail += "; new calls are refused: " + admission_.overload();
    }
    check.figures = {
        {"active", static_cast<std::int64_t>(now.active)},
        {"alive", static_cast<std::int64_t>(now.alive)},
        {"total", static_cast<std::int64_t>(now.started)},
        {"rtp_gaps_60s",
         static_cast<std::int64_t>(std::accumulate(gaps_.begin(), gaps_.end(), std::uint64_t{0}))}};
    return check;
}

}  // namespace offhook::call
