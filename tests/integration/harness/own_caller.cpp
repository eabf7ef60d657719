#include "harness/own_caller.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>

namespace offhook::harness {
namespace {

bool is_v6(const std::string& host) {
    return host.find(':') != std::string::npos;
}

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    Address(const std::string& host, std::uint16_t port) {
        if (is_v6(host)) {
            auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
            v6->sin6_family = AF_INET6;
            v6->sin6_port = htons(port);
            ::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr);
            length = sizeof *v6;
        } else {
            auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
            v4->sin_family = AF_INET;
            v4->sin_port = htons(port);
            ::inet_pton(AF_INET, host.c_str(), &v4->sin_addr);
            length = sizeof *v4;
        }
    }
    [[nodiscard]] const sockaddr* raw() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

std::uint16_t port_of(const sockaddr_storage& address) {
    return ntohs(address.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                     : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

/// A bound socket; -1 when the port is taken.
int bound(const std::string& host, std::uint16_t port) {
    const int fd = ::socket(is_v6(host) ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const Address address(host, port);
    if (fd >= 0 && ::bind(fd, address.raw(), address.length) == 0) return fd;
    ::close(fd);
    return -1;
}

std::uint16_t local_port(int fd) {
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length);
    return port_of(own);
}

std::string uri_host(const std::string& host) {
    return is_v6(host) ? "[" + host + "]" : host;
}

std::string header_of(const std::string& message, const std::string& name) {
    const std::size_t at = message.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t start = at + 4 + name.size();
    return message.substr(start, message.find("\r\n", start) - start);
}

std::uint32_t number_at(const std::vector<std::uint8_t>& bytes, std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + i];
    return value;
}

bool is_rtcp(const std::vector<std::uint8_t>& bytes) {
    return bytes.size() >= 8 && bytes[1] >= 192 && bytes[1] <= 223;
}

bool is_rtp(const RtpEnd::Heard& heard) {
    return !heard.is_rtcp_port && heard.bytes.size() >= 12 && heard.bytes[0] >> 6 == 2 &&
           !is_rtcp(heard.bytes);
}

}  // namespace

RtpEnd::RtpEnd(const std::string& host) : host_(host) {
    constexpr int kTries = 64;
    for (int i = 0; i < kTries && rtcp_fd_ < 0; ++i) {
        if (rtp_fd_ >= 0) ::close(rtp_fd_);
        rtp_fd_ = bound(host, 0);
        if (rtp_fd_ < 0) break;
        port_ = local_port(rtp_fd_);
        if (port_ % 2 == 0) rtcp_fd_ = bound(host, static_cast<std::uint16_t>(port_ + 1));
    }
    if (rtcp_fd_ < 0) throw std::runtime_error("no pair of ports on " + host);
}

RtpEnd::~RtpEnd() {
    ::close(rtp_fd_);
    ::close(rtcp_fd_);
}

void RtpEnd::exchange(const std::vector<MadePacket>& packets, milliseconds length) {
    const auto start = Clock::now();
    if (begun_ == Clock::time_point()) begun_ = start;
    const Address peer(host_, peer_port_);
    for (const MadePacket& packet : packets) {
        take_until(start + milliseconds(packet.at_ms));
        std::vector<std::uint8_t> bytes{
            0x80, static_cast<std::uint8_t>((packet.marker ? 0x80 : 0) | packet.payload_type)};
        for (const int shift : {8, 0})
            bytes.push_back(static_cast<std::uint8_t>(packet.sequence >> shift));
        for (const int shift : {24, 16, 8, 0})
            bytes.push_back(static_cast<std::uint8_t>(packet.timestamp >> shift));
        bytes.insert(bytes.end(), {0, 0, 0, 42});
        bytes.insert(bytes.end(), packet.payload.begin(), packet.payload.end());
        ::sendto(rtp_fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL, peer.raw(), peer.length);
    }
    take_until(start + length);
}

void RtpEnd::take_until(Clock::time_point until) {
    if (begun_ == Clock::time_point()) begun_ = Clock::now();
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
        std::array<pollfd, 2> watched{pollfd{rtp_fd_, POLLIN, 0}, pollfd{rtcp_fd_, POLLIN, 0}};
        if (::poll(watched.data(), 2, static_cast<int>(std::max<long>(left.count(), 0))) <= 0) {
            return;
        }
        if (watched[0].revents != 0) take(rtp_fd_, false);
        if (watched[1].revents != 0) take(rtcp_fd_, true);
    }
}

