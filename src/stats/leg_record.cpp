#include "stats/leg_record.h"

#include <algorithm>
#include <cmath>

#include "base/monotonic.h"
#include "stats/e_model.h"

namespace offhook::stats {
namespace {

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? -1 : static_cast<double>(part) / static_cast<double>(whole);
}

std::uint64_t since(std::uint64_t now, std::uint64_t before) {
    return now > before ? now - before : 0;
}

std::uint32_t packets_since(std::uint64_t now, std::uint64_t before) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(since(now, before), 65535));
}

double mean_level_dbov(const model::SoundStats& sound) {
    const std::uint64_t active_s = since(sound.seconds, sound.silent_seconds);
    if (active_s == 0 || sound.active_energy_s <= 0) return -127;
    return std::max(-127.0, 10 * std::log10(sound.active_energy_s / static_cast<double>(active_s)));
}

}  // namespace

LegRecord::Mark LegRecord::mark_of(const model::LegStats& s) noexcept {
    return {.sent = s.sent_packets,
            .received = s.received_packets,
            .lost = s.lost_packets,
            .refused = s.refused_packets,
            .concealed_samples = s.concealed_samples,
            .loss_runs = s.loss_runs};
}

void LegRecord::sample(const model::LegStats& stats, const Moment& moment) {
    const Mark now = mark_of(stats);
    const Mark before = samples_ == 0 ? Mark{} : marks_[(samples_ - 1) % kWindow];
    const bool has_come = now.received > before.received;
    HistoryRow row;
    row.at_ms = moment.realtime_ns / base::kNsPerMs;
    row.sent = packets_since(now.sent, before.sent);
    row.received = packets_since(now.received, before.received);
    row.lost = packets_since(now.lost, before.lost);
    row.refused = packets_since(now.refused, before.refused);
    if (has_come) {
        row.jitter_ms = stats.jitter_ms;
        jitter_sum_ms_ += stats.jitter_ms;
        jitter_max_ms_ = std::max(jitter_max_ms_, stats.jitter_ms);
        playout_sum_ms_ += stats.playout_delay_ms;
        ++jitters_;
    }
    row.round_trip_ms = stats.round_trip_ms;
    round_trip_max_ms_ = std::max(round_trip_max_ms_, stats.round_trip_ms);
    row.level_in_dbov = has_come ? stats.received_level_dbov : -127;
    row.level_out_dbov = row.sent > 0 ? stats.sent_level_dbov : -127;
    row.max_gap_ms = static_cast<double>(moment.gap_ns) / 1e6;
    if (moment.is_sending) row.max_gap_ms = std::max(row.max_gap_ms, stats.since_last_sent_ms);
    const double rate_per_ms = std::max(1U, stats.sample_rate_hz) / 1000.0;
    row.concealed_ms =
        static_cast<double>(since(now.concealed_samples, before.concealed_samples)) / rate_per_ms;
    row.ai_queued_ms = static_cast<double>(stats.voice_queued_samples) / rate_per_ms;
    row.playout_delay_ms = stats.playout_delay_ms;
    row.source = stats.last_source;
    row.mos = recent_mos(stats, now);
    history_.add(row);
    note_oneway(has_come, moment);
    marks_[samples_ % kWindow] = now;
    ++samples_;
    last_ns_ = moment.now_ns;
}

double LegRecord::recent_mos(const model::LegStats& stats, const Mark& now) const {
    const Mark oldest = samples_ < kWindow ? Mark{} : marks_[samples_ % kWindow];
    const std::uint64_t lost = since(now.lost, oldest.lost);
    const std::uint64_t due = lost + since(now.received, oldest.received);
    if (due == 0) return -1;
    const double loss = share(lost, due);
    return mos_of(
        r_factor(codec_,
                 {.round_trip_ms = stats.round_trip_ms,
                  .jitter_buffer_ms = stats.playout_delay_ms,
                  .loss_share = loss,
                  .burst_ratio = burst_ratio(lost, since(now.loss_runs, oldest.loss_runs), loss)}));
}

void LegRecord::note_oneway(bool has_come, const Moment& moment) {
    if (has_come || !moment.is_sound_due) {
        missing_ms_ = 0;
    } else if (samples_ > 0) {
        missing_ms_ += static_cast<double>(moment.now_ns - last_ns_) / 1e6;
    }
    if (!moment.is_oneway) return;
    oneway_ms_ += missing_ms_;
    missing_ms_ = 0;
}

model::Quality LegRecord::quality(const model::LegStats& s) const {
    model::Quality q;
    q.loss_share = share(s.lost_packets, s.lost_packets + s.received_packets);
    q.concealed_share = share(s.concealed_samples, s.concealed_samples + s.decoded_samples);
    q.jitter_ms = jitters_ == 0 ? -1 : jitter_sum_ms_ / static_cast<double>(jitters_);
    q.jitter_max_ms = jitter_max_ms_;
    if (s.round_trips > 0) {
        q.round_trip_ms = s.total_round_trip_ms / static_cast<double>(s.round_trips);
        q.round_trip_max_ms = std::max(round_trip_max_ms_, s.round_trip_ms);
    }
    if (s.remote_reports > 0 && s.sent_packets > 0) {
        const auto lost =
            static_cast<std::uint64_t>(std::max<std::int64_t>(0, s.remote_lost_packets));
        q.remote_loss_share = std::min(1.0, share(lost, s.sent_packets));
        q.remote_jitter_ms = s.remote_jitter_ms;
    }
    if (s.sent_packets > 0) q.max_gap_ms = s.max_gap_ms;
    q.inbound_level_dbov = mean_level_dbov(s.received_sound);
    q.outbound_level_dbov = mean_level_dbov(s.sent_sound);
    q.inbound_clipped_share = share(s.received_sound.clipped_samples, s.received_sound.samples);
    q.outbound_clipped_share = share(s.sent_sound.clipped_samples, s.sent_sound.samples);
    q.inbound_silence_share = share(s.received_sound.silent_seconds, s.received_sound.seconds);
    q.outbound_silence_share = share(s.sent_sound.silent_seconds, s.sent_sound.seconds);
    q.oneway_ms = oneway_ms_;
    if (q.loss_share >= 0) {
        q.r_factor =
            r_factor(codec_,
                     {.round_trip_ms = q.round_trip_ms,
                      .jitter_buffer_ms =
                          jitters_ == 0 ? 0 : playout_sum_ms_ / static_cast<double>(jitters_),
                      .loss_share = q.loss_share,
                      .burst_ratio = burst_ratio(s.lost_packets, s.loss_runs, q.loss_share)});
        q.mos = mos_of(q.r_factor);
    }
    return q;
}

}  // namespace offhook::stats
