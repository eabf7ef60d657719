// Calls that are in a channel: members' legs, callers of a route that leads into one, and calls that
// are supervised.

#include <chrono>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "call/call_registry.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::CallId;
using model::EndReason;

namespace {

Refusal no_place(const base::Error& error) {
    const bool is_full = error.code == base::ErrorCode::Conflict;
    return {is_full ? 486 : 404,
            is_full ? "Busy Here" : "Not Found",
            model::ended(is_full ? EndReason::LimitCalls : EndReason::NoRoute,
                         base::escape_untrusted(error.text())),
            false};
}

}  // namespace

// A route's channel takes the caller as soon as the call is taken, so that a full one is told before
// the call is answered.
std::optional<Refusal> CallRegistry::take_place(Call& call) {
    if (call.place) {
        if (parts_.channels != nullptr && parts_.channels->has(*call.place)) {
            note_place(call.id, call.place->channel, call.place->member);
            return std::nullopt;
        }
        return no_place({base::ErrorCode::NotFound, "the member is no longer in its channel", {}});
    }
    if (call.route->channel.empty()) return std::nullopt;
    if (parts_.channels == nullptr)
        return no_place({base::ErrorCode::NotFound, "there are no channels here", {}});
    auto member = parts_.channels->join_phone(call.route->channel, call.peer_name);
    if (!member) return no_place(member.error());
    call.place = {.channel = call.route->channel, .member = *member};
    call.is_own_member = true;
    note_place(call.id, call.place->channel, call.place->member);
    return std::nullopt;
}

channel::SeatedLeg CallRegistry::seated_leg(const Call& call) {
    return {.call = call.id,
            .worker = &call.leg->worker(),
            .take_seat = [this, id = call.id](std::shared_ptr<model::ChannelSeat> seat,
                                              std::function<void()> after) {
                Call* there = get(id);
                if (there && there->leg) there->leg->take_seat(std::move(seat), std::move(after));
            }};
}

void CallRegistry::seat(Call& call) {
    if (auto seated = parts_.channels->seat_leg(call.place->member, seated_leg(call)); !seated)
        end(call, model::ended(EndReason::ApiHangup, seated.error().text()), {});
}

void CallRegistry::leave_channel(Call& call) {
    if (parts_.channels == nullptr) return;
    parts_.channels->unseat_leg(call.id);
    if (call.is_own_member) parts_.channels->leave(call.place->member);
}

void CallRegistry::end_member(const CallId& id, const std::string& why) {
    Call* call = get(id);
    if (!call || call->ending) return;
    const bool has_left = why == "left";
    end(*call,
        model::ended(has_left ? EndReason::CallerHangup : EndReason::ApiHangup,
                     has_left ? "it left the channel" : "its place in the channel is gone: " + why),
        {});
}

void CallRegistry::note_place(const CallId& id,
                              const std::string& channel,
                              const model::MemberId& member) {
    Call* call = get(id);
    if (!call) return;
    call->info.channel = channel;
    call->info.member = member;
}

base::Result<std::string> CallRegistry::supervise(const CallId& id) {
    auto found = answered_call(id);
    if (!found) return tl::unexpected(found.error());
    Call& call = **found;
    if (parts_.channels == nullptr)
        return base::fail(base::ErrorCode::Unsupported, "there are no channels here");
    if (call.place) {
        return base::fail(
            base::ErrorCode::Conflict,
            "the call is in channel \"" + call.info.channel + "\": join that one instead");
    }
    if (call.media_started_ns == 0)
        return base::fail(base::ErrorCode::Conflict, "the call has no sound yet: try again");
    const model::AiState state = call.info.bot.state;
    return parts_.channels->supervise(
        {.name = call.peer_name,
         .kind = call.is_web() ? model::MemberKind::Browser : model::MemberKind::Phone,
         .leg = seated_leg(call),
         .port = call.leg->audio_port(),
         .ai = call.info.ai,
         .is_ai_live = state == model::AiState::Live || state == model::AiState::BuiltIn});
}

}  // namespace offhook::call
