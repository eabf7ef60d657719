// Calls that are supervised: how they leave their direct path and come back to it.

#include <algorithm>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "channel/channels.h"

namespace offhook::channel {

using log::Level;
using log::Mark;
using model::CallId;
using model::MemberId;
using model::MemberKind;
using model::MemberRole;

namespace {

constexpr std::size_t kMaxMembers = mixer::Matrix::kMaxMembers;
constexpr std::size_t kMaxNameBytes = 128;

}  // namespace

base::Result<std::string> Channels::supervise(WatchedCall watched) {
    const CallId id = watched.leg.call;
    const std::int64_t until_ns =
        base::monotonic_ns() + std::chrono::nanoseconds(kInvitation).count();
    if (Channel* there = get_call(id)) {
        there->call->is_closing = false;
        there->call->invited_until_ns = until_ns;
        if (there->guests() == 0) plan_return(*there);
        return there->name;
    }
    if (const Found there = get_leg(id)) {
        return base::fail(
            base::ErrorCode::Conflict,
            "the call is in channel \"" + there.channel->name + "\": join that one instead");
    }
    if (channels_.size() >= kMaxChannels)
        return base::fail(base::ErrorCode::LimitReached, "there are too many channels already");
    Channel& channel = make("call-" + id.text, model::ChannelPolicy::Supervised);
    channel.max_members = kMaxMembers;
    channel.ai = watched.ai;
    auto caller = std::make_unique<Member>();
    caller->id = make_member_id();
    caller->kind = watched.kind;
    caller->role = MemberRole::Caller;
    caller->name = base::escape_untrusted(watched.name, kMaxNameBytes);
    caller->joined_ns = channel.created_ns;
    caller->call = id;
    caller->worker = watched.leg.worker;
    auto ai = std::make_unique<Member>();
    ai->id = make_member_id();
    ai->kind = MemberKind::Ai;
    ai->role = MemberRole::Ai;
    ai->name = watched.ai;
    ai->joined_ns = channel.created_ns;
    ai->is_ai_ready = watched.is_ai_live;
    channel.members.push_back(std::move(caller));
    channel.members.push_back(std::move(ai));
    channel.call.emplace();
    channel.call->leg = std::move(watched.leg);
    channel.call->port = std::move(watched.port);
    channel.call->invited_until_ns = until_ns;
    log::write(Level::Info,
               Mark::Call,
               "channel.supervised",
               id.text,
               "the call is a channel now, that supervisors may join",
               {{"channel", channel.name}});
    tell_later({.what = Told::What::Placed,
                .member = {},
                .listener = nullptr,
                .call = id,
                .why = channel.name});
    open(channel);
    plan_return(channel);
    return channel.name;
}

void Channels::set_call_ai(const CallId& call, const std::string& ai, bool is_live) {
    Channel* channel = get_call(call);
    if (!channel) return;
    channel->ai = ai;
    if (Member* member = channel->ai_member()) {
        member->name = ai;
        member->is_ai_ready = is_live;
        member->is_ai_lost = false;
    }
    changed(*channel);
}

bool Channels::is_wanted(const Channel& channel) const {
    return channel.guests() > 0 || base::monotonic_ns() < channel.call->invited_until_ns;
}

void Channels::open(Channel& channel) {
    SupervisedCall& call = *channel.call;
    call.phase = SupervisedCall::Phase::Opening;
    for (const auto& each : channel.members) {
        if (each->role != MemberRole::Caller) continue;
        each->sound = {.seat = std::make_shared<model::ChannelSeat>(),
                       .ai = nullptr,
                       .meter = std::make_shared<mixer::MixMeter>()};
        channel.mix();
        call.leg.take_seat(each->sound.seat, posted([this, id = call.leg.call] { on_seated(id); }));
    }
    watch();
}

void Channels::on_seated(const CallId& id) {
    Channel* channel = get_call(id);
    if (!channel || channel->call->phase != SupervisedCall::Phase::Opening) return;
    channel->call->phase = SupervisedCall::Phase::Mixed;
    if (Member* ai = channel->ai_member()) {
        ai->sound = {.seat = nullptr,
                     .ai = channel->call->port,
                     .meter = std::make_shared<mixer::MixMeter>()};
    }
    channel->mix();
    changed(*channel);
    if (!is_wanted(*channel)) let_go(*channel);
}

void Channels::plan_return(Channel& channel) {
    SupervisedCall& call = *channel.call;
    const std::int64_t invited_ms =
        (call.invited_until_ns - base::monotonic_ns()) / base::kNsPerMs + 1;
    const auto wait = std::max(parts_.return_after, std::chrono::milliseconds(invited_ms));
    call.return_timer.once(parts_.context, wait, [this, id = call.leg.call] {
        Channel* there = get_call(id);
        if (!there || is_wanted(*there)) return;
        if (there->call->phase == SupervisedCall::Phase::Mixed) let_go(*there);
    });
}

void Channels::let_go(Channel& channel) {
    SupervisedCall& call = *channel.call;
    call.phase = SupervisedCall::Phase::Returning;
    if (Member* ai = channel.ai_member()) ai->sound = {};
    channel.mix(guarded([this, id = call.leg.call] { on_let_go(id); }));
}

void Channels::on_let_go(const CallId& id) {
    Channel* channel = get_call(id);
    if (!channel || channel->call->phase != SupervisedCall::Phase::Returning) return;
    channel->call->leg.take_seat(nullptr, posted([this, id] { on_direct(id); }));
}

void Channels::on_direct(const CallId& id) {
    Channel* channel = get_call(id);
    if (!channel || channel->call->phase != SupervisedCall::Phase::Returning) return;
    // Somebody came while it went.
    if (is_wanted(*channel)) return open(*channel);
    log::write(Level::Info,
               Mark::Call,
               "channel.direct",
               id.text,
               "the last supervisor is gone; the call is on its direct path again",
               {{"channel", channel->name}});
    std::vector<MemberId> all;
    for (const auto& each : channel->members) all.push_back(each->id);
    for (const MemberId& member : all) {
        channel->member(member)->call = {};
        take_out(*channel, member, "direct");
    }
    erase(channel->name);
    tell_later(
        {.what = Told::What::Placed, .member = {}, .listener = nullptr, .call = id, .why = {}});
}

}  // namespace offhook::channel
