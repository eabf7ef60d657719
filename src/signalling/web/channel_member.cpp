#include "signalling/web/channel_member.h"

#include <algorithm>
#include <utility>

#include "base/escape.h"
#include "base/monotonic.h"
#include "signalling/web/channel_diagnosis.h"
#include "signalling/web/random_id.h"

namespace offhook::signalling::web {
namespace {

constexpr std::size_t kMaxAgentBytes = 256;

model::CallEnd lost() {
    return model::ended(model::EndReason::TransportLost,
                        "its signalling was lost, and it did not come back");
}

}  // namespace

ChannelMember::ChannelMember(const ChannelSettings& settings,
                             const ChannelParts& parts,
                             connection::Place place,
                             Gone gone)
    : settings_(settings),
      parts_(parts),
      place_(std::move(place)),
      joined_channel_(place_.channel),
      gone_(std::move(gone)),
      resume_(random_id() + random_id()) {}

base::Result<void> ChannelMember::enter(model::MemberRole role, const std::string& name) {
    auto id = parts_.channels.join({.channel = place_.channel,
                                    .user = place_.user,
                                    .name = name,
                                    .kind = model::MemberKind::Browser,
                                    .role = role},
                                   *this);
    if (!id) return tl::unexpected(std::move(id.error()));
    id_ = *std::move(id);
    return {};
}

void ChannelMember::leave(const model::CallEnd& why) {
    if (is_gone()) return;
    const auto keep = shared_from_this();
    end(why);
}

void ChannelMember::give_way() {
    if (is_gone()) return;
    const auto keep = shared_from_this();
    ChannelLine* line =
        end(model::ended(model::EndReason::Replaced, "the same user joined this channel again"));
    if (line != nullptr) line->on_member_gone("replaced");
}

bool ChannelMember::attach(ChannelLine& line) {
    if (is_gone()) return false;
    if (!parts_.channels.set_away(id_, false)) {
        leave(model::ended(model::EndReason::InternalError, "the channel does not know it"));
        return false;
    }
    line_ = &line;
    away_timer_.cancel();
    stats_timer_.every(parts_.context, settings_.stats_period, [this] { tell_stats(); });
    return true;
}

void ChannelMember::detach() {
    if (is_gone()) return;
    const auto keep = shared_from_this();
    line_ = nullptr;
    stats_timer_.cancel();
    lost_ns_ = base::monotonic_ns();
    if (!parts_.channels.set_away(id_, true)) return leave(lost());
    away_timer_.once(parts_.context, settings_.resume_limit, [this] { leave(lost()); });
}

void ChannelMember::catch_up() {
    const std::int64_t unsure_ns = std::chrono::nanoseconds(settings_.resume_limit).count();
    // What was queued just before the connection was lost may not have come either.
    const bool is_unsure = exchange_.was_missed || lost_ns_ - exchange_.answered_ns < unsure_ns;
    if (exchange_.answer.empty() || !is_unsure) return;
    exchange_.was_missed = false;
    say(exchange_.answer);
}

void ChannelMember::offer(asked::Offer offer) {
    const auto keep = shared_from_this();
    // One that was sent again, as nobody knows what became of it.
    const bool is_repeat = offer.id && offer.id == exchange_.id && !call_.empty();
    if (is_repeat) {
        if (!exchange_.answer.empty()) say(exchange_.answer);
        return;
    }
    if (call_.empty() && !is_offering_) return begin_leg(std::move(offer));
    const auto id = offer.id;
    const std::uint32_t exchange =
        is_offering_ ? 0 : parts_.signaller.reoffer(call_, std::move(offer.sdp));
    if (exchange == 0)
        return complain({409, "conflict", "another offer waits for its answer", std::nullopt}, id);
    exchange_ = {.id = id, .answer = {}, .answered_ns = 0, .was_missed = false};
}

void ChannelMember::begin_leg(asked::Offer offer) {
    const http::Request& request = line_->request();
    exchange_ = {.id = offer.id, .answer = {}, .answered_ns = 0, .was_missed = false};
    is_offering_ = true;
    model::CallId call = parts_.signaller.join(
        {.door = Door::Channel,
         .to = place_.channel,
         .remote = request.remote,
         .user_agent = std::string(request.header("user-agent").substr(0, kMaxAgentBytes)),
         .local_address = {},
         .offer = std::move(offer.sdp),
         .place = model::ChannelPlace{.channel = place_.channel, .member = id_}},
        *this);
    // It may have been refused, and this be gone, by now.
    const bool is_over = !std::exchange(is_offering_, false);
    if (is_gone())
        parts_.signaller.leave(call, model::ended(model::EndReason::CallerHangup));
    else if (!is_over)
        call_ = std::move(call);
}

void ChannelMember::candidate(const asked::Candidate& candidate) {
    if (call_.empty()) {
        return complain(
            {409, "conflict", "there is no leg: a candidate follows an offer", std::nullopt});
    }
    const bool is_end = candidate.text.empty();
    std::vector<std::string> all;
    if (!is_end) all.push_back(candidate.text);
    parts_.signaller.candidates(call_, std::move(all), is_end);
}

void ChannelMember::mute(bool is_muted) {
    if (auto done = parts_.channels.mute_self(id_, is_muted); !done)
        complain({409, "conflict", done.error().text(), std::nullopt});
}

void ChannelMember::diagnose(std::optional<std::int64_t> id) {
    ChannelPatient patient;
    if (auto channel = this->channel()) patient.channel = *std::move(channel);
    for (const model::MemberInfo& member : patient.channel.members)
        if (member.id == id_) patient.member = member;
    const model::CallId& call = call_.empty() ? last_call_ : call_;
    if (!call.empty()) patient.call = parts_.find_call(call);
    patient.client = report_;
    say(diagnosis_message(findings_of(patient, base::realtime_ns()), id));
}

std::optional<model::ChannelInfo> ChannelMember::channel() const {
    return parts_.channels.find(place_.channel);
}

void ChannelMember::on_members(const model::ChannelInfo& channel) {
    const auto keep = shared_from_this();
    say(members_message(channel));
}

void ChannelMember::on_speaking(const std::vector<model::MemberId>& speaking) {
    const auto keep = shared_from_this();
    say(speaking_message(speaking));
}

void ChannelMember::on_removed(std::string_view why) {
    const auto keep = shared_from_this();
    ChannelLine* line =
        end(model::ended(model::EndReason::ApiHangup, "its place in the channel is gone"));
    if (line != nullptr) line->on_member_gone(why);
}

void ChannelMember::on_moved(const model::ChannelInfo& to) {
    const auto keep = shared_from_this();
    place_.channel = to.name;
    say(moved_message(to));
    if (line_ != nullptr) line_->on_moved(place_);
}

void ChannelMember::on_answer(const std::string& sdp, std::uint32_t /*exchange*/) {
    const auto keep = shared_from_this();
    exchange_.answer = answer_message(sdp, exchange_.id);
    exchange_.answered_ns = base::monotonic_ns();
    exchange_.was_missed = line_ == nullptr;
    say(exchange_.answer);
}

void ChannelMember::on_refused(const Refusal& refusal, std::uint32_t exchange) {
    const auto keep = shared_from_this();
    if (exchange == 0) {
        is_offering_ = false;
        call_ = {};
    }
    const auto id = std::exchange(exchange_, {}).id;
    if (line_ == nullptr && exchange == 0)
        return leave(model::ended(model::EndReason::TransportLost, refusal.detail));
    complain(refusal, id);
}

void ChannelMember::on_over(const model::CallEnd& why) {
    const auto keep = shared_from_this();
    is_offering_ = false;
    last_call_ = std::exchange(call_, {});
    exchange_ = {};
    // Neither its signalling nor its sound is here: nothing is left that could come back.
    if (line_ == nullptr) return leave(why);
    const std::string detail = why.detail.empty() ? "its leg ended" : why.detail;
    say(error_message({{503, "leg-ended", detail, std::nullopt}}, model::name_of(why.reason)));
}

void ChannelMember::complain(Refusal refusal, std::optional<std::int64_t> id) {
    say(error_message({std::move(refusal), id}));
}

void ChannelMember::tell_stats() {
    if (call_.empty()) return;
    const auto keep = shared_from_this();
    const auto call = parts_.find_call(call_);
    const auto channel = this->channel();
    if (!call || !channel) return;
    const auto self = std::find_if(channel->members.begin(),
                                   channel->members.end(),
                                   [&](const auto& member) { return member.id == id_; });
    if (self != channel->members.end()) say(stats_message(*self, *call));
}

ChannelLine* ChannelMember::end(const model::CallEnd& why) {
    const model::MemberId id = std::exchange(id_, {});
    away_timer_.cancel();
    stats_timer_.cancel();
    const model::CallId call = std::exchange(call_, {});
    // First the leg: then nobody is told of its end.
    if (!call.empty()) parts_.signaller.leave(call, why);
    parts_.channels.leave(id);
    ChannelLine* line = std::exchange(line_, nullptr);
    gone_(this);
    return line;
}

}  // namespace offhook::signalling::web
