#include "channel/channels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::channel {

using log::Level;
using log::Mark;
using model::CallId;
using model::ChannelPolicy;
using model::MemberId;
using model::MemberKind;
using model::MemberRole;

namespace {

constexpr std::size_t kMaxMembers = mixer::Matrix::kMaxMembers;
constexpr std::chrono::milliseconds kLookPeriod{100};
constexpr double kMinGainDb = -60;
constexpr double kMaxGainDb = 20;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::uint32_t kAiRateHz = 16'000;

base::Error no_channel(std::string_view name) {
    return {base::ErrorCode::NotFound,
            "there is no channel \"" + base::escape_untrusted(name, kMaxNameBytes) + "\"",
            {}};
}

base::Error no_member(const MemberId& id) {
    return {base::ErrorCode::NotFound,
            "there is no member " + base::escape_untrusted(id, kMaxNameBytes),
            {}};
}

void log_member(std::string_view event,
                std::string_view detail,
                const Channel& channel,
                const Member& member) {
    log::write(Level::Info,
               Mark::Call,
               event,
               member.call.text,
               detail,
               {{"channel", channel.name},
                {"member", member.id},
                {"kind", model::name_of(member.kind)},
                {"role", model::name_of(member.role)},
                {"members", channel.members.size()}});
}

}  // namespace

Channels::Channels(Parts parts) : parts_(std::move(parts)) {}

Channels::~Channels() {
    shut();
}

void Channels::shut() {
    alive_ = std::make_shared<int>(0);
    for (const auto& [name, channel] : channels_) dismiss_ai(*channel);
    channels_.clear();
    tell_timer_.cancel();
    look_timer_.cancel();
    told_.clear();
    changed_.clear();
}

void Channels::add(const std::vector<config::Channel>& configured) {
    for (const config::Channel& each : configured) {
        Channel& channel =
            make(each.name, model::channel_policy(each.policy).value_or(ChannelPolicy::Everybody));
        channel.is_permanent = true;
        channel.ai = each.ai;
        channel.max_members =
            std::clamp<std::size_t>(static_cast<std::size_t>(each.max_members), 1, kMaxMembers);
    }
}

// ---- the book ----

std::vector<model::ChannelInfo> Channels::channels() const {
    std::vector<model::ChannelInfo> all;
    all.reserve(channels_.size());
    for (const auto& [name, channel] : channels_) all.push_back(channel->info());
    return all;
}

std::optional<model::ChannelInfo> Channels::find(std::string_view channel) const {
    const Channel* there = get(channel);
    return there ? std::optional(there->info()) : std::nullopt;
}

Channel* Channels::get(std::string_view name) const {
    const auto it = channels_.find(name);
    return it == channels_.end() ? nullptr : it->second.get();
}

Channels::Found Channels::get_member(const MemberId& id) const {
    for (const auto& [name, channel] : channels_) {
        if (Member* member = channel->member(id)) return {channel.get(), member};
    }
    return {};
}

Channels::Found Channels::get_leg(const CallId& call) const {
    if (call.empty()) return {};
    for (const auto& [name, channel] : channels_) {
        if (Member* member = channel->member_of(call)) return {channel.get(), member};
    }
    return {};
}

Channel* Channels::get_call(const CallId& call) const {
    Channel* channel = get("call-" + call.text);
    return channel && channel->call ? channel : nullptr;
}

base::Result<Channels::Found> Channels::found(std::string_view name, const MemberId& id) const {
    Channel* channel = get(name);
    if (!channel) return tl::unexpected(no_channel(name));
    Member* member = channel->member(id);
    if (!member) return tl::unexpected(no_member(id));
    return Found{channel, member};
}

Channel& Channels::make(const std::string& name, ChannelPolicy policy) {
    auto channel = std::make_unique<Channel>(*parts_.control, parts_.workers);
    channel->name = name;
    channel->policy = policy;
    channel->created_ns = base::realtime_ns();
    return *channels_.insert_or_assign(name, std::move(channel)).first->second;
}

