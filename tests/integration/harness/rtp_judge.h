#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/capture.h"
#include "harness/sound.h"

namespace offhook::harness {

/// What one direction of one call looked like on the wire.
struct RtpVerdict {
    std::size_t packets = 0;
    double duration_s = 0;      ///< first to last packet
    double rate_hz = 0;         ///< packets a second over that time
    double longest_gap_ms = 0;  ///< between neighbours
    double p99_gap_ms = 0;
    double first_s = 0, last_s = 0;  ///< epoch
    std::size_t ssrcs = 0;
    std::size_t sequence_breaks = 0;  ///< next is not previous + 1
    std::size_t timestamp_breaks =
        0;  ///< next is not previous + `step_rtp`, RFC 4733 packets aside
    std::size_t markers = 0;
    std::vector<std::uint8_t> payload_types;  ///< in order of first appearance
    [[nodiscard]] std::string text() const;
};

/// The packets one end of a call sent, in the order of the capture.
class RtpStream {
public:
    RtpStream(std::vector<RtpPacket> packets, int dtmf_payload_type = 101);

    [[nodiscard]] const std::vector<RtpPacket>& packets() const { return packets_; }
    [[nodiscard]] bool is_empty() const { return packets_.empty(); }
    /// @param step_rtp  ticks of 20 ms: 160, Opus 960
    [[nodiscard]] RtpVerdict judge(std::uint32_t step_rtp = 160) const;
    /// The part sent in [from_s, to_s) after the first packet.
    [[nodiscard]] RtpStream part(double from_s, double to_s) const;
    /// Decoded in sequence order by their RTP timestamps: a hole in the timestamps is silence of
    /// that length.
    [[nodiscard]] Sound sound(const std::string& codec) const;

private:
    std::vector<RtpPacket> packets_;
    int dtmf_payload_type_;
};

/// All streams a capture shows, one per sender port, those with most packets first.
/// @param sent_by_daemon  true: from a port in the daemon's range; false: to one
std::vector<RtpStream> streams(const std::vector<RtpPacket>& packets,
                               std::uint16_t first,
                               std::uint16_t last,
                               bool sent_by_daemon,
                               int dtmf_payload_type = 101);

}  // namespace offhook::harness
