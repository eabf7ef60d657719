// What a call's bot wants and how it fares: verbs, losses, what follows when it stays away.

#include <algorithm>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "call/call_registry.h"
#include "call/number_mask.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::AiState;
using model::CallId;
using model::EndReason;

namespace {

/// A bot that has not come up so long after its call began is missed.
constexpr std::int64_t kPatienceNs = 5 * base::kNsPerS;

bool is_missed(const model::CallInfo& call, std::int64_t now_ns) {
    if (call.bot.state == AiState::Lost) return true;
    return call.bot.state == AiState::Connecting && now_ns - call.bot.since_ns > kPatienceNs;
}

// It was there, and its connection ended in an orderly way.
bool has_said_goodbye(const Call& call) {
    if (call.bot.told != AiState::Live || !call.bot.stats) return false;
    const std::string why = model::figures_of(*call.bot.stats, base::monotonic_ns()).last_loss;
    return why.empty() || why == "finished" || why == "closed-by-peer";
}

std::string text_of(const ai::Fallback& next) {
    using Kind = ai::Fallback::Kind;
    switch (next.kind) {
        case Kind::Ai:
            return "ai:" + next.argument;
        case Kind::Prompt:
            return "prompt:" + next.argument;
        case Kind::Transfer:
            return "transfer:" + mask_numbers(next.argument);
        case Kind::HangUp:
            break;
    }
    return "hang-up";
}

}  // namespace

// ---- verbs ----

void CallRegistry::on_bot_request(const CallId& id, const ai::BotRequest& request) {
    Call* call = get(id);
    if (!call) return channel_bots_.on_request(id, request);
    if (call->ending) return;
    log::write(Level::Info,
               Mark::Call,
               "ai.verb",
               id.text,
               "the bot asks for it, and its route allows it",
               {{"verb", ai::name_of(request.verb)}, {"number", request.number}});
    base::Result<void> done;
    switch (request.verb) {
        case ai::BotVerb::HangUp:
            settle_verb(*call, request.number, request.verb, {});
            return end(*call, model::ended(EndReason::AiHangup, "the bot hung up"), {});
        case ai::BotVerb::Transfer:
            done = transfer(id, {.target = request.argument, .call = {}});
            if (!done) break;
            call->bot.transfer_verb = request.number;
            return;
        case ai::BotVerb::Hold:
        case ai::BotVerb::Resume:
            done = set_hold(id, request.verb == ai::BotVerb::Hold);
            if (!done) break;
            call->bot.hold_verb = request.number;
            return;
        case ai::BotVerb::SendDigits:
            done = send_dtmf(id, request.argument);
            break;
        case ai::BotVerb::PlayPrompt:  // the AI side's own
            return;
    }
    settle_verb(*call,
                request.number,
                request.verb,
                done ? std::nullopt : std::optional(done.error().text()));
}

void CallRegistry::settle_verb(Call& call,
                               std::uint64_t number,
                               ai::BotVerb verb,
                               const std::optional<std::string>& problem) {
    media_.tell(call,
                ai::VerbNews{.number = number,
                             .is_final = true,
                             .is_done = !problem,
                             .detail = base::escape_untrusted(problem.value_or(""))});
    if (parts_.hooks.on_bot_verb)
        parts_.hooks.on_bot_verb(ai::name_of(verb), problem ? "failed" : "done");
    if (!problem) return;
    log::write(Level::Warning,
               Mark::Warning,
               "ai.verb_failed",
               call.id.text,
               base::escape_untrusted(*problem),
               {{"verb", ai::name_of(verb)}, {"number", number}});
}

void CallRegistry::settle_hold_verb(Call& call, bool is_done, int status) {
    if (is_done) media_.tell(call, ai::HoldNews{.is_held = call.is_holding, .is_by_us = true});
    if (!call.bot.hold_verb) return;
    const std::uint64_t number = *std::exchange(call.bot.hold_verb, std::nullopt);
    settle_verb(
        call,
        number,
        ai::BotVerb::Hold,
        is_done ? std::nullopt : std::optional("the peer answered " + std::to_string(status)));
}