base::Result<void> Channels::create(const model::ChannelOrder& order) {
    // "ws" is where clients come in.
    if (!model::is_channel_name(order.name) || order.name.starts_with("call-") ||
        order.name == "ws") {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "the name of a channel is 1 to 64 letters, digits and -._~+, does not "
                          "begin with call-, and is not ws");
    }
    if (order.policy == ChannelPolicy::Call) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "the policy of a channel is everybody or supervised");
    }
    if (!order.ai.empty() && !(parts_.hooks.has_ai && parts_.hooks.has_ai(order.ai))) {
        return base::fail(
            base::ErrorCode::InvalidArgument,
            "there is no [[ai]] \"" + base::escape_untrusted(order.ai, kMaxNameBytes) + "\"");
    }
    if (get(order.name)) {
        return base::fail(base::ErrorCode::Conflict,
                          "there is a channel \"" + order.name + "\" already");
    }
    if (channels_.size() >= kMaxChannels) {
        return base::fail(base::ErrorCode::LimitReached,
                          "there are " + std::to_string(kMaxChannels) +
                              " channels already: close one that is not needed");
    }
    Channel& channel = make(order.name, order.policy);
    channel.is_permanent = true;
    channel.ai = order.ai;
    log::write(Level::Info,
               Mark::Call,
               "channel.created",
               {},
               "a channel was made",
               {{"channel", channel.name}, {"ai", channel.ai}});
    return {};
}

base::Result<void> Channels::close(std::string_view name) {
    Channel* channel = get(name);
    if (!channel) return tl::unexpected(no_channel(name));
    std::vector<MemberId> guests;
    for (const auto& each : channel->members) {
        if (!each->is_ai() && each->role != MemberRole::Caller) guests.push_back(each->id);
    }
    if (channel->call) {
        // The call goes on, on its direct path.
        channel->call->is_closing = true;
        channel->call->invited_until_ns = 0;
        for (const MemberId& id : guests) take_out(*channel, id, "channel-closed");
        channel->call->return_timer.cancel();
        if (channel->call->phase == SupervisedCall::Phase::Mixed) let_go(*channel);
        return {};
    }
    dismiss_ai(*channel);
    for (const MemberId& id : guests) take_out(*channel, id, "channel-closed");
    log::write(Level::Info,
               Mark::Call,
               "channel.closed",
               {},
               "a channel is no more",
               {{"channel", channel->name}});
    erase(channel->name);
    return {};
}

void Channels::erase(const std::string& name) {
    Channel* channel = get(name);
    if (!channel) return;
    channel->sound.stop();
    late_before_ += channel->sound.late_frames();
    changed_.erase(name);
    channels_.erase(name);
}

std::uint64_t Channels::late_frames_total() const {
    std::uint64_t total = late_before_;
    for (const auto& [name, channel] : channels_) total += channel->sound.late_frames();
    return total;
}

// ---- coming and going ----

base::Result<Member*> Channels::admit(const model::ChannelJoin& join,
                                      model::ChannelListener* listener) {
    Channel* channel = get(join.channel);
    if (!channel || (channel->call && channel->call->is_closing))
        return tl::unexpected(no_channel(join.channel));
    if (join.role == MemberRole::Caller || join.role == MemberRole::Ai ||
        join.kind == MemberKind::Ai) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "nobody can join as the caller or as an AI");
    }
    if (channel->call && !is_supervisor(join.role)) {
        return base::fail(base::ErrorCode::Denied,
                          "a supervised call is joined with the token that POST "
                          "/api/v1/calls/{id}/supervise gives");
    }
    const std::size_t spare = channel->ai.empty() || channel->ai_member() ? 0 : 1;
    if (channel->members.size() + spare >= channel->max_members) {
        return base::fail(base::ErrorCode::Conflict,
                          "channel \"" + channel->name + "\" is full: it has " +
                              std::to_string(channel->members.size()) + " members");
    }
    auto member = std::make_unique<Member>();
    member->id = make_member_id();
    member->kind = join.kind;
    member->role = join.role;
    member->user = base::escape_untrusted(join.user, kMaxNameBytes);
    member->name = base::escape_untrusted(join.name, kMaxNameBytes);
    member->listener = listener;
    member->joined_ns = base::realtime_ns();
    if (channel->call) channel->call->return_timer.cancel();
    Member& here = *channel->members.emplace_back(std::move(member));
    log_member("channel.joined", "somebody joins", *channel, here);
    changed(*channel);
    return &here;
}

