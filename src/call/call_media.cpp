#include "call/call_media.h"

#include <utility>

#include "base/log.h"
#include "base/monotonic.h"
#include "call/bot_call.h"
#include "config/bot_url.h"
#include "config/keys.h"

namespace offhook::call {

using log::Level;
using log::Mark;

namespace {

// A peer cannot move between RTP and ICE with DTLS inside a call: the two share neither sockets nor
// keys.
base::Result<void> check_kind(const Call& call, const model::RemoteSdp& remote) {
    if (call.is_web() == !remote.web_text.empty()) return {};
    return base::fail(base::ErrorCode::Unsupported,
                      call.is_web() ? "this call's sound is ICE with DTLS-SRTP, and the "
                                      "description is of something else"
                                    : "this call's sound is RTP, and the description is of ICE "
                                      "with DTLS-SRTP");
}

}  // namespace

CallMedia::CallMedia(Parts parts)
    : parts_(std::move(parts)),
      phone_({.config = parts_.config,
              .workers = parts_.workers,
              .bus = parts_.bus,
              .learned_address = parts_.learned_address}),
      web_({.config = parts_.config,
            .workers = parts_.web_workers,
            .settings = parts_.web_settings,
            .make_transport = parts_.make_transport,
            .reaper = parts_.reaper,
            .bus = parts_.bus,
            .control = parts_.control,
            .context = parts_.context,
            .events = parts_.events}) {}

// ---- the first descriptions ----

std::optional<Refusal> CallMedia::accept(Call& call, const model::RemoteSdp& offer) {
    if (call.is_web()) {
        if (auto refusal = web_.accept(call, offer)) return refusal;
    } else {
        if (auto refusal = phone_.reserve(call, &offer)) return refusal;
        if (auto refusal = phone_.build(call, offer)) return refusal;
    }
    call.is_agreed = true;
    follow(call, false, false);
    if (!call.is_web()) parts_.events.on_local(call.id, phone_.answer(call));
    return std::nullopt;
}

std::optional<Refusal> CallMedia::offer(Call& call) {
    if (call.is_web()) return web_.offer(call);
    if (auto refusal = phone_.reserve(call, nullptr)) return refusal;
    parts_.events.on_local(call.id, phone_.offer(call));
    return std::nullopt;
}

std::optional<Refusal> CallMedia::take_answer(Call& call, const model::RemoteSdp& answer) {
    if (auto fits = check_kind(call, answer); !fits) return not_acceptable(fits.error().text());
    if (auto refusal =
            call.is_web() ? web_.take_answer(call, answer) : phone_.build(call, answer)) {
        return refusal;
    }
    call.is_agreed = true;
    call.note_exchange();
    follow(call, false, false);
    return std::nullopt;
}

// ---- later ones ----

base::Result<void> CallMedia::accept_again(Call& call, const model::RemoteSdp& offer) {
    if (auto fits = check_kind(call, offer); !fits) return fits;
    const bool was_held = call.is_held();
    const bool was_expected = call.is_sound_expected();
    if (auto done =
            call.is_web() ? web_.accept_again(call, offer) : phone_.renegotiate(call, offer);
        !done) {
        return done;
    }
    follow(call, was_held, was_expected);
    if (!call.is_web()) parts_.events.on_local(call.id, phone_.answer(call));
    return {};
}

base::Result<void> CallMedia::reoffer(Call& call) {
    if (call.is_web()) return web_.reoffer(call);
    parts_.events.on_local(call.id, phone_.reoffer(call));
    return {};
}

base::Result<void> CallMedia::renegotiate(Call& call, const model::RemoteSdp& remote) {
    if (auto fits = check_kind(call, remote); !fits) return fits;
    const bool was_held = call.is_held();
    const bool was_expected = call.is_sound_expected();
    if (auto done =
            call.is_web() ? web_.renegotiate(call, remote) : phone_.renegotiate(call, remote);
        !done) {
        return done;
    }
    follow(call, was_held, was_expected);
    return {};
}

void CallMedia::follow(Call& call, bool was_held, bool was_expected) {
    const bool keeps = parts_.config->rtp.hold_media == config::HoldMedia::Keep;
    call.leg->set_sending(!call.is_held() || keeps);
    // A mere refresh must not put off the RTP timeout.
    if (!was_expected) call.expected_since_ns = base::monotonic_ns();
    if (was_held == call.is_held()) return;
    call.update_state();
    tell(call, ai::HoldNews{.is_held = call.is_held(), .is_by_us = false});
    log::write(Level::Info,
               Mark::Call,
               call.is_held() ? "call.held" : "call.resumed",
               call.id.text,
               call.is_held() ? (keeps ? "the peer holds; filler goes on (hold_media = keep)"
                                       : "the peer holds and asked for nothing")
                              : "the peer is back");
}

// ---- the sound ----

base::Result<void> CallMedia::start(Call& call) {
    call.media_started_ns = base::monotonic_ns();
    call.expected_since_ns = call.media_started_ns;
    call.last_keepalive_ns = call.media_started_ns;
    if (auto started = call.leg->start(); !started) return started;
    if (!call.place) attach_ai(call);
    return {};
}

void CallMedia::attach_ai(Call& call) {
    const config::Ai& ai = *call.ai;
    std::shared_ptr<const ai::BotSettings> settings;
    if (parts_.bot) {
        settings = parts_.bot(
            {.route = *call.route, .ai = ai.name, .fallbacks_used = call.bot.fallbacks_used});
    }
    if (!settings) {
        auto bare = std::make_shared<ai::BotSettings>();
        bare->ai = ai;
        settings = std::move(bare);
    }
    call.bot.settings = settings;
    call.bot.stats = std::make_shared<model::AiStats>();
    call.bot.told = model::AiState::None;
    call.info.bot = {.protocol = std::string(config::name_of(ai.protocol)),
                     .state = config::is_built_in(ai.protocol) ? model::AiState::BuiltIn
                                                               : model::AiState::Connecting,
                     .since_ns = base::realtime_ns()};
    if (const auto url = config::parse_bot_url(ai.url)) call.info.bot.where = url->where();
    parts_.ai->attach({.call = bot_call_of(call, *settings),
                       .settings = std::move(settings),
                       .port = call.leg->audio_port(),
                       .stats = call.bot.stats});
}

void CallMedia::tell(const Call& call, ai::CallNews news) {
    if (call.bot.settings) parts_.ai->tell(call.id, std::move(news));
}

void CallMedia::mute(Call& call, bool is_muted) {
    call.leg->audio_port()->is_voice_muted.store(is_muted, std::memory_order_relaxed);
}

void CallMedia::dismiss_ai(Call& call, model::EndReason why) {
    tell(call, ai::EndNews{why});
}

void CallMedia::stop(Call& call, model::EndReason why) {
    if (!call.leg) return;
    tell(call, ai::EndNews{why});
    (call.is_web() ? parts_.web_workers : parts_.workers)->give_back(call.leg->worker());
    call.leg->retire(*parts_.reaper, {});
}

}  // namespace offhook::call
