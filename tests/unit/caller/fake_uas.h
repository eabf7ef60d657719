#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "caller/endpoint.h"
#include "caller/file_descriptor.h"
#include "caller/sip_message.h"

namespace offhook::caller::test {

/// One packet of the callee's stream before it is sent; a test spoils it.
struct OutgoingPacket {
    bool is_sent = true;
    std::int64_t late_ns = 0;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp_rtp = 0;
    std::uint32_t ssrc = 0x1234;
};

/// How the callee behaves.
struct UasPlan {
    int status = 200;  ///< final answer to INVITE
    std::string extra_headers;
    bool is_tcp = false;
    bool only_rings = false;     ///< 180 and nothing more until CANCEL
    int packets = 1'000'000;     ///< then the stream stops
    int bye_after_packets = -1;  ///< the callee hangs up
    int ignored_invites = 0;     ///< as if lost on the way
    std::function<void(int index, OutgoingPacket&)> spoil;
};

/// A callee in the same process: answers every INVITE and sends PCMU, one packet every 20 ms on an
/// absolute grid, from its own thread, on ports of the kernel's choice. Also keeps what it was
/// asked.
class FakeUas {
public:
    explicit FakeUas(UasPlan plan);
    ~FakeUas();
    FakeUas(const FakeUas&) = delete;
    FakeUas& operator=(const FakeUas&) = delete;

    /// "sip:test@127.0.0.1:PORT", with the transport.
    [[nodiscard]] std::string uri() const;
    [[nodiscard]] int invites() const { return invites_; }
    [[nodiscard]] int acks() const { return acks_; }
    [[nodiscard]] int byes() const { return byes_; }
    [[nodiscard]] int cancels() const { return cancels_; }
    /// RTP packets that the caller sent, and those of them with payload type 101.
    [[nodiscard]] int heard_packets() const { return heard_packets_; }
    [[nodiscard]] int heard_events() const { return heard_events_; }

private:
    struct Leg {
        SipMessage invite;
        Endpoint sip, rtp;
        std::int64_t start_ns = 0;
        int sent = 0;
        bool is_over = false;
    };

    void run();
    void read_sip();
    void on_message(const SipMessage& message, const Endpoint& from);
    void send_sip(const std::string& text, const Endpoint& to);
    void read_rtp();
    [[nodiscard]] std::int64_t send_due(std::int64_t now_ns);
    void send_packet(const Leg& leg, const OutgoingPacket& packet);

    UasPlan plan_;
    FileDescriptor listener_, sip_, rtp_, wake_;
    Endpoint local_, local_rtp_;
    SipStream stream_;
    std::unordered_map<std::string, Leg> legs_;
    std::atomic<int> invites_{0}, acks_{0}, byes_{0}, cancels_{0}, heard_packets_{0},
        heard_events_{0};
    std::atomic<bool> is_stopping_{false};
    std::thread thread_;
};

}  // namespace offhook::caller::test
