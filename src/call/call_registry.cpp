#include "call/call_registry.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/monotonic.h"
#include "call/number_mask.h"
#include "call/router.h"

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
constexpr std::size_t kHistory = 1000;

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
      ports_(
          parts_.config->rtp.address, parts_.config->rtp.first_port, parts_.config->rtp.last_port),
      admission_(parts_.config->admission) {
    look_timer_.every(parts_.context, kLookPeriod, [this] { look(); });
}

CallRegistry::~CallRegistry() = default;

Call* CallRegistry::get(const CallId& id) const {
    const auto it = calls_.find(id);
    return it == calls_.end() ? nullptr : it->second.get();
}

// ---- a call comes in ----

void CallRegistry::on_incoming(model::IncomingCall incoming) {
    ++started_;
    auto owned = std::make_unique<Call>(incoming);
    Call& call = *owned;
    log::write(Level::Info,
               Mark::Call,
               "call.incoming",
               call.id.text,
               "a call comes in",
               {{"from", mask_numbers(call.info.from)},
                {"to", mask_numbers(call.info.to)},
                {"peer", call.info.peer}});
    if (auto refusal = prepare(call, incoming)) {
        signalling_->reject(call.id,
                            refusal->status,
                            refusal->phrase,
                            refusal->retry_later ? std::optional(kRetryAfter) : std::nullopt);
        finish(std::move(owned), std::move(refusal->end));
        return;
    }
    calls_.emplace(call.id, std::move(owned));
    signalling_->ring(call.id);
    call.info.state = CallState::Ringing;
    const int delay_ms = parts_.config->sip.answer_delay_ms;
    if (delay_ms == 0) {
        answer(call);
    } else {
        call.answer_timer.once(
            parts_.context, std::chrono::milliseconds(delay_ms), [this, id = call.id] {
                if (Call* waiting = get(id)) answer(*waiting);
            });
    }
}

std::optional<CallRegistry::Refusal> CallRegistry::prepare(Call& call,
                                                           const model::IncomingCall& incoming) {
    if (auto reason = admission_.refuse(calls_.size())) {
        return Refusal{
            503, "Service Unavailable", model::ended(EndReason::LimitCalls, *reason), true};
    }
    if (auto refusal = choose_route(call, incoming)) return refusal;
    auto sockets = ports_.open();
    if (!sockets) {
        return Refusal{503,
                       "Service Unavailable",
                       model::ended(EndReason::LimitPorts, sockets.error().text()),
                       true};
    }
    call.rtp_port = sockets->port();
    call.sockets = std::move(*sockets);
    if (!incoming.offer)
        return std::nullopt;  // our 200 carries the offer; the leg is built from the answer in the
                              // ACK
    call.offered_lines = incoming.offer->lines;
    return build_leg(call, incoming.offer->audio);
}

std::optional<CallRegistry::Refusal> CallRegistry::choose_route(
    Call& call, const model::IncomingCall& incoming) const {
    const config::Config& config = *parts_.config;
    call.route = find_route(config.route, incoming.to_user, incoming.from_user);
    if (!call.route) {
        return Refusal{
            404,
            "Not Found",
            model::ended(EndReason::NoRoute, "no [[route]] matches " + mask_numbers(call.info.to)),
            false};
    }
    const auto ai =
        std::find_if(config.ai.begin(), config.ai.end(), [&](const config::Ai& candidate) {
            return candidate.name == call.route->ai;
        });
    call.launch = parts_.launches->find(call.route->pipeline);
    if (ai == config.ai.end() || !call.launch) {
        return Refusal{500,
                       "Server Internal Error",
                       model::ended(EndReason::InternalError,
                                    "route \"" + call.route->name + "\" names AI \"" +
                                        call.route->ai + "\" and pipeline \"" +
                                        call.route->pipeline + "\"; one of them is not loaded"),
                       false};
    }
    call.ai = &*ai;
    const auto& codecs = incoming.codecs.empty() ? config.rtp.codecs : incoming.codecs;
    for (const model::Codec codec : codecs) {
        if (call.launch->supports(codec)) call.codecs.push_back(codec);
    }
    call.info.route = call.route->name;
    call.info.ai = call.ai->name;
    call.info.pipeline = call.route->pipeline;
    call.info.fill = call.route->fill;
    return std::nullopt;
}

