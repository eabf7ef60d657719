#include "fake_uas.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/monotonic.h"
#include "caller/sdp_text.h"
#include "caller/sip_dialog.h"
#include "rtp/packet.h"

namespace offhook::caller::test {
namespace {

constexpr std::int64_t kPacketNs = 20'000'000;

FileDescriptor bind_loopback(int type, Endpoint& local) {
    FileDescriptor fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    const Endpoint any = *Endpoint::numeric("127.0.0.1", 0);
    (void)::bind(fd.get(), any.address(), any.length());
    sockaddr_storage bound{};
    socklen_t length = sizeof(bound);
    (void)::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &length);
    local = Endpoint::from(bound);
    return fd;
}

}  // namespace

FakeUas::FakeUas(UasPlan plan) : plan_(std::move(plan)), wake_(::eventfd(0, EFD_CLOEXEC)) {
    if (plan_.is_tcp) {
        listener_ = bind_loopback(SOCK_STREAM, local_);
        (void)::listen(listener_.get(), 4);
    } else {
        sip_ = bind_loopback(SOCK_DGRAM, local_);
    }
    rtp_ = bind_loopback(SOCK_DGRAM | SOCK_NONBLOCK, local_rtp_);
    thread_ = std::thread([this] { run(); });
}

FakeUas::~FakeUas() {
    is_stopping_ = true;
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof(one));
    thread_.join();
}

std::string FakeUas::uri() const {
    return "sip:test@" + local_.text() + (plan_.is_tcp ? ";transport=tcp" : "");
}

void FakeUas::run() {
    while (!is_stopping_) {
        const std::int64_t wait_ns = send_due(base::monotonic_ns());
        std::array<pollfd, 4> waiting{{{wake_.get(), POLLIN, 0},
                                       {sip_.get(), POLLIN, 0},
                                       {rtp_.get(), POLLIN, 0},
                                       {sip_ ? -1 : listener_.get(), POLLIN, 0}}};
        const timespec wait{wait_ns / base::kNsPerS, wait_ns % base::kNsPerS};
        (void)::ppoll(waiting.data(), waiting.size(), &wait, nullptr);
        if (waiting[1].revents != 0) read_sip();
        if (waiting[2].revents != 0) read_rtp();
        if (waiting[3].revents != 0)
            sip_ = FileDescriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
}

void FakeUas::read_sip() {
    std::array<char, 65536> bytes;
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    const ssize_t got = ::recvfrom(
        sip_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (got <= 0) {
        sip_.reset();
        return;
    }
    const std::string_view text(bytes.data(), static_cast<std::size_t>(got));
    if (!plan_.is_tcp) {
        if (const auto message = parse_sip(text)) on_message(*message, Endpoint::from(from));
        return;
    }
    (void)!stream_.feed(text).has_value();
    while (const auto whole = stream_.next()) {
        if (const auto message = parse_sip(*whole)) on_message(*message, {});
    }
}

void FakeUas::send_sip(const std::string& text, const Endpoint& to) {
    if (plan_.is_tcp)
        (void)!::send(sip_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    else
        (void)!::sendto(sip_.get(), text.data(), text.size(), 0, to.address(), to.length());
}

void FakeUas::on_message(const SipMessage& message, const Endpoint& from) {
    if (message.is_response) return;
    SipMessage tagged = message;
    for (auto& [name, value] : tagged.headers) {
        if (name == "to" && value.find(";tag=") == std::string::npos) value += ";tag=uas";
    }
    const std::string contact = "Contact: <" + uri() + ">\r\n";
    if (message.method == "INVITE") {
        if (invites_++ < plan_.ignored_invites) return;
        Leg& leg = legs_[message.call_id];
        leg.invite = tagged;
        leg.sip = from;
        if (const auto offer = parse_sdp(message.body))
            leg.rtp = *Endpoint::numeric(offer->address, offer->rtp_port);
        leg.is_over = plan_.status != 200 || plan_.only_rings;
        if (plan_.only_rings) {
            send_sip(write_response(tagged, 180, "Ringing", contact, {}), from);
        } else if (plan_.status != 200) {
            send_sip(write_response(tagged, plan_.status, "No", plan_.extra_headers, {}), from);
        } else {
            OwnSdp sdp;
            sdp.media = local_rtp_;
            sdp.formats = model::offer_formats({model::Codec::Pcmu});
            send_sip(
                write_response(tagged, 200, "OK", contact + plan_.extra_headers, write_sdp(sdp)),
                from);
            leg.start_ns = base::monotonic_ns() + 2 * base::kNsPerMs;
        }
    } else if (message.method == "ACK") {
        ++acks_;
    } else if (message.method == "BYE") {
        ++byes_;
        legs_[message.call_id].is_over = true;
        send_sip(write_response(tagged, 200, "OK", {}, {}), from);
    } else if (message.method == "CANCEL") {
        ++cancels_;
        send_sip(write_response(tagged, 200, "OK", {}, {}), from);
        send_sip(write_response(legs_[message.call_id].invite, 487, "Request Terminated", {}, {}),
                 from);
    }
}

void FakeUas::read_rtp() {
    std::array<std::uint8_t, 1600> bytes;
    for (;;) {
        const ssize_t got = ::recv(rtp_.get(), bytes.data(), bytes.size(), 0);
        if (got <= 0) return;
        const auto packet =
            rtp::parse_packet(std::span(bytes).first(static_cast<std::size_t>(got)));
        if (!packet) continue;
        ++heard_packets_;
        if (packet->payload_type == 101) ++heard_events_;
    }
}

std::int64_t FakeUas::send_due(std::int64_t now_ns) {
    std::int64_t next_ns = now_ns + base::kNsPerS;
    for (auto& [call_id, leg] : legs_) {
        while (!leg.is_over && leg.sent < plan_.packets) {
            OutgoingPacket packet;
            packet.sequence = static_cast<std::uint16_t>(100 + leg.sent);
            packet.timestamp_rtp = static_cast<std::uint32_t>(leg.sent) * 160;
            if (plan_.spoil) plan_.spoil(leg.sent, packet);
            const std::int64_t due_ns = leg.start_ns + leg.sent * kPacketNs + packet.late_ns;
            if (due_ns > now_ns) {
                next_ns = std::min(next_ns, due_ns);
                break;
            }
            if (packet.is_sent) send_packet(leg, packet);
            ++leg.sent;
            if (leg.sent == plan_.bye_after_packets) {
                leg.is_over = true;
                send_sip("BYE sip:offhook@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP " + local_.text() +
                             ";branch=z9hG4bKbye\r\nFrom: " + std::string(leg.invite.header("to")) +
                             "\r\nTo: " + std::string(leg.invite.header("from")) + "\r\nCall-ID: " +
                             call_id + "\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
                         leg.sip);
            }
        }
    }
    return std::max<std::int64_t>(next_ns - base::monotonic_ns(), 0);
}

void FakeUas::send_packet(const Leg& leg, const OutgoingPacket& packet) {
    std::array<std::uint8_t, rtp::kHeaderBytes + 160> bytes;
    bytes.fill(0xFF);
    rtp::Header header;
    header.sequence = packet.sequence;
    header.timestamp_rtp = packet.timestamp_rtp;
    header.ssrc = packet.ssrc;
    rtp::write_header(header, std::span(bytes).first<rtp::kHeaderBytes>());
    (void)!::sendto(rtp_.get(), bytes.data(), bytes.size(), 0, leg.rtp.address(), leg.rtp.length());
}

}  // namespace offhook::caller::test
