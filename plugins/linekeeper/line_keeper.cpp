#include "linekeeper/line_keeper.h"

#include <algorithm>
#include <array>

#include "callstats/level_meter.h"
#include "model/codec.h"

namespace offhook::linekeeper {

using model::FrameSource;
using model::LegCounters;

namespace {

constexpr std::int64_t kFrameNs = model::kPtimeMs * 1'000'000LL;
constexpr std::uint32_t kFadeMs = 5;
constexpr std::uint32_t kThresholdStepMs = 20;
constexpr std::uint32_t kThresholdMaxMs = 40;
constexpr std::uint64_t kSameUtteranceFrames =
    500 / model::kPtimeMs;  // sound back within this: it ran dry inside a sentence
constexpr std::uint64_t kCalmFrames = 30'000 / model::kPtimeMs;
constexpr std::size_t kMaxFrameSamples = model::frame_samples(48000);

std::int16_t mix(std::int32_t from, std::int32_t to, std::size_t step, std::size_t steps) noexcept {
    const auto g = static_cast<std::int32_t>(step + 1);
    const auto n = static_cast<std::int32_t>(steps + 1);
    return static_cast<std::int16_t>((from * (n - g) + to * g) / n);
}

}  // namespace

LineKeeper::LineKeeper(std::uint32_t sample_rate_hz,
                       std::unique_ptr<Filler> filler,
                       std::shared_ptr<LegCounters> counters)
    : sample_rate_hz_(sample_rate_hz),
      frame_samples_(model::frame_samples(sample_rate_hz)),
      fade_samples_(sample_rate_hz / 1000 * kFadeMs),
      filler_(std::move(filler)),
      counters_(std::move(counters)) {}

void LineKeeper::start(std::int64_t due_ns) noexcept {
    next_due_ns_ = due_ns;
}

int LineKeeper::frames_due(std::int64_t now_ns, std::uint64_t& skipped) noexcept {
    skipped = 0;
    const std::int64_t late_ns = now_ns - next_due_ns_;
    if (late_ns < 0) return 0;
    if (late_ns > kGiveUpNs) {
        skipped = static_cast<std::uint64_t>(late_ns / kFrameNs);
        next_due_ns_ += static_cast<std::int64_t>(skipped) * kFrameNs;
        offset_samples_ += skipped * frame_samples_;
        LegCounters::add(counters_->skipped_frames, skipped);
    }
    const auto due = static_cast<int>((now_ns - next_due_ns_) / kFrameNs) + 1;
    return std::min(due, kMaxFramesPerTick);
}

LineKeeper::Frame LineKeeper::make_frame(std::span<std::int16_t> pcm,
                                         model::ChannelSeat* seat) noexcept {
    const bool changes = is_seated_ != (seat != nullptr);
    const std::int16_t before = last_sample_;
    if (changes) change_source();
    const bool was_speaking = speaking_;
    Voice voice;
    if (seat) {
        voice = take_mix(*seat, pcm);
    } else if (port_) {
        voice = take_voice(pcm);
    }
    const std::size_t spoken = voice.samples;

    std::array<std::int16_t, kMaxFrameSamples> filler_storage;
    const bool joins = spoken < frame_samples_ || (!was_speaking && spoken > 0);
    const std::span<std::int16_t> filler(filler_storage.data(), joins ? frame_samples_ : 0);
    if (joins) filler_->fill(filler);

    if (spoken > 0) {
        if (!was_speaking) {
            if (!seat) note_start();
            for (std::size_t i = 0; i < std::min(fade_samples_, spoken); ++i) {
                pcm[i] = mix(filler[i], pcm[i], i, fade_samples_);
            }
        } else if (voice.was_cut) {
            fade_from_last(pcm.first(spoken));
        }
        speaking_ = true;
    }
    if (spoken < frame_samples_) {
        std::copy(filler.begin() + static_cast<std::ptrdiff_t>(spoken),
                  filler.end(),
                  pcm.begin() + static_cast<std::ptrdiff_t>(spoken));
        if (spoken >= fade_samples_) {
            for (std::size_t i = 0; i < fade_samples_; ++i) {
                const std::size_t at = spoken - fade_samples_ + i;
                pcm[at] = mix(pcm[at], filler[at], i, fade_samples_);
            }
        } else if (was_speaking || spoken > 0) {
            // The sound ended where we could not see it coming: let its last value die away.
            if (spoken > 0) last_sample_ = pcm[spoken - 1];
            fade_from_last(pcm.subspan(spoken));
        }
        if (speaking_ && !voice.is_stopped) note_end();
        speaking_ = false;
    }
    if (changes) {
        last_sample_ = before;
        fade_from_last(pcm);
    }
    last_sample_ = pcm.back();
    if (port_ && !seat) tell(voice, pcm);

    const std::uint64_t offset = offset_samples_;
    offset_samples_ += frame_samples_;
    next_due_ns_ += kFrameNs;
    ++frame_number_;
    if (start_threshold_samples_ > 0 && frame_number_ - underrun_frame_ > kCalmFrames)
        start_threshold_samples_ = 0;
    const FrameSource source = spoken > 0 ? FrameSource::Ai : FrameSource::Fill;
    LegCounters::set(counters_->frame_source, source);
    if (spoken > 0 && !seat) LegCounters::add<std::uint64_t>(counters_->voice_samples, spoken);
    return Frame{offset, source};
}

LineKeeper::Voice LineKeeper::take_voice(std::span<std::int16_t> pcm) noexcept {
    model::VoiceQueue& queue = port_->voice;
    const std::uint64_t queued = queue.queued_samples();
    const bool is_muted = port_->is_voice_muted.load(std::memory_order_relaxed);
    const bool is_paused = queue.is_paused();
    const bool is_cleared = queued == 0 && queue.is_cut();
    Voice voice;
    if (is_muted || is_paused || is_cleared) {
        // That nothing follows was not the AI's doing: what comes next is no underrun.
        voice.is_stopped = true;
        ended_once_ = false;
        is_waiting_ = false;
        voice.begin = queue.read_samples();
        if (speaking_) voice.samples = queue.read_before_cut(pcm.first(fade_samples_));
        queue.skip(is_muted ? frame_samples_ - voice.samples : 0);
    } else if (speaking_ || may_start(queued)) {
        voice.samples = queue.read(pcm, voice.was_cut);
        voice.begin = queue.read_samples() - voice.samples;
    } else {
        queue.skip(0);
        voice.begin = queue.read_samples();
    }
    return voice;
}

// The voice stops where it is, or the mix does: what comes then begins anew, and is no underrun.
void LineKeeper::change_source() noexcept {
    is_seated_ = !is_seated_;
    speaking_ = false;
    ended_once_ = false;
    is_waiting_ = false;
    has_heard_mix_ = false;
    from_lane_.reset();
}

LineKeeper::Voice LineKeeper::take_mix(model::ChannelSeat& seat,
                                       std::span<std::int16_t> pcm) noexcept {
    std::array<std::int16_t, model::SoundLane::kFrameSamples> mix;
    const bool has_mix = seat.to_leg.read(mix) == model::SoundLane::Read::Frame;
    if (has_mix) {
        has_heard_mix_ = true;
    } else if (has_heard_mix_) {
        seat.unheard_frames.store(seat.unheard_frames.load(std::memory_order_relaxed) + 1,
                                  std::memory_order_relaxed);
    }
    if (frame_samples_ == mix.size()) {
        std::copy(mix.begin(), mix.end(), pcm.begin());
    } else {
        if (!from_lane_) from_lane_.emplace(aitap::Resample2::Mode::Down);
        from_lane_->process(mix, pcm);
    }
    return {
        .begin = 0, .samples = has_mix ? frame_samples_ : 0, .was_cut = false, .is_stopped = true};
}

void LineKeeper::tell(const Voice& voice, std::span<const std::int16_t> pcm) noexcept {
    model::VoiceLedger::Frame frame{.offset = offset_samples_,
                                    .begin = voice.begin,
                                    .next = port_->voice.read_samples(),
                                    .samples = static_cast<std::uint16_t>(voice.samples)};
    if (port_->ledger.wants_levels())
        frame.level_cdb = static_cast<std::int16_t>(callstats::level_of(pcm));
    port_->ledger.made(frame);
}

bool LineKeeper::may_start(std::uint64_t queued_samples) noexcept {
    if (queued_samples == 0) {
        is_waiting_ = false;
        return false;
    }
    if (queued_samples >= start_threshold_samples_) return true;
    // A short last word must not wait for ever for company that does not come.
    if (!is_waiting_) {
        is_waiting_ = true;
        waiting_since_frame_ = frame_number_;
    }
    return (frame_number_ - waiting_since_frame_) * frame_samples_ >= start_threshold_samples_;
}

void LineKeeper::note_start() noexcept {
    is_waiting_ = false;
    if (!ended_once_ || frame_number_ - ended_frame_ > kSameUtteranceFrames) return;
    LegCounters::add<std::uint64_t>(counters_->voice_underruns, 1);
    underrun_frame_ = frame_number_;
    const std::uint64_t step = sample_rate_hz_ / 1000 * kThresholdStepMs;
    const std::uint64_t most = sample_rate_hz_ / 1000 * kThresholdMaxMs;
    start_threshold_samples_ = std::min(start_threshold_samples_ + step, most);
}

void LineKeeper::note_end() noexcept {
    ended_once_ = true;
    ended_frame_ = frame_number_;
}

void LineKeeper::fade_from_last(std::span<std::int16_t> pcm) const noexcept {
    const std::size_t n = std::min(fade_samples_, pcm.size());
    for (std::size_t i = 0; i < n; ++i) {
        pcm[i] = mix(last_sample_, pcm[i], i, fade_samples_);
    }
}

}  // namespace offhook::linekeeper