base::Result<MemberId> Channels::join(const model::ChannelJoin& join,
                                      model::ChannelListener& listener) {
    auto member = admit(join, &listener);
    if (!member) return tl::unexpected(member.error());
    return (*member)->id;
}

base::Result<MemberId> Channels::join_phone(const std::string& channel, const std::string& name) {
    auto member = admit({.channel = channel,
                         .user = {},
                         .name = name,
                         .kind = MemberKind::Phone,
                         .role = MemberRole::Speaker},
                        nullptr);
    if (!member) return tl::unexpected(member.error());
    return (*member)->id;
}

void Channels::leave(const MemberId& id) {
    std::erase_if(told_, [&](const Told& each) {
        return each.member == id &&
               (each.what == Told::What::Removed || each.what == Told::What::Moved);
    });
    const Found there = get_member(id);
    if (!there || there.member->is_ai() || there.member->role == MemberRole::Caller) return;
    there.member->listener = nullptr;
    take_out(*there.channel, id, "left");
    after_leave(*there.channel);
}

// The member's entry goes at once; its leg ends when the loop comes round.
void Channels::take_out(Channel& channel, const MemberId& id, const std::string& why) {
    const auto it = std::find_if(channel.members.begin(),
                                 channel.members.end(),
                                 [&](const auto& each) { return each->id == id; });
    if (it == channel.members.end()) return;
    const std::unique_ptr<Member> member = std::move(*it);
    channel.members.erase(it);
    log_member("channel.left", why, channel, *member);
    if (member->listener != nullptr) {
        tell_later({.what = Told::What::Removed,
                    .member = id,
                    .listener = member->listener,
                    .call = {},
                    .why = why});
    }
    if (!member->is_ai() && !member->call.empty()) {
        tell_later({.what = Told::What::EndLeg,
                    .member = id,
                    .listener = nullptr,
                    .call = member->call,
                    .why = why});
    }
    if (member->has_sound()) channel.mix();
    changed(channel);
}

void Channels::after_leave(Channel& channel) {
    if (channel.guests() > 0) return;
    if (channel.call) return plan_return(channel);
    dismiss_ai(channel);
    channel.has_ai_gone = false;
    if (!channel.is_permanent) erase(channel.name);
}

base::Result<void> Channels::set_away(const MemberId& id, bool is_away) {
    const Found there = get_member(id);
    if (!there) return tl::unexpected(no_member(id));
    if (std::exchange(there.member->is_away, is_away) != is_away) changed(*there.channel);
    return {};
}

base::Result<void> Channels::mute_self(const MemberId& id, bool is_muted) {
    const Found there = get_member(id);
    if (!there) return tl::unexpected(no_member(id));
    there.member->is_muted_by_itself = is_muted;
    there.channel->sound.set_matrix(there.channel->matrix());
    changed(*there.channel);
    return {};
}

// ---- by an operator ----

base::Result<void> Channels::mute(std::string_view channel, const MemberId& id, bool is_muted) {
    const auto there = found(channel, id);
    if (!there) return tl::unexpected(there.error());
    there->member->is_muted_by_operator = is_muted;
    there->channel->sound.set_matrix(there->channel->matrix());
    changed(*there->channel);
    return {};
}

