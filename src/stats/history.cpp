#include "stats/history.h"

#include <algorithm>
#include <cmath>

namespace offhook::stats {
namespace {

constexpr std::size_t kStep = 30;
constexpr std::size_t kTen = 10;

std::uint16_t rounded(double value) noexcept {
    return static_cast<std::uint16_t>(std::lround(std::clamp(value, 0.0, 65534.0)));
}

std::uint16_t counted(std::uint32_t value) noexcept {
    return static_cast<std::uint16_t>(std::min<std::uint32_t>(value, 65535));
}

std::uint8_t below_zero(double dbov) noexcept {
    return static_cast<std::uint8_t>(std::lround(std::clamp(-dbov, 0.0, 127.0)));
}

double power_of(double dbov) noexcept {
    return dbov <= -127 ? 0 : std::pow(10.0, dbov / 10);
}

double mean_level(const std::vector<HistoryRow>& rows, double HistoryRow::*level) {
    double power = 0;
    for (const HistoryRow& row : rows) power += power_of(row.*level);
    power /= static_cast<double>(rows.size());
    return power <= 0 ? -127 : std::max(-127.0, 10 * std::log10(power));
}

/// Of those that are known; -1: none is.
double mean_known(const std::vector<HistoryRow>& rows, double HistoryRow::*figure) {
    double sum = 0;
    int known = 0;
    for (const HistoryRow& row : rows) {
        if (row.*figure < 0) continue;
        sum += row.*figure;
        ++known;
    }
    return known == 0 ? -1 : sum / known;
}

HistoryRow ten_of(const std::vector<HistoryRow>& rows) {
    HistoryRow ten = rows.back();
    ten.sent = ten.received = ten.lost = ten.refused = 0;
    ten.concealed_ms = 0;
    for (const HistoryRow& row : rows) {
        ten.sent += row.sent;
        ten.received += row.received;
        ten.lost += row.lost;
        ten.refused += row.refused;
        ten.concealed_ms += row.concealed_ms;
        ten.max_gap_ms = std::max(ten.max_gap_ms, row.max_gap_ms);
        ten.ai_queued_ms = std::max(ten.ai_queued_ms, row.ai_queued_ms);
    }
    ten.jitter_ms = mean_known(rows, &HistoryRow::jitter_ms);
    ten.round_trip_ms = mean_known(rows, &HistoryRow::round_trip_ms);
    ten.mos = mean_known(rows, &HistoryRow::mos);
    ten.level_in_dbov = mean_level(rows, &HistoryRow::level_in_dbov);
    ten.level_out_dbov = mean_level(rows, &HistoryRow::level_out_dbov);
    return ten;
}

}  // namespace

void History::add(const HistoryRow& row) {
    seconds_.add(pack(row));
    if (sum_.capacity() == 0) sum_.reserve(kTen);
    sum_.push_back(row);
    if (sum_.size() < kTen) return;
    tens_.add(pack(ten_of(sum_)));
    sum_.clear();
}

std::vector<HistoryRow> History::rows(Resolution resolution) const {
    return resolution == Resolution::Second ? seconds_.rows() : tens_.rows();
}

std::size_t History::bytes() const noexcept {
    return sizeof *this + seconds_.bytes() + tens_.bytes() + sum_.capacity() * sizeof(HistoryRow);
}

void History::Ring::add(const Packed& packed) {
    if (entries_.size() < most_) {
        if (entries_.size() == entries_.capacity())
            entries_.reserve(std::min(most_, entries_.size() + kStep));
        entries_.push_back(packed);
        return;
    }
    entries_[oldest_] = packed;
    oldest_ = (oldest_ + 1) % most_;
}

std::vector<HistoryRow> History::Ring::rows() const {
    std::vector<HistoryRow> rows;
    rows.reserve(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i)
        rows.push_back(unpack(entries_[(oldest_ + i) % entries_.size()]));
    return rows;
}

History::Packed History::pack(const HistoryRow& row) noexcept {
    static_assert(sizeof(Packed) == 40);
    return {.at_ms = row.at_ms,
            .sent = counted(row.sent),
            .received = counted(row.received),
            .lost = counted(row.lost),
            .refused = counted(row.refused),
            .jitter = row.jitter_ms < 0 ? kNone : rounded(row.jitter_ms * 10),
            .round_trip = row.round_trip_ms < 0 ? kNone : rounded(row.round_trip_ms * 10),
            .max_gap_ms = rounded(row.max_gap_ms),
            .concealed_ms = rounded(row.concealed_ms),
            .ai_queued_ms = rounded(row.ai_queued_ms),
            .playout_delay_ms = rounded(row.playout_delay_ms),
            .mos = row.mos < 0 ? kNone : rounded(row.mos * 1000),
            .level_in = below_zero(row.level_in_dbov),
            .level_out = below_zero(row.level_out_dbov),
            .source = row.source};
}

HistoryRow History::unpack(const Packed& packed) noexcept {
    const auto scaled = [](std::uint16_t value, double unit) {
        return value == kNone ? -1 : value / unit;
    };
    return {.at_ms = packed.at_ms,
            .sent = packed.sent,
            .received = packed.received,
            .lost = packed.lost,
            .refused = packed.refused,
            .jitter_ms = scaled(packed.jitter, 10),
            .round_trip_ms = scaled(packed.round_trip, 10),
            .level_in_dbov = -static_cast<double>(packed.level_in),
            .level_out_dbov = -static_cast<double>(packed.level_out),
            .max_gap_ms = static_cast<double>(packed.max_gap_ms),
            .concealed_ms = static_cast<double>(packed.concealed_ms),
            .ai_queued_ms = static_cast<double>(packed.ai_queued_ms),
            .playout_delay_ms = static_cast<double>(packed.playout_delay_ms),
            .source = packed.source,
            .mos = scaled(packed.mos, 1000)};
}

std::optional<History::Resolution> resolution_by_name(std::string_view name) noexcept {
    if (name == "1s") return History::Resolution::Second;
    if (name == "10s") return History::Resolution::TenSeconds;
    return std::nullopt;
}

}  // namespace offhook::stats
