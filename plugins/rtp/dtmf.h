#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "rtp/packet.h"

namespace offhook::rtp {

/// RTP clocks of a stream with events in it. RFC 4733 §2.1 wants one clock for both; phones that
/// speak Opus at 48000 and list telephone-event/8000 alone count timestamps by the stream's and
/// durations by the events'.
struct DtmfClocks {
    std::uint32_t stream_hz = 8000;
    std::uint32_t event_hz = 8000;
};

/// RFC 4733 §2.3 event payloads in, one key down and one key up out for each press, however many
/// packets repeat it and whichever of them are lost. Events beyond 15 (flash, tones of modems) are
/// left out.
/// @thread one (the call's media worker)
class DtmfReceiver {
public:
    explicit DtmfReceiver(const DtmfClocks& clocks = {}) noexcept : clocks_(clocks) {}
    void set_clocks(const DtmfClocks& clocks) noexcept { clocks_ = clocks; }

    struct Event {
        char digit = 0;                  ///< 0-9 * # A-D
        std::uint32_t duration_rtp = 0;  ///< as far as known; by the events' clock
        bool is_end = false;  ///< false: key down; true: key up (or superseded by the next key)
    };
    struct Reports {
        std::array<Event, 3> events;
        std::size_t count = 0;
    };
    /// Feeds one telephone-event packet. @return up to three reports: the end of an older event
    /// whose end packets were all lost, then this one's beginning, then its end when nothing but
    /// the end came
    Reports feed(const PacketView& packet) noexcept;

private:
    [[nodiscard]] bool is_next_segment(std::int32_t since_rtp) const noexcept;

    DtmfClocks clocks_;
    bool seen_any_ = false;
    bool is_down_ = false;
    std::uint32_t timestamp_rtp_ = 0;  ///< of the press, or of its present segment
    std::uint32_t earlier_rtp_ = 0;    ///< duration of the segments before
    Event current_;
};

/// Sends digits as RFC 4733 events in place of audio frames: one packet per 20 ms, all packets of
/// an event with the timestamp of its start, growing duration, the end packet three times
/// (§2.5.1.4), then at least `kGapFrames` audio frames.
/// @thread one (the call's media worker)
class DtmfSender {
public:
    static constexpr int kDefaultDurationMs = 160;
    static constexpr int kGapFrames = 4;
    static constexpr std::size_t kMaxDigits = 64;

    /// @param clock_hz of the codec and of the events
    explicit DtmfSender(std::uint32_t clock_hz) noexcept : clocks_{clock_hz, clock_hz} {}
    explicit DtmfSender(const DtmfClocks& clocks) noexcept : clocks_(clocks) {}
    /// Between two events, or within one whose durations then go on by the new clock.
    void set_clocks(const DtmfClocks& clocks) noexcept { clocks_ = clocks; }

    /// Queues digits, all or none; false when one is not 0-9 * # A-D or there is no room.
    bool queue(std::span<const char> digits) noexcept;

    struct Frame {
        std::array<std::uint8_t, 4> payload{};
        std::uint32_t timestamp_rtp = 0;  ///< use this instead of the frame's own
        bool marker = false;
    };
    /// Asks, once per 20 ms frame whose audio timestamp is `timestamp_rtp`, whether an event packet
    /// goes out instead of audio.
    std::optional<Frame> take(std::uint32_t timestamp_rtp) noexcept;
    /// Nothing is being sent and nothing is waiting.
    [[nodiscard]] bool is_idle() const noexcept { return count_ == 0; }

private:
    [[nodiscard]] std::uint32_t duration_rtp(std::uint32_t stream_ticks) const noexcept;

    DtmfClocks clocks_;
    std::array<char, kMaxDigits> digits_{};
    std::size_t head_ = 0, count_ = 0;  ///< the digit being sent is at `head_` and counted
    bool in_event_ = false;
    std::uint32_t start_rtp_ = 0;
    std::uint32_t end_duration_rtp_ = 0;
    int ends_left_ = 0;
    int gap_left_ = 0;
};

}  // namespace offhook::rtp