base::Result<void> Channels::set_gain(std::string_view channel, const MemberId& id, double db) {
    const auto there = found(channel, id);
    if (!there) return tl::unexpected(there.error());
    if (!(db >= kMinGainDb && db <= kMaxGainDb))
        return base::fail(base::ErrorCode::InvalidArgument, "gain_db is -60 to 20");
    there->member->gain_db = db;
    there->channel->sound.set_matrix(there->channel->matrix());
    changed(*there->channel);
    return {};
}

base::Result<void> Channels::remove(std::string_view channel, const MemberId& id) {
    const auto there = found(channel, id);
    if (!there) return tl::unexpected(there.error());
    if (there->channel->call &&
        (there->member->is_ai() || there->member->role == MemberRole::Caller)) {
        return base::fail(base::ErrorCode::Conflict,
                          "the call's own side stays as long as the call: hang it up instead");
    }
    if (there->member->is_ai()) {
        there->channel->has_ai_gone = true;
        dismiss_ai(*there->channel);
        return {};
    }
    take_out(*there->channel, id, "removed");
    after_leave(*there->channel);
    return {};
}

base::Result<void> Channels::move(std::string_view name, const MemberId& id, std::string_view to) {
    const auto there = found(name, id);
    if (!there) return tl::unexpected(there.error());
    Channel& from = *there->channel;
    Channel* target = get(to);
    if (!target) return tl::unexpected(no_channel(to));
    if (target == &from) return {};
    if (from.call || target->call || there->member->is_ai()) {
        return base::fail(base::ErrorCode::Conflict,
                          "nobody moves to or from a supervised call, and an AI stays");
    }
    const std::size_t spare = target->ai.empty() || target->ai_member() ? 0 : 1;
    if (target->members.size() + spare >= target->max_members) {
        return base::fail(base::ErrorCode::Conflict, "channel \"" + target->name + "\" is full");
    }
    if (!there->member->is_mixable)
        return base::fail(base::ErrorCode::Conflict, "it is being moved just now");
    const auto it = std::find_if(
        from.members.begin(), from.members.end(), [&](const auto& each) { return each->id == id; });
    Member& moved = *target->members.emplace_back(std::move(*it));
    from.members.erase(it);
    log_member("channel.moved", "somebody moves to another channel", *target, moved);
    if (moved.listener != nullptr) {
        tell_later({.what = Told::What::Moved,
                    .member = id,
                    .listener = moved.listener,
                    .call = {},
                    .why = {}});
    }
    if (!moved.call.empty()) {
        tell_later({.what = Told::What::Placed,
                    .member = id,
                    .listener = nullptr,
                    .call = moved.call,
                    .why = target->name});
    }
    if (moved.has_sound()) {
        // One mixer at a time reads what it says.
        moved.is_mixable = false;
        from.mix(guarded([this, id] {
            const Found arrived = get_member(id);
            if (!arrived) return;
            arrived.member->is_mixable = true;
            arrived.channel->mix();
            call_ai(*arrived.channel);
        }));
    }
    changed(from);
    changed(*target);
    after_leave(from);
    return {};
}

base::Result<void> Channels::set_role(std::string_view channel,
                                      const MemberId& id,
                                      MemberRole role) {
    const auto there = found(channel, id);
    if (!there) return tl::unexpected(there.error());
    if (role == MemberRole::Caller || role == MemberRole::Ai) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "role is speaker, listen, whisper, barge or take-over");
    }
    if (there->member->is_ai() || there->member->role == MemberRole::Caller) {
        return base::fail(base::ErrorCode::Conflict, "the caller and the AI keep their roles");
    }
    if (there->channel->call && !is_supervisor(role)) {
        return base::fail(base::ErrorCode::Conflict,
                          "in a supervised call the roles are listen, whisper, barge and "
                          "take-over");
    }
    there->member->role = role;
    there->channel->sound.set_matrix(there->channel->matrix());
    log_member("channel.role", "somebody has another role", *there->channel, *there->member);
    changed(*there->channel);
    return {};
}

