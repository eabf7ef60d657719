#include "harness/capture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace offhook::harness {
namespace {

// The kernel clears it in one go: with 64 MiB a kernel without preemption kept a core for 140 ms,
// and whatever media thread was due there waited, so that the judge broke what it judged.
constexpr const char* kBuffer_mib = "4";

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    for (;;) {
        const std::size_t end = text.find(separator, start);
        parts.push_back(text.substr(start, end == std::string::npos ? end : end - start));
        if (end == std::string::npos) {
            return parts;
        }
        start = end + 1;
    }
}

std::uint32_t number(const std::string& text) {
    return static_cast<std::uint32_t>(std::strtoul(text.c_str(), nullptr, 0));
}

std::vector<std::uint8_t> bytes(const std::string& hex) {
    std::vector<std::uint8_t> result;
    result.reserve(hex.size() / 2);
    for (std::size_t at = 0; at + 1 < hex.size();) {
        if (hex[at] == ':') {
            ++at;
            continue;
        }
        unsigned value = 0;
        std::from_chars(hex.data() + at, hex.data() + at + 2, value, 16);
        result.push_back(static_cast<std::uint8_t>(value));
        at += 2;
    }
    return result;
}

std::string range(std::uint16_t first, std::uint16_t last) {
    return std::to_string(first) + "-" + std::to_string(last);
}

}  // namespace

std::string dumpcap_program() {
    if (const char* own = std::getenv("OFFHOOK_DUMPCAP");
        own != nullptr && ::access(own, X_OK) == 0) {
        return own;
    }
    return "dumpcap";
}

Capture::Capture(const TempDir& folder, const std::string& filter)
    : file_(folder / "capture.pcapng") {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    mark_fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    if (::bind(mark_fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::getsockname(mark_fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
        throw std::runtime_error("no socket for the capture's marks");
    }
    mark_port_ = ntohs(address.sin_port);
    dumpcap_ = std::make_unique<Process>(std::vector<std::string>{
        dumpcap_program(),
        "-q",
        "-i",
        "lo",
        "-B",
        kBuffer_mib,
        "-w",
        file_.string(),
        "-f",
        "(" + filter + ") or (udp port " + std::to_string(mark_port_) + ")"});
    if (!dumpcap_->wait_output("File: ", seconds(20))) {
        throw std::runtime_error("dumpcap does not capture: " + dumpcap_->output());
    }
    mark_until_seen();
}

Capture::~Capture() {
    if (mark_fd_ >= 0) {
        ::close(mark_fd_);
    }
}

std::size_t Capture::bytes_written() {
    std::error_code error;
    const auto size = std::filesystem::file_size(file_, error);
    return error ? 0 : static_cast<std::size_t>(size);
}

void Capture::mark_until_seen() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(mark_port_);
    const std::size_t before = bytes_written();
    const bool is_seen = eventually(seconds(20), dumpcap_.get(), [&] {
        // Large ones: the writer's buffer is flushed after some kilobytes or a short while,
        // whichever comes first.
        const std::array<char, 1000> mark{};
        ::sendto(mark_fd_,
                 mark.data(),
                 mark.size(),
                 0,
                 reinterpret_cast<const sockaddr*>(&address),
                 sizeof address);
        return bytes_written() >= before + mark.size();
    });
    if (!is_seen) {
        throw std::runtime_error("the capture does not see our own datagrams: " +
                                 dumpcap_->output());
    }
}

void Capture::stop() {
    if (is_stopped_) {
        return;
    }
    is_stopped_ = true;
    // What was sent before these marks stands before them in the file.
    mark_until_seen();
    dumpcap_->signal(SIGINT);
    if (!dumpcap_->wait(seconds(20))) {
        throw std::runtime_error("dumpcap does not stop: " + dumpcap_->output());
    }
    dumpcap_->wait_output("(100.0%)", seconds(5));
    if (dumpcap_->output().find("(100.0%)") == std::string::npos) {
        throw std::runtime_error("the capture lost packets, so it judges nothing: " +
                                 dumpcap_->output());
    }
}

std::string Capture::fields(const std::vector<std::string>& arguments) {
    stop();
    std::vector<std::string> argv{"tshark", "-n", "-r", file_.string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run(argv, seconds(120));
}

std::vector<RtpPacket> Capture::rtp(std::uint16_t first, std::uint16_t last, bool is_muxed) {
    const std::string text = fields(
        {"-d",
         "udp.port==" + range(first, last) + ",rtp",
         "-Y",
         "rtp && udp.port >= " + std::to_string(first) + " && udp.port <= " + std::to_string(last),
         "-T",
         "fields",
         "-e",
         "frame.time_epoch",
         "-e",
         "udp.srcport",
         "-e",
         "udp.dstport",
         "-e",
         "rtp.ssrc",
         "-e",
         "rtp.seq",
         "-e",
         "rtp.timestamp",
         "-e",
         "rtp.p_type",
         "-e",
         "rtp.marker",
         "-e",
         "rtp.payload",
         "-e",
         "udp.payload"});
    std::vector<RtpPacket> packets;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::vector<std::string> part = split(line, '\t');
        // Without SSRC: STUN or DTLS on the port of a web leg.
        if (part.size() < 10 || part[3].empty()) {
            continue;
        }
        RtpPacket packet;
        packet.at_s = std::strtod(part[0].c_str(), nullptr);
        packet.source_port = static_cast<std::uint16_t>(number(part[1]));
        packet.target_port = static_cast<std::uint16_t>(number(part[2]));
        const bool is_ours = packet.source_port >= first && packet.source_port <= last;
        const std::uint16_t our_port = is_ours ? packet.source_port : packet.target_port;
        if (our_port % 2 != 0 && !is_muxed) {
            continue;
        }
        packet.ssrc = number(part[3]);
        packet.sequence = static_cast<std::uint16_t>(number(part[4]));
        packet.timestamp = number(part[5]);
        packet.payload_type = static_cast<std::uint8_t>(number(part[6]));
        packet.has_marker = part[7] == "1" || part[7] == "True";
        packet.payload = bytes(part[8]);
        if (packet.payload.empty()) {
            // What its SDP calls SRTP has no payload for tshark: then what follows the header, tag
            // and all.
            const std::vector<std::uint8_t> datagram = bytes(part[9]);
            constexpr std::ptrdiff_t kHeader = 12;
            if (std::ssize(datagram) > kHeader)
                packet.payload.assign(datagram.begin() + kHeader, datagram.end());
        }
        packets.push_back(std::move(packet));
    }
    return packets;
}

std::vector<DtmfPacket> Capture::dtmf(std::uint16_t first, std::uint16_t last, int payload_type) {
    const std::string text = fields({"-d", "udp.port==" + range(first, last) + ",rtp",
                                     "-d", "rtp.pt==" + std::to_string(payload_type) + ",rtpevent",
                                     "-Y", "rtpevent",
                                     "-T", "fields",
                                     "-e", "frame.time_epoch",
                                     "-e", "udp.srcport",
                                     "-e", "rtp.timestamp",
                                     "-e", "rtp.seq",
                                     "-e", "rtpevent.event_id",
                                     "-e", "rtpevent.end_of_event",
                                     "-e", "rtpevent.duration"});
    std::vector<DtmfPacket> packets;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::vector<std::string> part = split(line, '\t');
        if (part.size() < 7) {
            continue;
        }
        DtmfPacket packet;
        packet.at_s = std::strtod(part[0].c_str(), nullptr);
        packet.source_port = static_cast<std::uint16_t>(number(part[1]));
        packet.timestamp = number(part[2]);
        packet.sequence = static_cast<std::uint16_t>(number(part[3]));
        const std::uint32_t event = number(part[4]);
        packet.digit = event < 16 ? "0123456789*#ABCD"[event] : '?';
        packet.is_end = part[5] == "1" || part[5] == "True";
        packet.duration_rtp = static_cast<std::uint16_t>(number(part[6]));
        packets.push_back(packet);
    }
    return packets;
}