void RtpEnd::take(int fd, bool is_rtcp_port) {
    Heard heard;
    heard.bytes.resize(2048);
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const ssize_t got = ::recvfrom(fd,
                                   heard.bytes.data(),
                                   heard.bytes.size(),
                                   MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&from),
                                   &length);
    if (got < 0) return;  // an ICMP error of an earlier packet
    heard.bytes.resize(static_cast<std::size_t>(got));
    heard.at_s = std::chrono::duration<double>(Clock::now() - begun_).count();
    heard.is_rtcp_port = is_rtcp_port;
    heard.from_port = port_of(from);
    heard_.push_back(std::move(heard));
}

bool RtpEnd::wait_rtp(std::size_t count, milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    const auto have = [&] {
        return static_cast<std::size_t>(std::count_if(heard_.begin(), heard_.end(), is_rtp));
    };
    const std::size_t wanted = have() + count;
    while (have() < wanted && Clock::now() < deadline)
        take_until(std::min(deadline, Clock::now() + milliseconds(10)));
    return have() >= wanted;
}

bool RtpEnd::wait_rtcp(bool is_muxed, milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    const std::size_t from = heard_.size();
    const auto came = [&] {
        return std::any_of(heard_.begin() + static_cast<std::ptrdiff_t>(from),
                           heard_.end(),
                           [&](const Heard& heard) {
                               return is_rtcp(heard.bytes) && heard.is_rtcp_port != is_muxed;
                           });
    };
    while (!came() && Clock::now() < deadline)
        take_until(std::min(deadline, Clock::now() + milliseconds(10)));
    return came();
}

RtpStream RtpEnd::stream() const {
    std::vector<RtpPacket> packets;
    for (const Heard& heard : heard_) {
        if (!is_rtp(heard)) continue;
        RtpPacket packet;
        packet.at_s = heard.at_s;
        packet.source_port = heard.from_port;
        packet.target_port = port_;
        packet.has_marker = (heard.bytes[1] & 0x80) != 0;
        packet.payload_type = heard.bytes[1] & 0x7F;
        packet.sequence = static_cast<std::uint16_t>(number_at(heard.bytes, 2, 2));
        packet.timestamp = number_at(heard.bytes, 4, 4);
        packet.ssrc = number_at(heard.bytes, 8, 4);
        packet.payload.assign(heard.bytes.begin() + 12, heard.bytes.end());
        packets.push_back(std::move(packet));
    }
    return RtpStream(std::move(packets));
}

OwnCaller::OwnCaller(const std::string& host,
                     std::uint16_t sip_port,
                     const std::string& daemon,
                     const std::string& user)
    : fd_(bound(host, 0)), host_(host) {
    const Address target(daemon.empty() ? host : daemon, sip_port);
    if (fd_ < 0 || ::connect(fd_, target.raw(), target.length) != 0)
        throw std::runtime_error("no SIP socket on " + host);
    own_ = uri_host(host) + ":" + std::to_string(local_port(fd_));
    uri_ = "sip:" + user + "@" + uri_host(host) + ":" + std::to_string(sip_port);
    // Of a hundred callers two may get the same port, and a daemon remembers transactions for 32 s.
    static std::atomic<unsigned> callers{0};
    number_ = std::to_string(++callers);
    call_id_ = "own-" + number_ + "-" + own_;
}

OwnCaller::~OwnCaller() {
    ::close(fd_);
}