// ---- legs ----

bool Channels::has(const model::ChannelPlace& place) const {
    const Channel* channel = get(place.channel);
    const Member* member = channel ? channel->member(place.member) : nullptr;
    return member && !member->is_ai() && member->role != MemberRole::Caller;
}

std::string Channels::channel_of(const MemberId& member) const {
    const Found there = get_member(member);
    return there ? there.channel->name : std::string();
}

base::Result<void> Channels::seat_leg(const MemberId& id, SeatedLeg leg) {
    const Found there = get_member(id);
    if (!there) return tl::unexpected(no_member(id));
    Member& member = *there.member;
    if (!member.call.empty() && member.call != leg.call) {
        tell_later({.what = Told::What::EndLeg,
                    .member = id,
                    .listener = nullptr,
                    .call = member.call,
                    .why = "replaced"});
    }
    member.call = leg.call;
    member.worker = leg.worker;
    member.sound = {.seat = std::make_shared<model::ChannelSeat>(),
                    .ai = nullptr,
                    .meter = std::make_shared<mixer::MixMeter>()};
    member.is_mixable = true;
    leg.take_seat(member.sound.seat, {});
    there.channel->mix();
    changed(*there.channel);
    call_ai(*there.channel);
    watch();
    return {};
}

void Channels::unseat_leg(const CallId& call) {
    if (Channel* supervised = get_call(call)) {
        std::vector<MemberId> all;
        for (const auto& each : supervised->members) all.push_back(each->id);
        for (const MemberId& id : all) {
            Member* member = supervised->member(id);
            member->sound = {};
            // The caller's own leg has ended, and with it what the AI belongs to.
            if (member->role == MemberRole::Caller) member->call = {};
            take_out(*supervised, id, "call-ended");
        }
        erase(supervised->name);
        return;
    }
    const Found there = get_leg(call);
    if (!there || there.member->is_ai()) return;
    there.member->call = {};
    there.member->worker = nullptr;
    there.member->sound = {};
    there.channel->mix();
    changed(*there.channel);
}

// ---- the AI of a channel ----

void Channels::call_ai(Channel& channel) {
    if (channel.ai.empty() || channel.call || channel.has_ai_gone || channel.ai_member()) return;
    const ChannelAi wanted{.session = CallId::make(),
                           .channel = channel.name,
                           .ai = channel.ai,
                           .port = std::make_shared<model::AudioPort>(kAiRateHz)};
    const AiComes comes = parts_.hooks.attach_ai ? parts_.hooks.attach_ai(wanted) : AiComes::No;
    if (comes == AiComes::No) {
        channel.has_ai_gone = true;
        return;
    }
    auto member = std::make_unique<Member>();
    member->id = make_member_id();
    member->kind = MemberKind::Ai;
    member->role = MemberRole::Ai;
    member->name = channel.ai;
    member->joined_ns = base::realtime_ns();
    member->call = wanted.session;
    member->is_ai_ready = comes == AiComes::AtOnce;
    member->sound = {
        .seat = nullptr, .ai = wanted.port, .meter = std::make_shared<mixer::MixMeter>()};
    log_member("channel.joined", "the channel's AI joins", channel, *member);
    channel.members.push_back(std::move(member));
    channel.mix();
    changed(channel);
}

void Channels::dismiss_ai(Channel& channel) {
    if (channel.call) return;
    const Member* ai = channel.ai_member();
    if (!ai) return;
    const CallId session = ai->call;
    const MemberId id = ai->id;
    take_out(channel, id, "dismissed");
    if (parts_.hooks.dismiss_ai) parts_.hooks.dismiss_ai(session);
}

