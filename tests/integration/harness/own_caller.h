#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/process.h"
#include "harness/rtp_judge.h"

namespace offhook::harness {

/// One RTP packet as a test makes it.
struct MadePacket {
    int at_ms = 0;  ///< after `exchange` began
    std::uint8_t payload_type = 0;
    bool marker = false;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::vector<std::uint8_t> payload;
};

/// Two UDP sockets, RTP on an even port and RTCP on the next, that send what a test made, when it
/// says.
class RtpEnd {
public:
    struct Heard {
        double at_s = 0;  ///< after the first `exchange`
        bool is_rtcp_port = false;
        std::uint16_t from_port = 0;
        std::vector<std::uint8_t> bytes;
    };

    /// @param host  127.0.0.1 or ::1
    explicit RtpEnd(const std::string& host);
    ~RtpEnd();
    RtpEnd(const RtpEnd&) = delete;
    RtpEnd& operator=(const RtpEnd&) = delete;

    [[nodiscard]] const std::string& host() const { return host_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Where `exchange` sends to.
    void set_peer(std::uint16_t port) { peer_port_ = port; }
    /// Sends each packet at its time and takes what comes, for `length`.
    void exchange(const std::vector<MadePacket>& packets, milliseconds length);
    /// Takes what comes until `count` more packets of RTP are here; false when `limit` passed.
    bool wait_rtp(std::size_t count, milliseconds limit);
    /// The same for RTCP, on the RTP port (`is_muxed`) or on the one beside it.
    bool wait_rtcp(bool is_muxed, milliseconds limit);

    [[nodiscard]] const std::vector<Heard>& heard() const { return heard_; }
    void forget() { heard_.clear(); }
    /// What was heard on the RTP port and is RTP, in order.
    [[nodiscard]] RtpStream stream() const;

private:
    void take_until(Clock::time_point until);
    void take(int fd, bool is_rtcp_port);

    std::string host_;
    int rtp_fd_ = -1, rtcp_fd_ = -1;
    std::uint16_t port_ = 0, peer_port_ = 0;
    Clock::time_point begun_{};
    std::vector<Heard> heard_;
};

/// A caller of the test's own: its SIP is a bare socket, its descriptions are what the test writes.
class OwnCaller {
public:
    struct Offer {
        std::string host = "127.0.0.1";
        std::uint16_t port = 9;
        std::string formats = "0 101";
        std::vector<std::string> attributes{"rtpmap:0 PCMU/8000",
                                            "rtpmap:101 telephone-event/8000"};
        int version = 1;
    };

    /// @param host    127.0.0.1 or ::1, where we are
    /// @param daemon  where it listens; empty: at the same address
    /// @param user    whom it calls
    OwnCaller(const std::string& host,
              std::uint16_t sip_port,
              const std::string& daemon = {},
              const std::string& user = "echo");
    ~OwnCaller();
    OwnCaller(const OwnCaller&) = delete;
    OwnCaller& operator=(const OwnCaller&) = delete;

    /// INVITE, or re-INVITE once a call is up; waits for the final answer and acknowledges it.
    /// @return its status, 0 when none came
    int invite(const Offer& offer);
    /// The same with a whole description.
    int invite(const std::string& sdp);
    /// @return status of the answer
    int bye();

    /// The session description of the last 200.
    [[nodiscard]] const std::string& answer() const { return answer_; }
    [[nodiscard]] bool answer_has(const std::string& line) const;
    /// The port of its m-line.
    [[nodiscard]] std::uint16_t answer_port() const;

private:
    int request(const std::string& method, const std::string& body);
    [[nodiscard]] std::string head(const std::string& method,
                                   int cseq,
                                   const std::string& to,
                                   const std::string& transaction) const;
    void send(const std::string& text) const;
    [[nodiscard]] std::string receive(milliseconds limit) const;

    int fd_ = -1;
    std::string host_, own_, number_, uri_, call_id_, to_, answer_;
    int cseq_ = 0;
};

/// Cuts mu-law or A-law, G.722 (one byte a sample of 8 kHz time) into packets of `ptime_ms`, first
/// at `at_ms`.
std::vector<MadePacket> packets_of(const std::vector<std::uint8_t>& bytes,
                                   int ptime_ms,
                                   std::uint8_t payload_type,
                                   int at_ms = 0,
                                   std::uint16_t sequence = 1,
                                   std::uint32_t timestamp = 160);

}  // namespace offhook::harness
