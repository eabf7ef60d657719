#include "scripted_uac.h"

#include <arpa/inet.h>
#include <poll.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>

namespace offhook::test {
namespace {

using Clock = std::chrono::steady_clock;

int remaining_ms(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
}

std::string unique(std::string_view prefix) {
    static std::atomic<int> counter{0};
    return std::string(prefix) + std::to_string(getpid()) + "x" + std::to_string(++counter);
}

sockaddr_in loopback(const std::string& address, std::uint16_t port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &a.sin_addr);
    return a;
}

}  // namespace

ControlQueue::ControlQueue() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

ControlQueue::~ControlQueue() {
    close(fd_);
}

void ControlQueue::post(std::function<void()> task) {
    {
        const std::scoped_lock lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    const std::uint64_t one = 1;
    (void)!write(fd_, &one, sizeof(one));
}

void ControlQueue::run() {
    std::uint64_t ignored = 0;
    (void)!read(fd_, &ignored, sizeof(ignored));
    std::deque<std::function<void()>> tasks;
    {
        const std::scoped_lock lock(mutex_);
        tasks.swap(tasks_);
    }
    for (const auto& task : tasks) task();
}

void Recorder::on_incoming(model::IncomingCall call) {
    lines.emplace_back("incoming");
    calls.push_back(call);
    if (when_incoming) when_incoming(call);
}

void Recorder::on_answer_sent(const model::CallId&) {
    lines.emplace_back("answer_sent");
}

void Recorder::on_confirmed(const model::CallId&, std::optional<model::RemoteSdp> answer) {
    lines.emplace_back(answer ? "confirmed+sdp" : "confirmed");
    if (answer) last_sdp = std::move(answer);
}

void Recorder::on_reoffer(const model::CallId& id,
                          std::optional<model::RemoteSdp> offer,
                          std::uint32_t exchange) {
    lines.emplace_back("reoffer");
    last_sdp = offer;
    last_exchange = exchange;
    if (when_reoffer) when_reoffer(id, offer, exchange);
}

void Recorder::on_ended(const model::CallId&, model::CallEnd end) {
    lines.push_back("ended " + std::string(model::name_of(end.reason)));
    ends.push_back(std::move(end));
}

void Recorder::on_placed(const model::CallId&, model::PlacedCall call) {
    lines.emplace_back("placed");
    placed = std::move(call);
}

void Recorder::on_progress(const model::CallId&,
                           int status,
                           std::optional<model::RemoteSdp> early) {
    lines.push_back("progress " + std::to_string(status) + (early ? "+sdp" : ""));
}

void Recorder::on_accepted(const model::CallId&, model::RemoteSdp answer) {
    lines.emplace_back("accepted");
    last_sdp = std::move(answer);
}

void Recorder::on_reoffer_done(const model::CallId&,
                               int status,
                               std::optional<model::RemoteSdp> answer) {
    lines.push_back("reoffer_done " + std::to_string(status));
    if (answer) last_sdp = std::move(answer);
}

void Recorder::on_info_digit(const model::CallId&, char digit, unsigned duration_ms) {
    lines.push_back(std::string("digit ") + digit + " " + std::to_string(duration_ms));
}

void Recorder::on_info(const model::CallId&, std::string content_type, std::string body) {
    lines.push_back("info " + content_type + " " + body);
}

void Recorder::on_control_done(const model::CallId&, std::uint64_t tag, int status) {
    lines.push_back("control_done " + std::to_string(tag) + " " + std::to_string(status));
}

void Recorder::on_control(const model::CallId&, int command) {
    lines.push_back("control " + std::to_string(command));
}

void Recorder::on_transfer_requested(const model::CallId&, model::Transfer transfer) {
    lines.push_back("refer " + transfer.target);
    transfers.push_back(std::move(transfer));
}

void Recorder::on_transfer_progress(const model::CallId&, int status) {
    lines.push_back("transfer " + std::to_string(status));
}

void Recorder::on_message(model::TextMessage message) {
    lines.push_back("message " + message.body);
    messages.push_back(std::move(message));
}

void Recorder::on_message_done(std::uint64_t tag, int status) {
    lines.push_back("message_done " + std::to_string(tag) + " " + std::to_string(status));
}

void Recorder::on_account(model::AccountInfo info) {
    account = std::move(info);
}

std::size_t Recorder::count(std::string_view line) const {
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
}

int Message::status() const {
    return text.starts_with("SIP/2.0 ") ? std::stoi(text.substr(8, 3)) : 0;
}

std::string Message::method() const {
    return text.starts_with("SIP/") ? std::string() : text.substr(0, text.find(' '));
}

std::string Message::request_uri() const {
    const auto first = text.find(' ');
    return text.substr(first + 1, text.find(' ', first + 1) - first - 1);
}

std::string Message::header(std::string_view name, std::size_t index) const {
    std::size_t at = text.find("\r\n");
    while (at != std::string::npos) {
        at += 2;
        const auto end = text.find("\r\n", at);
        if (end == std::string::npos || end == at) return {};
        const auto colon = text.find(':', at);
        if (colon < end && colon - at == name.size() &&
            strncasecmp(text.data() + at, name.data(), name.size()) == 0 && index-- == 0) {
            const auto value = text.find_first_not_of(' ', colon + 1);
            return value >= end ? std::string() : text.substr(value, end - value);
        }
        at = end;
    }
    return {};
}

std::string Message::body() const {
    const auto end = text.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : text.substr(end + 4);
}

std::string Message::tag(std::string_view header_name) const {
    const std::string value = header(header_name);
    const auto at = value.find(";tag=");
    return at == std::string::npos ? std::string()
                                   : value.substr(at + 5, value.find(';', at + 5) - at - 5);
}

Bench::Bench(std::function<void(signalling::sip::SipSettings&)> change) {
    signalling::sip::SipSettings settings;
    settings.listen = {"udp:127.0.0.1:0", "tcp:127.0.0.1:0"};
    if (change) change(settings);
    auto started = signalling::sip::SipStack::start(std::move(settings), control, events);
    if (!started) throw std::runtime_error(started.error().text());
    stack_ = std::move(*started);
}

Bench::~Bench() {
    stack_->stop(0ms);
    control.run();
}

std::uint16_t Bench::port(std::string_view transport) const {
    for (const std::string& listener : stack_->listeners()) {
        if (listener.starts_with(transport)) {
            return static_cast<std::uint16_t>(std::stoi(listener.substr(listener.rfind(':') + 1)));
        }
    }
    throw std::runtime_error("no such listener");
}

bool Bench::wait(const std::function<bool()>& done, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    for (;;) {
        control.run();
        if (done()) return true;
        if (Clock::now() >= deadline) return false;
        // Conditions on counters change without an event: look again every few milliseconds.
        pollfd p{control.fd(), POLLIN, 0};
        poll(&p, 1, std::min(remaining_ms(deadline), 5));
    }
}

bool Bench::wait_fd(int fd, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    for (;;) {
        control.run();
        std::array<pollfd, 2> p{{{fd, POLLIN, 0}, {control.fd(), POLLIN, 0}}};
        poll(p.data(), p.size(), remaining_ms(deadline));
        if (p[0].revents != 0) return true;
        if (Clock::now() >= deadline) return false;
    }
}

model::LocalSdp Bench::local_sdp(const std::optional<model::RemoteSdp>& offer,
                                 std::uint64_t version) {
    model::LocalSdp local;
    local.session_id = "4711";
    local.version = version;
    local.address = "127.0.0.1";
    local.rtp_port = 20000;
    if (offer) {
        const auto chosen =
            model::choose_codec(offer->audio, {model::Codec::Pcmu, model::Codec::Pcma});
        if (chosen) local.formats = model::answer_formats(*chosen);
        local.lines = offer->lines;
        local.direction = model::mirrored(offer->audio.direction);
    } else {
        local.formats = model::offer_formats({model::Codec::Pcmu, model::Codec::Pcma});
    }
    return local;
}

void Bench::answer_all() {
    events.when_incoming = [this](const model::IncomingCall& call) {
        stack_->answer(call.id, local_sdp(call.offer));
    };
    events.when_reoffer = [this](const model::CallId& id,
                                 const std::optional<model::RemoteSdp>& offer,
                                 std::uint32_t exchange) {
        stack_->answer(id, local_sdp(offer, 2), exchange);
    };
}

ScriptedUac::ScriptedUac(Bench& bench, Over over, std::string source, std::uint16_t port)
    : bench_(bench), over_(over), source_(std::move(source)) {
    const bool udp = over == Over::Udp;
    fd_ = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    sockaddr_in local = loopback(source_, port);
    const sockaddr_in remote = loopback("127.0.0.1", bench.port(udp ? "udp" : "tcp"));
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0 ||
        connect(fd_, reinterpret_cast<const sockaddr*>(&remote), sizeof(remote)) != 0) {
        throw std::runtime_error("cannot reach the stack");
    }
    socklen_t length = sizeof(local);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &length);
    local_port_ = ntohs(local.sin_port);
    new_call();
}