int OwnCaller::invite(const Offer& offer) {
    const std::string address = (is_v6(offer.host) ? "IN IP6 " : "IN IP4 ") + offer.host;
    std::string sdp = "v=0\r\no=- 1 " + std::to_string(offer.version) + " " + address +
                      "\r\ns=-\r\nc=" + address + "\r\nt=0 0\r\nm=audio " +
                      std::to_string(offer.port) + " RTP/AVP " + offer.formats + "\r\n";
    for (const std::string& attribute : offer.attributes) sdp += "a=" + attribute + "\r\n";
    return invite(sdp);
}

int OwnCaller::invite(const std::string& sdp) {
    return request("INVITE", sdp);
}

int OwnCaller::bye() {
    return request("BYE", {});
}

int OwnCaller::request(const std::string& method, const std::string& body) {
    const std::string head_text = head(method, ++cseq_, to_, method);
    send(head_text + "Contact: <sip:own@" + own_ + ">\r\n" +
         (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    const auto deadline = Clock::now() + seconds(10);
    while (Clock::now() < deadline) {
        const std::string message = receive(milliseconds(200));
        const bool is_mine = message.starts_with("SIP/2.0 ") &&
                             header_of(message, "CSeq") == std::to_string(cseq_) + " " + method;
        const int status = is_mine ? std::stoi(message.substr(8, 3)) : 0;
        if (status < 200) continue;
        if (method != "INVITE") return status;
        const std::string to = header_of(message, "To");
        if (status == 200) {
            to_ = to;
            answer_ = message.substr(message.find("\r\n\r\n") + 4);
        }
        // An ACK to a 2xx is a transaction of its own, to anything else it is the INVITE's.
        send(head("ACK", cseq_, to, status == 200 ? "ACK" : "INVITE") +
             "Content-Length: 0\r\n\r\n");
        return status;
    }
    return 0;
}

std::string OwnCaller::head(const std::string& method,
                            int cseq,
                            const std::string& to,
                            const std::string& transaction) const {
    return method + " " + uri_ + " SIP/2.0\r\nVia: SIP/2.0/UDP " + own_ + ";branch=z9hG4bK-own-" +
           number_ + "-" + transaction + std::to_string(cseq) + "\r\nFrom: <sip:own@" + own_ +
           ">;tag=own\r\nTo: " + (to.empty() ? "<" + uri_ + ">" : to) + "\r\nCall-ID: " + call_id_ +
           "\r\nCSeq: " + std::to_string(cseq) + " " + method + "\r\nMax-Forwards: 70\r\n";
}

void OwnCaller::send(const std::string& text) const {
    ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
}

std::string OwnCaller::receive(milliseconds limit) const {
    pollfd watched{fd_, POLLIN, 0};
    std::array<char, 8192> buffer{};
    if (::poll(&watched, 1, static_cast<int>(limit.count())) <= 0) return {};
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
}

bool OwnCaller::answer_has(const std::string& line) const {
    return ("\r\n" + answer_).find("\r\n" + line) != std::string::npos;
}

std::uint16_t OwnCaller::answer_port() const {
    const std::size_t at = answer_.find("m=audio ");
    return at == std::string::npos ? std::uint16_t{0}
                                   : static_cast<std::uint16_t>(std::stoi(answer_.substr(at + 8)));
}

std::vector<MadePacket> packets_of(const std::vector<std::uint8_t>& bytes,
                                   int ptime_ms,
                                   std::uint8_t payload_type,
                                   int at_ms,
                                   std::uint16_t sequence,
                                   std::uint32_t timestamp) {
    std::vector<MadePacket> packets;
    const auto size = static_cast<std::size_t>(ptime_ms) * 8;
    for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
        MadePacket packet;
        packet.at_ms = at_ms;
        packet.payload_type = payload_type;
        packet.marker = packets.empty();
        packet.sequence = sequence++;
        packet.timestamp = timestamp;
        packet.payload.assign(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                              bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
        packets.push_back(std::move(packet));
        at_ms += ptime_ms;
        timestamp += static_cast<std::uint32_t>(size);
    }
    return packets;
}

}  // namespace offhook::harness