void Channels::on_ai_state(const CallId& session, bool is_live, bool is_lost) {
    const Channel* supervised = get_call(session);
    Member* ai = supervised ? supervised->ai_member() : get_leg(session).member;
    if (!ai || !ai->is_ai()) return;
    ai->is_ai_ready = is_live;
    ai->is_ai_lost = is_lost;
    changed(supervised ? *supervised : *get_leg(session).channel);
}

void Channels::on_ai_gone(const CallId& session) {
    const Found there = get_leg(session);
    if (!there || !there.member->is_ai() || there.channel->call) return;
    there.channel->has_ai_gone = true;
    dismiss_ai(*there.channel);
}

// ---- telling ----

std::function<void()> Channels::guarded(std::function<void()> task) const {
    return [alive = std::weak_ptr<int>(alive_), task = std::move(task)] {
        if (!alive.expired()) task();
    };
}

std::function<void()> Channels::posted(std::function<void()> task) const {
    return [control = parts_.control, task = guarded(std::move(task))] { control->post(task); };
}

void Channels::changed(const Channel& channel) {
    changed_.insert(channel.name);
    wake_up();
}

void Channels::tell_later(Told told) {
    told_.push_back(std::move(told));
    wake_up();
}

void Channels::wake_up() {
    if (tell_timer_.is_armed()) return;
    tell_timer_.once(parts_.context, std::chrono::milliseconds(0), [this] { tell(); });
}

// Whoever is told may join, leave, and so on: everything is looked up anew for each.
void Channels::tell() {
    while (!told_.empty()) {
        const Told next = std::move(told_.front());
        told_.erase(told_.begin());
        switch (next.what) {
            case Told::What::Removed:
                next.listener->on_removed(next.why);
                break;
            case Told::What::Moved: {
                const Found there = get_member(next.member);
                if (there && there.member->listener != nullptr)
                    there.member->listener->on_moved(there.channel->info());
                break;
            }
            case Told::What::EndLeg:
                if (parts_.hooks.end_leg) parts_.hooks.end_leg(next.call, next.why);
                break;
            case Told::What::Placed:
                if (parts_.hooks.on_place) parts_.hooks.on_place(next.call, next.why, next.member);
                break;
        }
    }
    for (const std::string& name : std::exchange(changed_, {})) {
        const Channel* channel = get(name);
        if (!channel) continue;
        const model::ChannelInfo info = channel->info();
        for (const model::MemberInfo& each : info.members) {
            const Found there = get_member(each.id);
            if (there && there.channel->name == name && there.member->listener != nullptr)
                there.member->listener->on_members(info);
        }
    }
}

// Runs while somebody has sound.
void Channels::watch() {
    if (look_timer_.is_armed()) return;
    look_timer_.every(parts_.context, kLookPeriod, [this] { look(); });
}

void Channels::look() {
    bool has_sound = false;
    std::vector<std::string> others;
    for (const auto& [name, channel] : channels_) {
        if (channel->mixed().empty() && channel->speaking.empty()) continue;
        has_sound = true;
        std::vector<MemberId> speaking;
        for (const Member* each : channel->mixed()) {
            if (!each->is_muted() && each->sound.meter->is_speaking.load(std::memory_order_relaxed))
                speaking.push_back(each->id);
        }
        if (speaking == channel->speaking) continue;
        channel->speaking = std::move(speaking);
        others.push_back(name);
    }
    if (!has_sound) look_timer_.cancel();
    for (const std::string& name : others) {
        const Channel* channel = get(name);
        if (!channel) continue;
        const std::vector<MemberId> speaking = channel->speaking;
        for (const model::MemberInfo& each : channel->info().members) {
            const Found there = get_member(each.id);
            if (there && there.channel->name == name && there.member->listener != nullptr)
                there.member->listener->on_speaking(speaking);
        }
    }
}

}  // namespace offhook::channel