ScriptedUac::~ScriptedUac() {
    close(fd_);
}

void ScriptedUac::new_call() {
    call_id = unique("call");
    from_tag = unique("f");
    to_tag.clear();
    remote_contact.clear();
    cseq = 0;
}

void ScriptedUac::send(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (n <= 0 || over_ == Over::Udp) return;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

Message ScriptedUac::receive(std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    std::array<char, 65536> buffer{};
    for (;;) {
        for (; stream_.starts_with("\r\n"); stream_.erase(0, 2)) ++pongs;
        if (const auto end = stream_.find("\r\n\r\n"); end != std::string::npos) {
            Message message{stream_.substr(0, end + 4)};
            const std::string length = message.header("Content-Length");
            const std::size_t whole = end + 4 + (length.empty() ? 0 : std::stoul(length));
            if (stream_.size() >= whole) {
                message.text = stream_.substr(0, whole);
                stream_.erase(0, whole);
                return message;
            }
        }
        if (at_end_ || !bench_.wait_fd(fd_, std::chrono::milliseconds(remaining_ms(deadline))))
            return {};
        const ssize_t n = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n < 0) continue;  // an ICMP error of what we sent
        if (n == 0) {
            at_end_ = over_ == Over::Tcp;
            continue;
        }
        if (over_ == Over::Udp)
            return Message{std::string(buffer.data(), static_cast<std::size_t>(n))};
        stream_.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

Message ScriptedUac::expect(int status, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    const std::string number = std::to_string(cseq) + " ";
    while (Clock::now() < deadline) {
        Message message = receive(std::chrono::milliseconds(remaining_ms(deadline)));
        // A 200 repeated because the machine was slow belongs to an earlier request.
        const bool ours =
            message.header("Call-ID") == call_id && message.header("CSeq").starts_with(number);
        if (!ours) continue;
        if (message.status() == status) return message;
        if (message.status() >= 200) return {};
    }
    return {};
}

Message ScriptedUac::expect(std::string_view method, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    while (Clock::now() < deadline) {
        Message message = receive(std::chrono::milliseconds(remaining_ms(deadline)));
        if (message.method() == method) return message;
    }
    return {};
}

bool ScriptedUac::is_silent(std::chrono::milliseconds span) {
    return receive(span).empty() && !at_end_;
}

bool ScriptedUac::is_closed(std::chrono::milliseconds limit) {
    return receive(limit).empty() && at_end_;
}

std::string ScriptedUac::request(std::string_view method, std::string_view sdp, bool same_branch) {
    const bool follows = method == "ACK" || method == "CANCEL";
    if (!follows) ++cseq;
    if (!same_branch) branch = "z9hG4bK" + unique("b");
    const std::string transport = over_ == Over::Udp ? "UDP" : "TCP";
    const std::string here = source_ + ":" + std::to_string(local_port_);
    const std::string target =
        method != "CANCEL" && !remote_contact.empty()
            ? remote_contact
            : "sip:service@127.0.0.1:" +
                  std::to_string(bench_.port(over_ == Over::Udp ? "udp" : "tcp"));
    const std::string own_contact =
        contact.empty() ? "<sip:alice@" + here + (over_ == Over::Tcp ? ";transport=tcp>" : ">")
                        : contact;
    std::string text = std::string(method) + " " + target + " SIP/2.0\r\nVia: SIP/2.0/" +
                       transport + " " + here + ";branch=" + branch +
                       ";rport\r\nMax-Forwards: 70\r\n";
    for (const std::string& route : record_routes) text += "Record-Route: " + route + "\r\n";
    text += "From: \"Alice \\\"A\\\"\" <sip:alice@127.0.0.1>;tag=" + from_tag +
            "\r\nTo: <sip:service@127.0.0.1>" +
            (to_tag.empty() || method == "CANCEL" ? "" : ";tag=" + to_tag) +
            "\r\nCall-ID: " + call_id + "\r\nCSeq: " + std::to_string(cseq) + " " +
            std::string(method) + "\r\nContact: " + own_contact + "\r\nUser-Agent: scripted\r\n" +
            std::exchange(extra, {});
    if (!sdp.empty()) text += "Content-Type: application/sdp\r\n";
    text += "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + std::string(sdp);
    return text;
}

void ScriptedUac::accept(const Message& request, int status) {
    std::string text = "SIP/2.0 " + std::to_string(status) + " Whatever\r\n";
    for (std::size_t i = 0;; ++i) {
        const std::string via = request.header("Via", i);
        if (via.empty()) break;
        text += "Via: " + via + "\r\n";
    }
    for (const char* name : {"From", "To", "Call-ID", "CSeq"})
        text += std::string(name) + ": " + request.header(name) + "\r\n";
    send(text + "Content-Length: 0\r\n\r\n");
}

void ScriptedUac::learn(const Message& response) {
    to_tag = response.tag("To");
    const std::string given = response.header("Contact");
    const auto open = given.find('<');
    if (open != std::string::npos)
        remote_contact = given.substr(open + 1, given.find('>') - open - 1);
}

Message ScriptedUac::call(std::string_view sdp) {
    send(request("INVITE", sdp));
    const Message ok = expect(200);
    if (ok.empty()) return ok;
    learn(ok);
    send(request("ACK"));
    return ok;
}

TcpAcceptor::TcpAcceptor() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in local = loopback("127.0.0.1", 0);
    socklen_t length = sizeof(local);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0 ||
        listen(fd_, 4) != 0 ||
        getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &length) != 0) {
        throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(local.sin_port);
}