// A bot that asks again and again is told each time, the log once.
void CallRegistry::on_bot_refused(const CallId& id, const ai::BotRequest& request) {
    if (parts_.hooks.on_bot_verb) parts_.hooks.on_bot_verb(ai::name_of(request.verb), "refused");
    Call* call = get(id);
    if (!call) return;
    const unsigned bit = 1U << static_cast<unsigned>(request.verb);
    if ((std::exchange(call->bot.told_refusals, call->bot.told_refusals | bit) & bit) != 0) return;
    log::write(Level::Warning,
               Mark::Warning,
               "ai.refused",
               id.text,
               "the bot asks for something that its route does not allow; it was told. To allow "
               "it, add the verb to `verbs` of route \"" +
                   call->info.route + "\"",
               {{"verb", ai::name_of(request.verb)}});
}

// ---- how it fares ----

void CallRegistry::on_bot_state(const CallId& id, AiState state, const std::string& detail) {
    if (parts_.channels != nullptr)
        parts_.channels->on_ai_state(
            id, state == AiState::Live || state == AiState::BuiltIn, state == AiState::Lost);
    Call* call = get(id);
    if (!call) return;
    if (call->info.bot.state != state) call->info.bot.since_ns = base::realtime_ns();
    call->info.bot.state = state;
    call->info.bot.reason = base::escape_untrusted(detail);
    if (parts_.hooks.on_bot_state) parts_.hooks.on_bot_state(call->info, call->bot.stats);
    if (state != AiState::Live && state != AiState::Lost) return;
    if (state == AiState::Live) call->info.bot.media_path.clear();
    // Each try that fails may say that it is lost; that is one loss.
    const AiState before = std::exchange(call->bot.told, state);
    if (before == state) return;
    const model::AiFigures figures = call->bot.stats
                                         ? model::figures_of(*call->bot.stats, base::monotonic_ns())
                                         : model::AiFigures{};
    if (state == AiState::Lost) {
        if (parts_.hooks.on_bot_lost)
            parts_.hooks.on_bot_lost(call->info.bot.protocol, figures.last_loss);
        log::write(Level::Warning,
                   Mark::Warning,
                   "ai.lost",
                   id.text,
                   call->info.bot.reason,
                   {{"ai", call->info.ai},
                    {"at", call->info.bot.where},
                    {"why", figures.last_loss},
                    {"was_live", before == AiState::Live}});
        return;
    }
    if (before == AiState::Lost) {
        if (parts_.hooks.on_bot_back && figures.last_gap_ms >= 0)
            parts_.hooks.on_bot_back(figures.last_gap_ms / 1000);
        log::write(Level::Info,
                   Mark::Ok,
                   "ai.back",
                   id.text,
                   call->info.bot.reason,
                   {{"ai", call->info.ai},
                    {"gap_ms", figures.last_gap_ms},
                    {"replayed_ms", figures.replayed_ms},
                    {"attempts", figures.attempts}});
        return;
    }
    log::write(
        Level::Info,
        Mark::Ok,
        "ai.connected",
        id.text,
        call->info.bot.reason,
        {{"ai", call->info.ai},
         {"at", call->info.bot.where},
         {"after_answer_ms", static_cast<double>(base::monotonic_ns() - call->answered_ns) / 1e6}});
}

void CallRegistry::on_bot_waiting(const CallId& id, const std::string& path) {
    Call* call = get(id);
    if (!call) return;
    call->info.bot.media_path = base::escape_untrusted(path);
    log::write(Level::Info,
               Mark::Call,
               "ai.waiting",
               id.text,
               "the call waits for its bot to connect",
               {{"ai", call->info.ai}, {"path", call->info.bot.media_path}});
}

// ---- when it stays away ----

void CallRegistry::on_bot_fallback(const CallId& id, const ai::Fallback& next) {
    Call* call = get(id);
    if (!call) return channel_bots_.on_gone(id);
    if (call->ending || !call->bot.settings) return;
    const auto& list = call->bot.settings->fallback;
    const auto at = std::find_if(list.begin(), list.end(), [&](const ai::Fallback& each) {
        return each.kind == next.kind && each.argument == next.argument;
    });
    // What the session went by is behind it as well.
    call->bot.fallbacks_used +=
        static_cast<std::size_t>(at - list.begin()) + (at == list.end() ? 0 : 1);
    log::write(Level::Warning,
               Mark::Warning,
               "ai.fallback",
               id.text,
               "the bot is gone for good; what its route says follows",
               {{"ai", call->info.ai}, {"next", text_of(next)}});
    switch (next.kind) {
        case ai::Fallback::Kind::Ai:
            return take_next_ai(*call, next.argument);
        case ai::Fallback::Kind::Transfer: {
            call->bot.is_transferred_away = true;
            const auto done = transfer(id, {.target = next.argument, .call = {}});
            if (!done) return after_failed_transfer(*call, done.error().text());
            return;
        }
        case ai::Fallback::Kind::Prompt:
        case ai::Fallback::Kind::HangUp:
            return end_without_bot(*call);
    }
}

