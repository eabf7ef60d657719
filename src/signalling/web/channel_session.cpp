#include "signalling/web/channel_session.h"

#include <type_traits>
#include <utility>

#include "base/escape.h"
#include "base/monotonic.h"

namespace offhook::signalling::web {
namespace {

using connection::EndReason;

// RFC 6455 §7.4.1.
constexpr int kPolicyViolation = 1008, kTryAgainLater = 1013;

/// What the client is told of an end that the registry decides.
Refusal refusal_of(EndReason why, const std::string& detail) {
    switch (why) {
        case EndReason::Replaced:
            return {409, "replaced", "the same user joined this channel again", std::nullopt};
        case EndReason::Removed:
            return {410, "removed", detail, std::nullopt};
        case EndReason::HalfOpen:
            return {408, "timeout", "no join came", std::nullopt};
        case EndReason::Stale:
            return {408, "stale", detail, std::nullopt};
        case EndReason::Slow:
            return {408, "slow", detail, std::nullopt};
        case EndReason::Limit:
            return {429, "limit-reached", detail, std::nullopt};
        case EndReason::Shutdown:
            return {503, "unavailable", "the daemon stops", std::nullopt};
        default:
            return {503, "unavailable", detail, std::nullopt};
    }
}

Refusal refusal_of(const base::Error& error, std::chrono::seconds retry_after) {
    switch (error.code) {
        case base::ErrorCode::Denied:
        case base::ErrorCode::Timeout:
            return {401, "unauthorized", error.text(), std::nullopt};
        case base::ErrorCode::InvalidArgument:
        case base::ErrorCode::Malformed:
            return {400, "invalid-argument", error.text(), std::nullopt};
        case base::ErrorCode::Unsupported:
            return {403, "not-allowed", error.text(), std::nullopt};
        case base::ErrorCode::NotFound:
            return {404, "not-found", error.text(), std::nullopt};
        case base::ErrorCode::Conflict:
            return {409, "conflict", error.text(), std::nullopt};
        case base::ErrorCode::LimitReached:
            return {429, "limit-reached", error.text(), retry_after};
        case base::ErrorCode::Unavailable:
            return {503, "unavailable", error.text(), retry_after};
        default:
            return {500, "internal", error.text(), std::nullopt};
    }
}

constexpr std::chrono::seconds kRetryAfter{10};

/// Who told it, knows whether it may come back: all but those below may.
bool is_final(EndReason why) {
    return why == EndReason::Removed || why == EndReason::Left || why == EndReason::Limit ||
           why == EndReason::Shutdown || why == EndReason::Client;
}

}  // namespace

ChannelSession::ChannelSession(const ChannelSettings& settings,
                               const ChannelParts& parts,
                               ChannelHouse& house,
                               const http::Request& request,
                               std::unique_ptr<http::ServerWebSocket> socket)
    : settings_(settings),
      parts_(parts),
      house_(house),
      request_(request),
      socket_(std::move(socket)) {}

void ChannelSession::begin() {
    const auto keep = shared_from_this();
    socket_->listen(*this);
    minute_began_ns_ = base::monotonic_ns();
    auto id = parts_.registry.open({.kind = connection::Kind::Channel,
                                    .user = request_.user,
                                    .channel = {},
                                    .address = request_.remote,
                                    .forwarded_for = request_.forwarded_for,
                                    .user_agent = std::string(request_.header("user-agent")),
                                    .protocol = request_.protocol},
                                   *this);
    if (!id)
        return give_up(
            {refusal_of(id.error(), kRetryAfter)}, EndReason::Limit, close_code(EndReason::Limit));
    id_ = *std::move(id);
    timer_.once(parts_.context, settings_.join_limit, [this] {
        const auto self = shared_from_this();
        end(EndReason::HalfOpen, "no join came", false);
    });
    say(message_of(ChannelWelcome{
        .connection = id_,
        .ping = settings_.websocket.ping,
        .resume = std::chrono::duration_cast<std::chrono::seconds>(settings_.resume_limit)}));
}

void ChannelSession::end(EndReason why, const std::string& detail, bool /*must_cut*/) {
    const auto keep = shared_from_this();
    if (is_over_) return;
    say(error_message({refusal_of(why, detail)}));
    const bool is_taken_over =
        why == EndReason::Replaced && member_ != nullptr && !house_.is_coming_back(*member_);
    finish(why,
           detail,
           close_code(why),
           is_final(why) || is_taken_over ? Fate::Leaves : Fate::Away,
           why == EndReason::Replaced   ? model::EndReason::Replaced
           : why == EndReason::Shutdown ? model::EndReason::Drained
                                        : model::EndReason::ApiHangup);
}

void ChannelSession::on_websocket_message(std::string_view text) {
    const auto keep = shared_from_this();
    if (is_flooding()) {
        return give_up({{429, "too-many", "too many messages in a minute", kRetryAfter}},
                       EndReason::Limit,
                       close_code(EndReason::Limit));
    }
    auto message = read_channel_message(text);
    if (!message) return complain(std::move(message.error()));
    std::visit([this](auto&& each) { act(std::forward<decltype(each)>(each)); },
               *std::move(message));
}

void ChannelSession::on_websocket_closed(base::Error why, int code) {
    const auto keep = shared_from_this();
    constexpr int kNormal = 1000;
    const bool has_left = code == kNormal;
    finish(connection::reason_of(socket_->ended()),
           why.text(),
           kNormal,
           has_left ? Fate::Leaves : Fate::Away);
}

void ChannelSession::say(const std::string& message) {
    if (!is_over_) socket_->send(message);  // when it is full, `on_websocket_closed` comes
}

void ChannelSession::act(asked::Join join) {
    if (grant_) return complain({{409, "conflict", "it has joined", std::nullopt}});
    if (!join.resume.empty()) coming_back_ = house_.find(base::Secret(join.resume));
    auto grant = parts_.authenticate(request_, join);
    // Its token was good when it joined, and lives for minutes only; the secret is as good.
    if (!grant && grant.error().code == base::ErrorCode::Timeout && coming_back_ &&
        coming_back_->is_known_as(join.channel)) {
        grant = access::JoinGrant{};
        grant->user = coming_back_->place().user;
        grant->channel = join.channel;
        may_only_come_back_ = true;
    }
    if (!grant) {
        const Refusal refusal = refusal_of(grant.error(), kRetryAfter);
        parts_.registry.refused(refusal.code);
        return give_up({refusal}, EndReason::Broken, kPolicyViolation);
    }
    if (grant->channel != join.channel) {
        return give_up({{403, "not-allowed", "the token is for another channel", std::nullopt}},
                       EndReason::Broken,
                       kPolicyViolation);
    }
    if (grant->name.empty()) grant->name = join.name.empty() ? grant->user : join.name;
    if (coming_back_ && coming_back_->place().user != grant->user) {
        return give_up({{403, "not-allowed", "this place is another user's", std::nullopt}},
                       EndReason::Broken,
                       kPolicyViolation);
    }
    if (coming_back_ && !coming_back_->is_known_as(grant->channel)) coming_back_.reset();
    timer_.cancel();
    grant_ = *std::move(grant);
    // Where it was moved to meanwhile, it comes back to.
    const connection::Place place =
        coming_back_ ? coming_back_->place() : connection::Place{grant_->user, grant_->channel};
    parts_.registry.claim(id_, place, [weak = weak_from_this()](const base::Result<void>& granted) {
        if (const auto self = weak.lock()) self->on_granted(granted);
    });
}

void ChannelSession::on_granted(const base::Result<void>& granted) {
    const auto keep = shared_from_this();
    if (is_over_) return;
    if (!granted && granted.error().code == base::ErrorCode::Conflict)
        return end(EndReason::Replaced, granted.error().text(), false);
    if (!granted) {
        const bool is_away = granted.error().code == base::ErrorCode::Unavailable;
        return give_up({refusal_of(granted.error(), kRetryAfter)},
                       EndReason::Limit,
                       is_away ? kTryAgainLater : close_code(EndReason::Limit));
    }
    const auto back = std::exchange(coming_back_, nullptr);
    const bool is_resumed = back != nullptr && !back->is_here() && back->attach(*this);
    if (is_resumed) {
        member_ = back;
    } else if (may_only_come_back_) {
        return give_up({{401, "unauthorized", "the token has expired", std::nullopt}},
                       EndReason::Broken,
                       kPolicyViolation);
    } else {
        const connection::Place place{grant_->user, grant_->channel};
        house_.clear(place);
        auto member = house_.make(place);
        if (auto entered = member->enter(grant_->role, grant_->name); !entered) {
            return give_up(
                {refusal_of(entered.error(), kRetryAfter)}, EndReason::Limit, kPolicyViolation);
        }
        house_.add(member);
        if (!member->attach(*this)) {
            return give_up({{500, "internal", "the channel lost its place", kRetryAfter}},
                           EndReason::Broken,
                           kTryAgainLater);
        }
        member_ = std::move(member);
    }
    parts_.registry.live(id_);
    const auto channel = member_->channel();
    say(message_of(ChannelJoined{.channel = channel.value_or(model::ChannelInfo{}),
                                 .member = member_->id(),
                                 .resume = member_->resume().reveal(),
                                 .is_resumed = is_resumed,
                                 .ice_servers = settings_.ice_servers}));
    if (is_resumed && !is_over_) member_->catch_up();
}

void ChannelSession::act(asked::Offer offer) {
    if (is_member()) member_->offer(std::move(offer));
}

void ChannelSession::act(const asked::Candidate& candidate) {
    if (is_member()) member_->candidate(candidate);
}

void ChannelSession::act(const asked::Mute& mute) {
    if (is_member()) member_->mute(mute.is_muted);
}

void ChannelSession::act(const asked::Leave& /*leave*/) {
    finish(EndReason::Left, "it left the channel", close_code(EndReason::Left), Fate::Leaves);
}

void ChannelSession::act(const asked::Ping& ping) {
    say(pong_message(ping.t));
}

void ChannelSession::act(const asked::Diagnose& diagnose) {
    if (is_member()) member_->diagnose(diagnose.id);
}

void ChannelSession::act(asked::Stats stats) {
    if (is_member()) member_->take_report(std::move(stats.report));
}

void ChannelSession::on_moved(const connection::Place& place) {
    if (is_over_) return;
    connection::Facts now;
    now.kind = connection::Kind::Channel;
    now.channel = place.channel;
    parts_.registry.learn(id_, now);
    parts_.registry.claim(id_, place, [weak = weak_from_this()](const base::Result<void>& granted) {
        const auto self = weak.lock();
        if (!self || granted || granted.error().code != base::ErrorCode::Conflict) return;
        self->end(EndReason::Replaced, granted.error().text(), false);
    });
}

void ChannelSession::on_member_gone(std::string_view why) {
    const auto keep = shared_from_this();
    const EndReason reason = why == "removed" ? EndReason::Removed : EndReason::Left;
    say(removed_message(why));
    finish(reason, std::string(why), close_code(reason), Fate::Leaves);
}

bool ChannelSession::is_flooding() {
    constexpr std::int64_t kMinuteNs = 60 * base::kNsPerS;
    const std::int64_t now_ns = base::monotonic_ns();
    if (now_ns - minute_began_ns_ > kMinuteNs) {
        minute_began_ns_ = now_ns;
        messages_ = 0;
    }
    return ++messages_ > settings_.max_messages;
}

bool ChannelSession::is_member() {
    if (member_ != nullptr) return true;
    complain({{409, "conflict", "the first message is join; wait for joined", std::nullopt}});
    return false;
}

void ChannelSession::complain(Complaint complaint) {
    if (member_ == nullptr) return give_up(complaint, EndReason::Broken, kPolicyViolation);
    say(error_message(complaint));
}

void ChannelSession::give_up(const Complaint& complaint, EndReason why, int code) {
    say(error_message(complaint));
    finish(why, complaint.refusal.detail, code, Fate::Leaves, model::EndReason::CallerCancelled);
}

void ChannelSession::finish(
    EndReason why, const std::string& detail, int code, Fate fate, model::EndReason end) {
    if (std::exchange(is_over_, true)) return;
    const auto keep = shared_from_this();
    timer_.cancel();
    socket_->close(code, connection::name_of(why));
    coming_back_.reset();
    if (const auto member = std::exchange(member_, nullptr)) {
        if (fate == Fate::Leaves)
            member->leave(model::ended(end, base::escape_untrusted(detail)));
        else
            member->detach();
    }
    if (!id_.empty()) parts_.registry.ended(id_, why, detail);
    house_.forget(this);
}

}  // namespace offhook::signalling::web
