#include "mixer/mix.h"

#include <algorithm>
#include <cassert>

namespace offhook::mixer {
namespace {

constexpr std::size_t kFrame = model::SoundLane::kFrameSamples;
constexpr std::size_t kDyingSamples = 80;  // 5 ms

using Pcm = std::array<std::int16_t, kFrame>;

}  // namespace

Place::Place(MixMember who) : member(std::move(who)) {
    if (member.ai) voice.emplace(member.ai);
}

bool Place::is(const MixMember& other) const noexcept {
    return member.seat == other.seat && member.ai == other.ai && member.meter == other.meter;
}

Mix::Mix(std::vector<std::shared_ptr<Place>> places, const Matrix& matrix)
    : places_(std::move(places)),
      count_(places_.size()),
      from_(count_ * count_),
      to_(count_ * count_),
      common_(count_),
      rows_(count_, Row::Nothing),
      dying_(count_) {
    assert(matrix.members() == count_);
    for (const auto& place : places_) has_ai_ |= place->voice.has_value();
    find_rows(matrix);
}

void Mix::find_rows(const Matrix& matrix) {
    for (std::size_t source = 0; source < count_; ++source) {
        for (std::size_t listener = 0; listener < count_; ++listener) {
            if (listener == source) continue;
            to_[listener * count_ + source] = matrix.gain(listener, source);
        }
        // What most hear is what the first or the second other hears.
        if (count_ > 1) common_[source] = matrix.gain(source == 0 ? 1 : 0, source);
    }
    for (std::size_t listener = 0; listener < count_; ++listener) {
        bool hears = false, is_common = true;
        for (std::size_t source = 0; source < count_; ++source) {
            if (listener == source) continue;
            const float gain = to_[listener * count_ + source];
            hears |= gain != 0;
            is_common &= gain == common_[source];
        }
        if (hears) rows_[listener] = is_common ? Row::AllButMe : Row::Own;
    }
    needs_all_ = std::find(rows_.begin(), rows_.end(), Row::AllButMe) != rows_.end();
}

void Mix::take_over(Mix& before) noexcept {
    // Two changes between two frames: what was dying there still is, at who stays.
    for (std::size_t old = 0; old < before.count_; ++old) {
        before.places_[old]->number = -1;
    }
    for (std::size_t i = 0; i < count_; ++i) places_[i]->number = static_cast<std::ptrdiff_t>(i);
    for (std::size_t row = 0; row < before.count_; ++row) {
        const std::ptrdiff_t listener = before.places_[row]->number;
        if (listener < 0) continue;
        float& dying = dying_[static_cast<std::size_t>(listener)];
        dying = before.dying_[row];
        for (std::size_t old = 0; old < before.count_; ++old) {
            const float gain = before.from_[row * before.count_ + old];
            const std::ptrdiff_t source = before.places_[old]->number;
            if (source < 0) {
                dying += gain * before.places_[old]->last_sample;
            } else {
                from_[static_cast<std::size_t>(listener) * count_ +
                      static_cast<std::size_t>(source)] = gain;
            }
        }
    }
    is_gliding_ = true;
}

void Mix::mix(std::int64_t now_ns) noexcept {
    for (const auto& place : places_) hear(*place, now_ns);
    has_all_ = false;
    if (needs_all_) add_up();
    for (std::size_t listener = 0; listener < count_; ++listener) {
        bool has_sound = is_gliding_ ? sum_gliding(listener) : sum_row(listener);
        if (is_gliding_) has_sound |= let_die_away(listener);
        give(listener, has_sound, now_ns);
    }
    if (is_gliding_) from_ = to_;
    is_gliding_ = false;
}

void Mix::hear(Place& place, std::int64_t now_ns) noexcept {
    Pcm pcm;
    MixMeter& meter = *place.member.meter;
    if (place.voice) {
        place.has_sound = place.voice->say(pcm, now_ns);
        if (place.has_sound) meter.heard_frames.fetch_add(1, std::memory_order_relaxed);
    } else {
        const auto read = place.member.seat->from_leg.read(pcm);
        if (read == model::SoundLane::Read::Frame) {
            meter.heard_frames.fetch_add(1, std::memory_order_relaxed);
        } else if (read == model::SoundLane::Read::Missing) {
            meter.missing_frames.fetch_add(1, std::memory_order_relaxed);
        }
        // A frame that is missing still has the end of the sound before it.
        place.has_sound = read != model::SoundLane::Read::Idle;
    }
    place.speech.feed(place.has_sound ? std::span<const std::int16_t>(pcm)
                                      : std::span<const std::int16_t>());
    meter.level_cdb.store(place.speech.level_cdb(), std::memory_order_relaxed);
    meter.peak_cdb.store(place.speech.peak_cdb(), std::memory_order_relaxed);
    meter.is_speaking.store(place.speech.is_speaking(), std::memory_order_relaxed);
    meter.clipped_samples.store(place.speech.clipped_samples(), std::memory_order_relaxed);
    place.last_sample = 0;
    if (!place.has_sound) return;
    for (std::size_t i = 0; i < kFrame; ++i) place.sound[i] = pcm[i];
    place.last_sample = place.sound.back();
}

void Mix::add_up() noexcept {
    for (std::size_t source = 0; source < count_; ++source) {
        const float gain = common_[source];
        if (gain == 0 || !places_[source]->has_sound) continue;
        const Sound& sound = places_[source]->sound;
        if (!has_all_) {
            for (std::size_t i = 0; i < kFrame; ++i) all_[i] = gain * sound[i];
        } else {
            for (std::size_t i = 0; i < kFrame; ++i) all_[i] += gain * sound[i];
        }
        has_all_ = true;
    }
}

bool Mix::sum_row(std::size_t listener) noexcept {
    if (rows_[listener] == Row::Nothing) return false;
    if (rows_[listener] == Row::AllButMe) {
        if (!has_all_) return false;
        const float gain = common_[listener];
        if (gain == 0 || !places_[listener]->has_sound) {
            row_ = all_;
            return true;
        }
        const Sound& own = places_[listener]->sound;
        for (std::size_t i = 0; i < kFrame; ++i) row_[i] = all_[i] - gain * own[i];
        return true;
    }
    bool has_sound = false;
    const float* const gains = to_.data() + listener * count_;
    for (std::size_t source = 0; source < count_; ++source) {
        const float gain = gains[source];
        if (gain == 0 || !places_[source]->has_sound) continue;
        const Sound& sound = places_[source]->sound;
        if (!has_sound) row_.fill(0);
        has_sound = true;
        for (std::size_t i = 0; i < kFrame; ++i) row_[i] += gain * sound[i];
    }
    return has_sound;
}

bool Mix::sum_gliding(std::size_t listener) noexcept {
    bool has_sound = false;
    for (std::size_t source = 0; source < count_; ++source) {
        const float from = from_[listener * count_ + source];
        const float to = to_[listener * count_ + source];
        if ((from == 0 && to == 0) || !places_[source]->has_sound) continue;
        const Sound& sound = places_[source]->sound;
        if (!has_sound) row_.fill(0);
        has_sound = true;
        const float step = (to - from) / static_cast<float>(kFrame);
        for (std::size_t i = 0; i < kFrame; ++i) {
            row_[i] += (from + step * static_cast<float>(static_cast<int>(i) + 1)) * sound[i];
        }
    }
    if (!has_sound) row_.fill(0);
    return has_sound;
}

// Behind `sum_gliding`, which has made the row.
bool Mix::let_die_away(std::size_t listener) noexcept {
    const float last = std::exchange(dying_[listener], 0.0F);
    if (last == 0) return false;
    for (std::size_t i = 0; i < kDyingSamples; ++i) {
        row_[i] +=
            last * static_cast<float>(kDyingSamples - i) / static_cast<float>(kDyingSamples + 1);
    }
    return true;
}

void Mix::give(std::size_t listener, bool has_sound, std::int64_t now_ns) noexcept {
    Place& place = *places_[listener];
    Pcm pcm;
    if (has_sound) {
        place.limiter.limit(row_, pcm);
    } else {
        pcm.fill(0);
        place.limiter.rest();
    }
    if (place.voice) {
        place.voice->hear(pcm, now_ns);
    } else {
        place.member.seat->to_leg.write(pcm);
    }
}

}  // namespace offhook::mixer
