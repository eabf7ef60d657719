#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/trace_ring.h"

namespace offhook::model {

/// The header of one RTP packet (RFC 3550 §5.1).
struct RtpHeaderRecord {
    std::int64_t at_ns = 0;  ///< CLOCK_MONOTONIC
    std::uint32_t ssrc = 0, timestamp_rtp = 0;
    std::uint16_t sequence = 0;
    std::uint8_t payload_type = 0;
    bool marker = false;
    std::uint16_t payload_bytes = 0;
    std::uint8_t remote = 0;  ///< index of `PacketTrace::remotes`
};

/// One RTCP compound packet, without SRTCP's protection.
struct RtcpRecord {
    std::int64_t at_ns = 0;  ///< CLOCK_MONOTONIC
    bool is_inbound = false;
    std::uint16_t wire_bytes = 0;      ///< of the whole
    std::uint8_t remote = 0;           ///< index of `PacketTrace::remotes`
    std::vector<std::uint8_t> packet;  ///< at most PacketTrace::kMaxRtcpBytes of it
};

/// A numeric address as packets have it.
struct WireAddress {
    bool is_v6 = false;
    std::array<std::uint8_t, 16> ip{};  ///< network order; the first 4 of IPv4
    std::uint16_t port = 0;

    bool operator==(const WireAddress&) const = default;
};

/// The headers of a leg's last RTP packets both ways, and its last RTCP packets. Written by the
/// leg's media worker, with memory that is there from the start and without waiting; read by
/// anybody.
class PacketTrace {
public:
    static constexpr std::size_t kMaxRtcpBytes = 256;
    static constexpr std::size_t kRtcpPackets = 64;
    static constexpr std::size_t kMaxRemotes = 8;

    /// @param packets  RTP headers each way; rounded up to a power of two
    explicit PacketTrace(std::size_t packets)
        : inbound_(packets), outbound_(packets), rtcp_(kRtcpPackets) {}

    // worker

    void received(const RtpHeaderRecord& packet, const WireAddress& from) noexcept;
    void sent(const RtpHeaderRecord& packet, const WireAddress& to) noexcept;
    void rtcp(bool is_inbound,
              std::span<const std::uint8_t> packet,
              const WireAddress& remote,
              std::int64_t at_ns) noexcept;

    // any thread

    [[nodiscard]] std::vector<RtpHeaderRecord> inbound() const { return headers_of(inbound_); }
    [[nodiscard]] std::vector<RtpHeaderRecord> outbound() const { return headers_of(outbound_); }
    /// Appends what came since `next`; 0: all that is there. @return the `next` for the next time
    std::uint64_t rtcp_since(std::uint64_t next, std::vector<RtcpRecord>& out) const;
    /// Whom the leg spoke with, in the order of appearance; further ones count as the last.
    [[nodiscard]] std::vector<WireAddress> remotes() const;
    [[nodiscard]] std::size_t bytes() const noexcept {
        return inbound_.bytes() + outbound_.bytes() + rtcp_.bytes();
    }

private:
    static constexpr std::size_t kHeaderWords = 3;
    static constexpr std::size_t kRtcpWords = 2 + kMaxRtcpBytes / 8;
    using HeaderRing = TraceRing<kHeaderWords>;

    std::uint8_t index_of(const WireAddress& remote) noexcept;
    static void write(HeaderRing& ring,
                      const RtpHeaderRecord& packet,
                      std::uint8_t remote) noexcept;
    [[nodiscard]] static std::vector<RtpHeaderRecord> headers_of(const HeaderRing& ring);