std::vector<std::pair<std::uint16_t, int>> Capture::rtcp(std::uint16_t first, std::uint16_t last) {
    const std::string text = fields({"-d",
                                     "udp.port==" + range(first, last) + ",rtcp",
                                     "-Y",
                                     "rtcp",
                                     "-T",
                                     "fields",
                                     "-e",
                                     "udp.srcport",
                                     "-e",
                                     "udp.dstport",
                                     "-e",
                                     "rtcp.pt"});
    std::vector<std::pair<std::uint16_t, int>> packets;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::vector<std::string> part = split(line, '\t');
        if (part.size() < 3) {
            continue;
        }
        const auto source = static_cast<std::uint16_t>(number(part[0]));
        const bool is_ours = source >= first && source <= last;
        const std::uint32_t our_port = is_ours ? source : number(part[1]);
        if (our_port % 2 == 0) {
            continue;
        }
        for (const std::string& type : split(part[2], ',')) {
            packets.emplace_back(source, static_cast<int>(number(type)));
        }
    }
    return packets;
}

std::set<int> Capture::dscp(std::uint16_t first, std::uint16_t last) {
    const std::string text = fields(
        {"-Y",
         "udp.srcport >= " + std::to_string(first) + " && udp.srcport <= " + std::to_string(last),
         "-T",
         "fields",
         "-e",
         "ip.dsfield.dscp",
         "-e",
         "ipv6.tclass.dscp"});
    std::set<int> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::vector<std::string> part = split(line, '\t');
        if (part.size() < 2) continue;
        found.insert(static_cast<int>(number(part[0].empty() ? part[1] : part[0])));
    }
    return found;
}

std::uint16_t Capture::media_port(std::uint16_t sip_port, const std::string& user) {
    const std::string text = fields({"-d",
                                     "udp.port==" + std::to_string(sip_port) + ",sip",
                                     "-Y",
                                     "sip && sdp",
                                     "-T",
                                     "fields",
                                     "-e",
                                     "sip.r-uri.user",
                                     "-e",
                                     "sip.Status-Code",
                                     "-e",
                                     "sip.Call-ID",
                                     "-e",
                                     "sdp.media.port"});
    std::istringstream lines(text);
    std::string call_id;
    for (std::string line; std::getline(lines, line);) {
        const std::vector<std::string> part = split(line, '\t');
        if (part.size() < 4) {
            continue;
        }
        if (call_id.empty() && part[0] == user) {
            call_id = part[2];
        } else if (!call_id.empty() && part[2] == call_id && part[1] == "200") {
            return static_cast<std::uint16_t>(number(part[3]));
        }
    }
    return 0;
}

}  // namespace offhook::harness