std::optional<CallRegistry::Refusal> CallRegistry::build_leg(Call& call,
                                                             const model::RemoteAudio& remote) {
    const auto refuse = [](std::string why) {
        return Refusal{488,
                       "Not Acceptable Here",
                       model::ended(EndReason::NotAcceptable, std::move(why)),
                       false};
    };
    if (remote.rtp_port == 0) return refuse("no audio over RTP/AVP was offered");
    if (!can_reach(remote)) {
        return refuse("the peer's media address is of another IP version than [rtp] address");
    }
    const auto chosen = model::choose_codec(remote, call.codecs);
    if (!chosen) return refuse("no codec of ours was offered");
    auto worker = parts_.workers->pick();
    call.info.worker = worker->stats().index;
    auto leg = media::PhoneLeg::create(
        {.id = call.id,
         .sockets = std::move(call.sockets),
         .chosen = *chosen,
         .codec_settings = {.opus_complexity = parts_.config->rtp.opus_complexity,
                            .opus_bitrate_bps = parts_.config->rtp.opus_bitrate_bps},
         .launch = call.launch,
         .fill = call.route->fill,
         .worker = worker,
         .bus = &bus_});
    if (!leg) {
        parts_.workers->give_back(*worker);
        return Refusal{500,
                       "Server Internal Error",
                       model::ended(EndReason::PipelineError, leg.error().text()),
                       false};
    }
    call.leg = std::move(*leg);
    call.rtcp_mux = chosen->rtcp_mux;
    call.info.codec = model::facts_of(chosen->codec).name;
    apply_remote(call, remote);
    return std::nullopt;
}

// A socket of one IP version cannot send to the other; the caller would get a 200 and silence.
bool CallRegistry::can_reach(const model::RemoteAudio& remote) const {
    const auto is_v6 = [](const std::string& address) {
        return address.find(':') != std::string::npos;
    };
    return is_v6(remote.address) == is_v6(parts_.config->rtp.address);
}

// ---- the answer ----

void CallRegistry::answer(Call& call) {
    if (call.ending) return;
    auto formats =
        call.leg ? model::answer_formats(call.leg->chosen()) : model::offer_formats(call.codecs);
    const auto direction =
        call.leg ? model::mirrored(call.remote_direction) : model::Direction::SendRecv;
    signalling_->answer(call.id, local_sdp(call, std::move(formats), direction));
}

model::LocalSdp CallRegistry::local_sdp(Call& call,
                                        std::vector<model::SdpFormat> formats,
                                        model::Direction direction) const {
    const config::Rtp& rtp = parts_.config->rtp;
    return {.session_id = call.session_id,
            .version = call.sdp_version++,
            .address = rtp.advertise.empty() ? rtp.address : rtp.advertise,
            .rtp_port = call.rtp_port,
            .direction = direction,
            .formats = std::move(formats),
            .rtcp_mux = call.rtcp_mux,
            .lines = call.offered_lines};
}

void CallRegistry::on_answer_sent(const CallId& id) {
    Call* call = get(id);
    if (!call || call->answered_ns != 0) return;
    call->answered_ns = base::monotonic_ns();
    call->info.answered_ns = base::realtime_ns();
    call->info.answer_ms = static_cast<double>(call->answered_ns - call->incoming_ns) / 1e6;
    call->info.state = call->leg && call->is_held() ? CallState::Held : CallState::Answered;
    ++answered_;
    if (call->leg) start_media(*call);
    log::write(Level::Info,
               Mark::Call,
               "call.answered",
               id.text,
               "answered",
               {{"after_ms", call->info.answer_ms},
                {"codec", call->info.codec},
                {"route", call->info.route},
                {"ai", call->info.ai},
                {"rtp_port", call->rtp_port},
                {"worker", call->info.worker}});
    if (parts_.hooks.on_answered) parts_.hooks.on_answered(call->info);
}

void CallRegistry::start_media(Call& call) {
    call.media_started_ns = base::monotonic_ns();
    call.expected_since_ns = call.media_started_ns;
    call.last_keepalive_ns = call.media_started_ns;
    if (auto started = call.leg->start(); !started) {
        end(call, model::ended(EndReason::PipelineError, started.error().text()), "SIP;cause=500");
        return;
    }
    parts_.ai->attach(call.id, *call.ai, call.leg->audio_port());
}