    HeaderRing inbound_, outbound_;
    TraceRing<kRtcpWords> rtcp_;
    std::array<WireAddress, kMaxRemotes> remotes_{};  ///< those below `remote_count_` do not change
    std::atomic<std::uint8_t> remote_count_{0};
};

/// A message to or from the bot of a call.
struct AiFrameRecord {
    enum class Kind : std::uint8_t { Text, Binary };
    std::int64_t at_ns = 0;  ///< CLOCK_MONOTONIC
    bool is_to_bot = false;
    Kind kind = Kind::Text;
    std::uint32_t bytes = 0;
};

/// The bot answered the caller.
struct AiTurnRecord {
    std::int64_t at_ns = 0;  ///< CLOCK_MONOTONIC, when its answer was noticed
    double total_ms = 0;     ///< from the caller's last speech to the answer's first sample sent
};

/// The caller pressed a key.
struct DigitRecord {
    std::int64_t at_ns = 0;  ///< CLOCK_MONOTONIC, when it was over
    char digit = '0';
    std::uint32_t duration_ms = 0;
};

/// When the last messages went to and came from the bot, its last turns, and the last keys. Written by the ai
/// thread.
class AiFrameTrace {
public:
    static constexpr std::size_t kTurns = 128, kDigits = 128;

    explicit AiFrameTrace(std::size_t frames) : ring_(frames), turns_(kTurns), digits_(kDigits) {}
    void turn(const AiTurnRecord& turn) noexcept {  ///< @thread ai
        turns_.write(
            {static_cast<std::uint64_t>(turn.at_ns), std::bit_cast<std::uint64_t>(turn.total_ms)});
    }
    [[nodiscard]] std::vector<AiTurnRecord> turns() const;  ///< @thread any
    void digit(const DigitRecord& digit) noexcept {         ///< @thread ai
        digits_.write({static_cast<std::uint64_t>(digit.at_ns),
                       static_cast<std::uint64_t>(digit.duration_ms) << 8 |
                           static_cast<unsigned char>(digit.digit)});
    }
    [[nodiscard]] std::vector<DigitRecord> digits() const;  ///< @thread any
    void write(const AiFrameRecord& frame) noexcept {       ///< @thread ai
        ring_.write({static_cast<std::uint64_t>(frame.at_ns),
                     static_cast<std::uint64_t>(frame.bytes) |
                         static_cast<std::uint64_t>(frame.is_to_bot) << 32 |
                         static_cast<std::uint64_t>(frame.kind) << 40});
    }
    [[nodiscard]] std::vector<AiFrameRecord> frames() const;  ///< @thread any
    [[nodiscard]] std::size_t bytes() const noexcept {
        return ring_.bytes() + turns_.bytes() + digits_.bytes();
    }

private:
    TraceRing<2> ring_, turns_, digits_;
};

/// What the caller said of late, in chunks of 20 ms: mono mu-law (ITU-T G.711) at 8000 Hz, each with
/// the time when its last sample was there.
class CallerTape {
public:
    static constexpr std::size_t kChunkSamples = 160;
    struct Chunk {
        std::int64_t at_ns = 0;  ///< CLOCK_MONOTONIC
        std::array<std::uint8_t, kChunkSamples> mu_law{};
    };

    explicit CallerTape(int seconds) : ring_(static_cast<std::size_t>(seconds) * 50) {}
    void write(std::span<const std::uint8_t, kChunkSamples> mu_law,
               std::int64_t at_ns) noexcept;          ///< @thread the leg's media worker
    [[nodiscard]] std::vector<Chunk> chunks() const;  ///< @thread any
    [[nodiscard]] std::size_t bytes() const noexcept { return ring_.bytes(); }

private:
    TraceRing<1 + kChunkSamples / 8> ring_;
};

/// What is kept of a leg's traffic; null members are not.
struct LegTrace {
    std::unique_ptr<PacketTrace> packets;
    std::unique_ptr<AiFrameTrace> ai_frames;
    std::unique_ptr<CallerTape> caller;
    /// Where the leg listens for RTP; set before it plays.
    WireAddress local{};

    [[nodiscard]] std::size_t bytes() const noexcept {
        return (packets ? packets->bytes() : 0) + (ai_frames ? ai_frames->bytes() : 0) +
               (caller ? caller->bytes() : 0);
    }
};

}  // namespace offhook::model