TcpAcceptor::~TcpAcceptor() {
    close(fd_);
}

std::string TcpAcceptor::first_bytes(Bench& bench, std::chrono::milliseconds limit) {
    if (!bench.wait_fd(fd_, limit)) return {};
    const int connection = accept(fd_, nullptr, nullptr);
    std::array<char, 4096> buffer{};
    ssize_t n = 0;
    if (bench.wait_fd(connection, limit)) n = recv(connection, buffer.data(), buffer.size(), 0);
    close(connection);
    return std::string(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
}

std::string plain_offer(std::uint64_t version,
                        std::string_view direction,
                        std::string_view address) {
    return "v=0\r\no=user1 53655765 " + std::to_string(version) +
           " IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 " + std::string(address) +
           "\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
           "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=" +
           std::string(direction) + "\r\n";
}

std::string web_offer(std::uint64_t version, std::size_t least_bytes) {
    std::string text =
        "v=0\r\no=- 4611731400430051336 " + std::to_string(version) +
        " IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 110\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\n"
        "a=rtcp-mux\r\na=ice-ufrag:lTrS\r\na=ice-pwd:WsIsZSZfEIOcmkRZlNRx51+L\r\n"
        "a=fingerprint:sha-256 B6:06:7F:C3:85:DF:BD:72:22:0C:53:B8:21:D7:79:CF:E7:D2:92:70:11:5C:"
        "41:C8:E2:6D:E0:58:82:AF:15:87\r\na=setup:actpass\r\na=rtpmap:111 opus/48000/2\r\n"
        "a=rtpmap:110 telephone-event/48000\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 "
        "VP8/90000\r\n";
    while (text.size() < least_bytes) text += "a=rtcp-fb:96 nack pli\r\n";
    return text;
}

}  // namespace offhook::test
