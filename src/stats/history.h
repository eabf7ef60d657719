#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "model/leg_counters.h"

namespace offhook::stats {

/// What one interval of a leg was like. -1: not known. Inbound = from the caller, outbound = to the
/// caller.
struct HistoryRow {
    std::int64_t at_ms = 0;                                       ///< its end, since 1970
    std::uint32_t sent = 0, received = 0, lost = 0, refused = 0;  ///< packets in it
    double jitter_ms = -1, round_trip_ms = -1;  ///< at its end; -1: nothing came, no report yet
    double level_in_dbov = -127, level_out_dbov = -127;
    double max_gap_ms = 0;    ///< between two packets of ours, or since the last one
    double concealed_ms = 0;  ///< of the caller's sound
    double ai_queued_ms = 0;  ///< sound of the AI that waits to be sent, at its end
    double playout_delay_ms = 0;
    model::FrameSource source = model::FrameSource::None;  ///< of the last packet sent
    double mos = -1;  ///< of the last 10 s; -1: nothing was due from the caller
};

/// A leg's last 5 minutes by the second, and its last hour by 10 s. Grows in steps, so that a short
/// call is cheap; never beyond 48 KiB.
/// @thread one
class History {
public:
    enum class Resolution : std::uint8_t { Second, TenSeconds };
    static constexpr std::size_t kSeconds = 300, kTens = 360;

    /// A second that has passed.
    void add(const HistoryRow& row);
    /// Oldest first.
    [[nodiscard]] std::vector<HistoryRow> rows(Resolution resolution) const;
    /// Memory held, this object included.
    [[nodiscard]] std::size_t bytes() const noexcept;

private:
    /// 40 bytes. Shares and times rounded to what a plot can show.
    struct Packed {
        std::int64_t at_ms = 0;
        std::uint16_t sent = 0, received = 0, lost = 0, refused = 0;
        std::uint16_t jitter = kNone;      ///< 0.1 ms
        std::uint16_t round_trip = kNone;  ///< 0.1 ms up to 6.5 s
        std::uint16_t max_gap_ms = 0, concealed_ms = 0, ai_queued_ms = 0, playout_delay_ms = 0;
        std::uint16_t mos = kNone;                     ///< 0.001
        std::uint8_t level_in = 127, level_out = 127;  ///< -dBov
        model::FrameSource source = model::FrameSource::None;
    };
    static constexpr std::uint16_t kNone = 0xFFFF;
    static Packed pack(const HistoryRow& row) noexcept;
    static HistoryRow unpack(const Packed& packed) noexcept;

    /// The newest `most`, oldest overwritten.
    class Ring {
    public:
        explicit Ring(std::size_t most) noexcept : most_(most) {}
        void add(const Packed& packed);
        [[nodiscard]] std::vector<HistoryRow> rows() const;
        [[nodiscard]] std::size_t bytes() const noexcept {
            return entries_.capacity() * sizeof(Packed);
        }

    private:
        std::size_t most_;
        std::size_t oldest_ = 0;
        std::vector<Packed> entries_;
    };

    Ring seconds_{kSeconds};
    Ring tens_{kTens};
    std::vector<HistoryRow> sum_;  ///< the seconds since the last ten were full, < 10
};

[[nodiscard]] std::optional<History::Resolution> resolution_by_name(std::string_view name) noexcept;

}  // namespace offhook::stats
