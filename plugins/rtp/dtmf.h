#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "rtp/packet.h"

namespace offhook::rtp {

/// RFC 4733 §2.3 event payloads in, one report per key press however many packets repeat it.
class DtmfReceiver {
public:
    struct Event {
        char digit = 0;  ///< 0-9 * # A-D
        std::uint32_t duration_rtp = 0;
        bool is_end = false;  ///< false: key down seen (first packet); true: key up (or superseded
                              ///< by the next event)
    };
    /// Feeds one telephone-event packet. @return up to two reports: an end of an older event that
    /// was never closed, then this
    struct Reports {
        std::array<Event, 2> events;
        std::size_t count = 0;
    };
    Reports feed(const PacketView& packet) noexcept;

private:
    bool active_ = false;
    bool ended_ = false;
    std::uint32_t timestamp_rtp_ = 0;
    Event current_;
    bool seen_any_ = false;
};

/// Sends digits as RFC 4733 events in place of audio frames: one packet per 20 ms, all packets of
/// an event with the timestamp of its start, growing duration, the end packet three times
/// (§2.5.1.4), then at least `gap_frames` audio frames.
class DtmfSender {
public:
    static constexpr int kDefaultDurationMs = 160;
    static constexpr int kGapFrames = 4;
    static constexpr std::size_t kMaxDigits = 64;

    /// @param clock_hz the event's RTP clock, same as the codec's
    explicit DtmfSender(std::uint32_t clock_hz) noexcept : clock_hz_(clock_hz) {}

    /// Queues digits; false when one is not 0-9 * # A-D or there is no room. @thread the media
    /// worker
    bool queue(std::span<const char> digits) noexcept;

    struct Frame {
        std::array<std::uint8_t, 4> payload{};
        std::uint32_t timestamp_rtp = 0;  ///< use this instead of the frame's own
        bool marker = false;
    };
    /// Asks, once per 20 ms frame whose audio timestamp is `timestamp_rtp`, whether an event packet
    /// goes out instead of audio.
    std::optional<Frame> take(std::uint32_t timestamp_rtp) noexcept;
    [[nodiscard]] bool is_idle() const noexcept;

private:
    std::uint32_t clock_hz_;
    std::array<char, kMaxDigits> digits_{};
    std::size_t head_ = 0, count_ = 0;
    bool in_event_ = false;
    std::uint32_t start_rtp_ = 0;
    int end_repeats_ = 0;
    int gap_left_ = 0;
};

}  // namespace offhook::rtp