void CallRegistry::on_confirmed(const CallId& id, std::optional<model::RemoteSdp> answer) {
    Call* call = get(id);
    if (!call || call->ending) return;
    if (!answer) {
        if (!call->leg)
            end(*call,
                model::ended(EndReason::NotAcceptable, "the ACK carried no answer to our offer"),
                {});
        return;
    }
    if (call->leg) {  // the answer to an offer of ours in a re-INVITE, or what was before a
                      // cancelled one
        if (const auto chosen = model::choose_codec(answer->audio, {call->leg->chosen().codec})) {
            call->rtcp_mux = chosen->rtcp_mux;
            call->leg->renegotiate(*chosen);
        }
        call->offered_lines = answer->lines;
        apply_remote(*call, answer->audio);
        return;
    }
    if (auto refusal = build_leg(*call, answer->audio)) {
        end(*call, std::move(refusal->end), "SIP;cause=488");
        return;
    }
    start_media(*call);
}

// ---- hold, resume, a moved address ----

void CallRegistry::on_reoffer(const CallId& id, std::optional<model::RemoteSdp> offer) {
    Call* call = get(id);
    if (!call || !call->leg) {
        signalling_->reject(id, 491, "Request Pending");
        return;
    }
    const auto current = call->leg->chosen();
    if (!offer) {
        signalling_->answer(
            id, local_sdp(*call, model::answer_formats(current), model::Direction::SendRecv));
        return;
    }
    const bool is_usable = offer->audio.rtp_port != 0 && can_reach(offer->audio);
    const auto chosen =
        is_usable ? model::choose_codec(offer->audio, {current.codec}) : std::nullopt;
    if (!chosen) {
        // RFC 3261 §14.2: the session stays as it was.
        signalling_->reject(id, 488, "Not Acceptable Here");
        return;
    }
    call->rtcp_mux = chosen->rtcp_mux;
    call->leg->renegotiate(*chosen);
    call->offered_lines = offer->lines;
    apply_remote(*call, offer->audio);
    signalling_->answer(
        id,
        local_sdp(*call, model::answer_formats(*chosen), model::mirrored(call->remote_direction)));
}

void CallRegistry::apply_remote(Call& call, const model::RemoteAudio& remote) {
    const bool was_held = call.is_held();
    const bool was_expected = call.is_sound_expected();
    call.remote_direction = remote.direction;
    // Old-style hold (c=0.0.0.0) names no address: whom we heard so far stays the peer.
    const bool names_address = remote.address != "0.0.0.0" && remote.address != "::";
    const auto set = names_address ? call.leg->set_remote(remote) : base::Result<void>();
    if (!set) {
        log::write(
            Level::Warning, Mark::Warning, "call.bad_address", call.id.text, set.error().text());
    }
    const bool keeps = parts_.config->rtp.hold_media == config::HoldMedia::Keep;
    call.leg->set_sending(!call.is_held() || keeps);
    // A mere refresh must not put off the RTP timeout.
    if (!was_expected) call.expected_since_ns = base::monotonic_ns();
    if (was_held == call.is_held()) return;
    if (call.answered_ns != 0)
        call.info.state = call.is_held() ? CallState::Held : CallState::Answered;
    log::write(Level::Info,
               Mark::Call,
               call.is_held() ? "call.held" : "call.resumed",
               call.id.text,
               call.is_held() ? (keeps ? "the peer holds; filler goes on (hold_media = keep)"
                                       : "the peer holds and asked for nothing")
                              : "the peer is back");
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
    if (!call->leg) return base::fail(base::ErrorCode::Conflict, "the call has no media yet");
    return call->leg->send_digits(digits);
}

void CallRegistry::end(Call& call, CallEnd why, std::string reason_header) {
    call.ending = why;
    call.info.state = CallState::Ending;
    signalling_->hangup(call.id, std::move(why), std::move(reason_header));
}

void CallRegistry::on_ended(const CallId& id, CallEnd end) {
    const auto it = calls_.find(id);
    if (it == calls_.end()) return;
    auto call = std::move(it->second);
    calls_.erase(it);
    // What we decided stands, whatever the far end made of our BYE.
    finish(std::move(call), call->ending ? *call->ending : std::move(end));
    if (admission_.is_draining() && calls_.empty() && parts_.hooks.on_drained)
        parts_.hooks.on_drained();
}

