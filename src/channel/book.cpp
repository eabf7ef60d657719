#include "channel/book.h"

#include <algorithm>
#include <utility>

#include "channel/roles.h"

namespace offhook::channel {

using model::MemberState;

namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

double dbov(std::int32_t centi_db) {
    return static_cast<double>(centi_db) / 100;
}

}  // namespace

model::MemberId make_member_id() {
    return "m-" + model::CallId::make().text.substr(2);
}

bool is_supervisor(model::MemberRole role) noexcept {
    using model::MemberRole;
    return role == MemberRole::Listen || role == MemberRole::Whisper || role == MemberRole::Barge ||
           role == MemberRole::TakeOver;
}

MemberState Member::state() const {
    if (is_away || is_ai_lost) return MemberState::Away;
    const bool is_there = has_sound() && (!is_ai() || is_ai_ready);
    return is_there ? MemberState::Connected : MemberState::Joining;
}

model::MemberInfo Member::info() const {
    model::MemberInfo info{.id = id,
                           .kind = kind,
                           .role = role,
                           .state = state(),
                           .user = user,
                           .name = name,
                           .call = call,
                           .is_muted = is_muted(),
                           .is_muted_by_operator = is_muted_by_operator,
                           .gain_db = gain_db,
                           .joined_ns = joined_ns,
                           .sound = {}};
    if (sound.meter) {
        const mixer::MixMeter& meter = *sound.meter;
        info.sound.level_dbov = dbov(meter.level_cdb.load(kRelaxed));
        info.sound.peak_dbov = dbov(meter.peak_cdb.load(kRelaxed));
        info.sound.is_speaking = !is_muted() && meter.is_speaking.load(kRelaxed);
        info.sound.clipped_samples = meter.clipped_samples.load(kRelaxed);
        info.sound.heard_frames = meter.heard_frames.load(kRelaxed);
        info.sound.missing_frames = meter.missing_frames.load(kRelaxed);
    }
    if (sound.seat) {
        info.sound.dropped_frames =
            sound.seat->from_leg.dropped_samples() / model::SoundLane::kFrameSamples;
        info.sound.unheard_frames = sound.seat->unheard_frames.load(kRelaxed);
    }
    return info;
}

Member* Channel::member(const model::MemberId& id) const {
    const auto it = std::find_if(
        members.begin(), members.end(), [&](const auto& each) { return each->id == id; });
    return it == members.end() ? nullptr : it->get();
}

Member* Channel::member_of(const model::CallId& id) const {
    const auto it = std::find_if(
        members.begin(), members.end(), [&](const auto& each) { return each->call == id; });
    return it == members.end() ? nullptr : it->get();
}

Member* Channel::ai_member() const {
    const auto it = std::find_if(
        members.begin(), members.end(), [](const auto& each) { return each->is_ai(); });
    return it == members.end() ? nullptr : it->get();
}

std::size_t Channel::guests() const {
    return static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(), [](const auto& each) {
            return !each->is_ai() && each->role != model::MemberRole::Caller;
        }));
}

model::ChannelInfo Channel::info() const {
    model::ChannelInfo info{.name = name,
                            .policy = policy,
                            .is_permanent = is_permanent,
                            .ai = ai,
                            .created_ns = created_ns,
                            .worker = sound.worker_index(),
                            .mixed_frames = sound.mixed_frames(),
                            .late_frames = sound.late_frames(),
                            .members = {}};
    info.members.reserve(members.size());
    for (const auto& each : members) info.members.push_back(each->info());
    return info;
}

std::vector<const Member*> Channel::mixed() const {
    std::vector<const Member*> all;
    for (const auto& each : members) {
        if (each->has_sound() && each->is_mixable) all.push_back(each.get());
    }
    return all;
}

mixer::Matrix Channel::matrix() const {
    std::vector<Voice> voices;
    for (const Member* each : mixed())
        voices.push_back({each->role, each->is_muted(), each->gain_db});
    return matrix_of(voices);
}

void Channel::mix(std::function<void()> then) {
    std::vector<mixer::MixMember> sounds;
    const worker::MediaWorker* preferred = nullptr;
    bool has_leg = false;
    for (const Member* each : mixed()) {
        sounds.push_back(each->sound);
        if (each->is_ai()) continue;
        has_leg = true;
        if (preferred == nullptr) preferred = each->worker;
    }
    // An AI alone has nobody to talk to.
    if (!has_leg) sounds.clear();
    mixer::Matrix heard = has_leg ? matrix() : mixer::Matrix(0);
    sound.set(std::move(sounds), std::move(heard), preferred, std::move(then));
}

}  // namespace offhook::channel
