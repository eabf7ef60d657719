#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/process.h"

namespace offhook::harness {

/// One RTP packet as tshark dissected it. The time is the kernel's.
struct RtpPacket {
    double at_s = 0;  ///< epoch
    std::uint16_t source_port = 0, target_port = 0;
    std::uint32_t ssrc = 0, timestamp = 0;
    std::uint16_t sequence = 0;
    std::uint8_t payload_type = 0;
    bool has_marker = false;
    std::vector<std::uint8_t> payload;  ///< of SRTP: encrypted, with its tag
};

/// One RFC 4733 packet as tshark dissected it.
struct DtmfPacket {
    double at_s = 0;
    std::uint16_t source_port = 0;
    std::uint32_t timestamp = 0;
    std::uint16_t sequence = 0;
    char digit = '?';
    bool is_end = false;
    std::uint16_t duration_rtp = 0;
};

/// What crossed the loopback between construction and `stop`, recorded by dumpcap and read by
/// tshark: the judge that shares no code with the daemon or the caller.
class Capture {
public:
    /// Returns once a datagram of its own was seen captured, so that nothing after it is missed.
    /// @param filter  of libpcap, for instance `udp portrange 20000-20999`
    Capture(const TempDir& folder, const std::string& filter);
    ~Capture();

    /// Stops after everything sent so far is in the file. Throws when the kernel dropped a packet
    /// for want of room.
    void stop();

    /// RTP with an even port in [first, last] at one end. RTCP has the odd ones, unless it shares the
    /// port (`is_muxed`, web legs): then all ports count. Stops when still running.
    std::vector<RtpPacket> rtp(std::uint16_t first, std::uint16_t last, bool is_muxed = false);

    /// RFC 4733 packets of payload type `payload_type`.
    std::vector<DtmfPacket> dtmf(std::uint16_t first, std::uint16_t last, int payload_type);

    /// RTCP packets as `source_port type` lines (200 SR, 201 RR, 203 BYE).
    std::vector<std::pair<std::uint16_t, int>> rtcp(std::uint16_t first, std::uint16_t last);

    /// Differentiated services code points of what was sent from the ports [first, last].
    std::set<int> dscp(std::uint16_t first, std::uint16_t last);

    /// The audio port in the daemon's 200 to the first INVITE for `user`; 0 when there is none.
    std::uint16_t media_port(std::uint16_t sip_port, const std::string& user);

private:
    std::size_t bytes_written();
    void mark_until_seen();
    std::string fields(const std::vector<std::string>& arguments);

    std::filesystem::path file_;
    int mark_fd_ = -1;
    std::uint16_t mark_port_ = 0;
    bool is_stopped_ = false;
    std::unique_ptr<Process> dumpcap_;
};

/// The program that may capture: an own copy with the right to (scripts/setup), or the system's.
std::string dumpcap_program();

}  // namespace offhook::harness