void CallRegistry::take_next_ai(Call& call, const std::string& name) {
    const auto& ais = parts_.config->ai;
    const auto ai =
        std::find_if(ais.begin(), ais.end(), [&](const auto& each) { return each.name == name; });
    if (ai == ais.end()) return end_without_bot(call);
    if (parts_.hooks.on_ai_left) parts_.hooks.on_ai_left(CallTable::info_of(call));
    call.ai = &*ai;
    call.info.ai = ai->name;
    media_.attach_ai(call);
    if (parts_.channels != nullptr)
        parts_.channels->set_call_ai(
            call.id, call.info.ai, call.info.bot.state == AiState::BuiltIn);
}

// What the list has next is the AI side's to say.
void CallRegistry::after_failed_transfer(Call& call, const std::string& why) {
    call.bot.is_transferred_away = false;
    log::write(Level::Warning,
               Mark::Warning,
               "ai.fallback_failed",
               call.id.text,
               "the caller could not be sent elsewhere: " + base::escape_untrusted(why));
    media_.tell(call, ai::VerbNews{.number = 0, .is_final = true, .is_done = false});
}

void CallRegistry::end_without_bot(Call& call) {
    const std::string& why = call.info.bot.reason;
    end(call,
        model::ended(EndReason::AiLost,
                     "the bot \"" + call.info.ai + "\" is gone" + (why.empty() ? "" : ": " + why)),
        "SIP;cause=503;text=\"no bot\"");
}

void CallRegistry::on_bot_finished(const CallId& id, const std::string& detail) {
    Call* call = get(id);
    if (!call) return channel_bots_.on_gone(id);
    if (call->ending) return;
    if (!has_said_goodbye(*call)) {
        if (!detail.empty()) call->info.bot.reason = base::escape_untrusted(detail);
        return end_without_bot(*call);
    }
    const std::string said = base::escape_untrusted(detail);
    end(*call,
        model::ended(EndReason::AiHangup, said.empty() ? "the bot ended the call" : said),
        {});
}

model::HealthCheck CallRegistry::ai_health() const {
    using Status = model::HealthCheck::Status;
    const std::int64_t now_ns = base::realtime_ns();
    std::int64_t bots = 0;
    std::int64_t live = 0;
    std::int64_t missed = 0;
    const model::CallInfo* longest = nullptr;
    std::vector<model::CallInfo> calls = calls_.calls(false);
    for (const model::CallInfo& call : calls) {
        if (call.bot.state == AiState::None || call.bot.state == AiState::BuiltIn) continue;
        ++bots;
        if (call.bot.state == AiState::Live) ++live;
        if (!is_missed(call, now_ns)) continue;
        ++missed;
        if (longest == nullptr || call.bot.since_ns < longest->bot.since_ns) longest = &call;
    }
    const std::size_t configured = parts_.config->ai.size();
    model::HealthCheck check;
    check.status = Status::Ok;
    check.detail = std::to_string(configured) + " configured, " + std::to_string(live) + " of " +
                   std::to_string(bots) + " calls have their bot";
    if (bots == 0) check.detail = std::to_string(configured) + " configured, no bot is on a call";
    if (longest != nullptr) {
        const std::int64_t since_s = (now_ns - longest->bot.since_ns) / base::kNsPerS;
        check.status = Status::Degraded;
        check.detail =
            std::to_string(missed) + " of " + std::to_string(bots) +
            " calls are without their bot, the longest for " + std::to_string(since_s) + " s (\"" +
            longest->ai + "\" " +
            (longest->bot.where.empty() ? "that comes to us" : longest->bot.where) +
            "): " + (longest->bot.reason.empty() ? "it does not answer" : longest->bot.reason);
    }
    check.figures = {{"configured", static_cast<std::int64_t>(configured)},
                     {"on_calls", bots},
                     {"live", live},
                     {"missed", missed}};
    return check;
}

}  // namespace offhook::call
