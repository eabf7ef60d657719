#include "call/web_media.h"

#include <utility>

namespace offhook::call {

using model::CallId;
using model::EndReason;

namespace {

Refusal refusal_of(const base::Error& error) {
    if (error.code == base::ErrorCode::Malformed) {
        return {400, "Bad Request", model::ended(EndReason::Malformed, error.text()), false};
    }
    if (error.code == base::ErrorCode::Unsupported) return not_acceptable(error.text());
    return {
        500, "Server Internal Error", model::ended(EndReason::PipelineError, error.text()), false};
}

model::LocalSdp described_by(std::string text) {
    model::LocalSdp sdp;
    sdp.web_text = std::move(text);
    return sdp;
}

}  // namespace

media::WebLeg& WebMedia::leg_of(Call& call) {
    return static_cast<media::WebLeg&>(*call.leg);
}

std::optional<Refusal> WebMedia::create(Call& call) {
    if (parts_.workers == nullptr) return not_acceptable("web legs are switched off");
    auto worker = parts_.workers->pick();
    call.info.worker = worker->stats().index;
    call.leg = media::WebLeg::create(
        {.id = call.id,
         .session_id = call.session_id,
         .codecs = call.codecs,
         .codec_settings = {.opus_complexity = parts_.config->rtp.opus_complexity,
                            .opus_bitrate_bps = parts_.config->rtp.opus_bitrate_bps},
         .quirks = call.quirks,
         .gap_limit = std::chrono::milliseconds(parts_.config->alarm.rtp_gap_ms),
         .launch = call.launch,
         .fill = call.info.fill,
         .worker = worker,
         .make_transport = parts_.make_transport,
         .bus = parts_.bus,
         .settings = parts_.settings,
         .control = parts_.control,
         .context = parts_.context,
         .reaper = parts_.reaper,
         .events = events_for(call.id)});
    return std::nullopt;
}

media::WebLeg::Events WebMedia::events_for(const CallId& id) const {
    const Events& events = parts_.events;
    return {
        .on_local = [&events,
                     id](std::string text) { events.on_local(id, described_by(std::move(text))); },
        .on_connected = [&events, id] { events.on_connected(id); },
        .on_failed = [&events, id](model::CallEnd end) { events.on_failed(id, std::move(end)); },
        .on_lost = [&events, id](bool is_lost) { events.on_lost(id, is_lost); },
        .on_restarted = [&events, id] { events.on_restarted(id); }};
}

std::optional<Refusal> WebMedia::accept(Call& call, const model::RemoteSdp& offer) {
    if (auto refusal = create(call)) return refusal;
    if (auto taken = leg_of(call).accept(offer.web_text, call.wanted_direction()); !taken)
        return refusal_of(taken.error());
    note_agreed(call);
    return std::nullopt;
}

std::optional<Refusal> WebMedia::offer(Call& call) {
    if (auto refusal = create(call)) return refusal;
    call.web.awaits_answer = true;
    if (auto offered = leg_of(call).offer(call.wanted_direction()); !offered)
        return refusal_of(offered.error());
    return std::nullopt;
}

std::optional<Refusal> WebMedia::take_answer(Call& call, const model::RemoteSdp& answer) {
    if (auto taken = renegotiate(call, answer); !taken) return refusal_of(taken.error());
    return std::nullopt;
}

base::Result<void> WebMedia::accept_again(Call& call, const model::RemoteSdp& offer) {
    if (auto taken = leg_of(call).accept(offer.web_text, call.wanted_direction()); !taken)
        return taken;
    note_agreed(call);
    return {};
}

base::Result<void> WebMedia::reoffer(Call& call) {
    call.web.awaits_answer = true;
    return leg_of(call).offer(call.wanted_direction());
}

base::Result<void> WebMedia::renegotiate(Call& call, const model::RemoteSdp& remote) {
    if (!call.web.awaits_answer) return accept_again(call, remote);
    if (auto taken = leg_of(call).take_answer(remote.web_text); !taken) return taken;
    note_agreed(call);
    return {};
}

void WebMedia::note_agreed(Call& call) {
    const media::WebLeg& leg = leg_of(call);
    call.web.awaits_answer = false;
    call.remote_direction = leg.remote_direction();
    call.info.codec = model::facts_of(leg.chosen().codec).name;
}

void WebMedia::add_candidates(Call& call, const std::vector<std::string>& candidates) {
    leg_of(call).add_candidates(candidates);
}

}  // namespace offhook::call