void CallRegistry::finish(std::unique_ptr<Call> call, CallEnd end) {
    CallInfo info = info_of(*call);
    info.state = CallState::Ended;
    info.ended_ns = base::realtime_ns();
    if (call->leg) {
        parts_.ai->detach(call->id);
        parts_.workers->give_back(call->leg->worker());
        call->leg->retire(*parts_.reaper, {});
    }
    if (end.detail.empty()) end.detail = describe(info.stats);
    info.end = end;
    ++ended_[end.reason];
    const bool is_good = end.end_class == model::EndClass::Success;
    log::write(is_good ? Level::Info : Level::Warning,
               is_good ? Mark::Call : Mark::Warning,
               "call.ended",
               call->id.text,
               end.detail,
               {{"class", model::name_of(end.end_class)},
                {"reason", model::name_of(end.reason)},
                {"duration_ms",
                 info.answered_ns == 0 ? 0 : (info.ended_ns - info.answered_ns) / base::kNsPerMs},
                {"sent", info.stats.sent_packets},
                {"received", info.stats.received_packets},
                {"max_gap_ms", info.stats.max_gap_ms}});
    if (parts_.hooks.on_ended) parts_.hooks.on_ended(info);
    history_.push_back(std::move(info));
    if (history_.size() > kHistory) history_.pop_front();
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
    std::vector<CallId> ids;
    for (const auto& [id, call] : calls_) ids.push_back(id);
    for (const CallId& id : ids) {
        Call* call = get(id);
        if (call && !call->ending)
            end(*call, model::ended(EndReason::Drained, why), "SIP;cause=503;text=\"stopping\"");
    }
}

// ---- what others ask ----

CallInfo CallRegistry::info_of(const Call& call) {
    CallInfo info = call.info;
    if (call.leg) info.stats = call.leg->stats(call.answered_ns, base::monotonic_ns());
    return info;
}

std::vector<CallInfo> CallRegistry::calls(bool ended) const {
    std::vector<CallInfo> all;
    for (const auto& [id, call] : calls_) all.push_back(info_of(*call));
    if (ended) all.insert(all.end(), history_.begin(), history_.end());
    std::stable_sort(all.begin(), all.end(), [](const CallInfo& a, const CallInfo& b) {
        return a.created_ns < b.created_ns;
    });
    return all;
}

std::optional<CallInfo> CallRegistry::find(const CallId& id) const {
    if (const Call* call = get(id)) return info_of(*call);
    const auto it = std::find_if(
        history_.rbegin(), history_.rend(), [&](const CallInfo& info) { return info.id == id; });
    return it == history_.rend() ? std::nullopt : std::optional(*it);
}

model::CallDirectory::Totals CallRegistry::totals() const {
    constexpr double kAliveMs = 60;
    Totals totals;
    totals.started = started_;
    totals.answered = answered_;
    totals.active = calls_.size();
    for (const auto& [id, call] : calls_) {
        if (!call->leg || call->answered_ns == 0) continue;
        const auto stats = call->leg->stats(call->answered_ns, base::monotonic_ns());
        const bool sends = stats.since_last_sent_ms >= 0 && stats.since_last_sent_ms < kAliveMs;
        if (sends || call->is_held()) ++totals.alive;
    }
    totals.ended.assign(ended_.begin(), ended_.end());
    return totals;
}

model::HealthCheck CallRegistry::health() const {
    using Status = model::HealthCheck::Status;
    const Totals now = totals();
    model::HealthCheck check;
    check.status = Status::Ok;
    check.detail = std::to_string(now.active) + " active, " + std::to_string(now.alive) + " alive";
    const auto count = [this](bool (*matches)(const Call&)) {
        return std::count_if(calls_.begin(), calls_.end(), [&](const auto& entry) {
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
    check.figures = {{"active", static_cast<std::int64_t>(now.active)},
                     {"alive", static_cast<std::int64_t>(now.alive)},
                     {"total", static_cast<std::int64_t>(now.started)}};
    return check;
}

}  // namespace offhook::call
