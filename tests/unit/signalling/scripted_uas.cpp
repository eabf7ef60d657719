#include "scripted_uas.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace offhook::test {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds left_until(Clock::time_point deadline) {
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()), 0ms);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::string uri_of(const std::string& name_addr) {
    const auto open = name_addr.find('<');
    return name_addr.substr(open + 1, name_addr.find('>') - open - 1);
}

}  // namespace

ScriptedUas::ScriptedUas(Bench& bench, const std::string& name)
    : bench_(bench), fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in local = loopback(0);
    socklen_t length = sizeof(local);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0 ||
        getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &length) != 0) {
        throw std::runtime_error("cannot bind the far end");
    }
    port_ = ntohs(local.sin_port);
    signalling::sip::AccountSettings account;
    account.name = name;
    account.user = "200";
    account.domain = "pbx.test";
    account.display_name = "Desk";
    account.password = base::Secret("secret");
    account.outbound_proxy = "127.0.0.1:" + std::to_string(port_);
    account.instance_id = "urn:uuid:00000000-0000-4000-8000-000000000001";
    bench.stack().set_account(account);
    bench.events.account = {};
    const bool registered = bench.wait([&] {
        while (queued_.size() < 16) {
            Message other = read(1ms);
            if (other.empty()) break;
            queued_.push_back(std::move(other));
        }
        return bench.events.account.state == model::AccountState::Registered &&
               bench.events.account.flow.ends_with(":" + std::to_string(port_));
    });
    if (!registered) throw std::runtime_error("the account did not register");
}

ScriptedUas::~ScriptedUas() {
    close(fd_);
}

void ScriptedUas::send(std::string_view text) {
    const sockaddr_in to = loopback(peer_port_);
    (void)sendto(
        fd_, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
}

Message ScriptedUas::receive(std::chrono::milliseconds limit) {
    if (queued_.empty()) return read(limit);
    Message first = std::move(queued_.front());
    queued_.pop_front();
    return first;
}

Message ScriptedUas::read(std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    std::array<char, 65536> buffer{};
    for (;;) {
        if (!bench_.wait_fd(fd_, left_until(deadline))) return {};
        sockaddr_in from{};
        socklen_t length = sizeof(from);
        const ssize_t n = recvfrom(fd_,
                                   buffer.data(),
                                   buffer.size(),
                                   MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&from),
                                   &length);
        if (n <= 0) continue;
        Message message{std::string(buffer.data(), static_cast<std::size_t>(n))};
        peer_port_ = ntohs(from.sin_port);
        if (message.method() != "REGISTER") return message;
        reply(message, 200, {}, "reg", {{"Contact", message.header("Contact") + ";expires=300"}});
    }
}

Message ScriptedUas::expect(std::string_view method, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    while (Clock::now() < deadline) {
        Message message = receive(left_until(deadline));
        if (message.method() == method) return message;
    }
    return {};
}

Message ScriptedUas::expect(int status, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    while (Clock::now() < deadline) {
        Message message = receive(left_until(deadline));
        if (message.status() == status) return message;
    }
    return {};
}

bool ScriptedUas::is_silent(std::chrono::milliseconds span) {
    return receive(span).empty();
}

Message ScriptedUas::place(const std::string& to,
                           std::chrono::seconds ring_timeout,
                           Headers headers) {
    model::OutgoingCall call;
    id_ = model::CallId::make();
    call.id = id_;
    call.account = "desk";
    call.to = to;
    call.offer = Bench::local_sdp({});
    call.ring_timeout = ring_timeout;
    call.headers = std::move(headers);
    bench_.stack().place_call(call);
    return expect("INVITE");
}

Message ScriptedUas::call() {
    const Message invite = place();
    reply(invite, 200, plain_offer());
    if (expect("ACK").empty()) throw std::runtime_error("no ACK");
    bench_.wait([&] { return bench_.events.saw("accepted"); });
    return invite;
}

void ScriptedUas::reply(const Message& request,
                        int status,
                        std::string_view sdp,
                        const std::string& tag,
                        const Headers& headers) {
    std::string text = "SIP/2.0 " + std::to_string(status) + " Whatever\r\n";
    for (std::size_t i = 0; !request.header("Via", i).empty(); ++i)
        text += "Via: " + request.header("Via", i) + "\r\n";
    std::string to = request.header("To");
    if (status > 100 && to.find(";tag=") == std::string::npos) to += ";tag=" + tag;
    text += "From: " + request.header("From") + "\r\nTo: " + to +
            "\r\nCall-ID: " + request.header("Call-ID") + "\r\nCSeq: " + request.header("CSeq") +
            "\r\n";
    bool has_contact = false;
    for (const auto& [name, value] : headers) {
        has_contact = has_contact || name == "Contact";
        text += name + ": " + value + "\r\n";
    }
    if (!has_contact)
        text += "Contact: <sip:" + tag + "@127.0.0.1:" + std::to_string(port_) + ">\r\n";
    if (!sdp.empty()) text += "Content-Type: application/sdp\r\n";
    send(text + "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + std::string(sdp));
}

void ScriptedUas::write_request(const Message& invite,
                                std::string_view method,
                                const std::string& content_type,
                                std::string_view body,
                                const Headers& headers,
                                const std::string& tag) {
    const std::string here = "127.0.0.1:" + std::to_string(port_);
    std::string text = std::string(method) + " " + uri_of(invite.header("Contact")) +
                       " SIP/2.0\r\nVia: SIP/2.0/UDP " + here + ";branch=" + branch +
                       ";rport\r\nMax-Forwards: 70\r\nFrom: " + invite.header("To") +
                       ";tag=" + tag + "\r\nTo: " + invite.header("From") +
                       "\r\nCall-ID: " + invite.header("Call-ID") +
                       "\r\nCSeq: " + std::to_string(cseq) + " " + std::string(method) +
                       "\r\nContact: <sip:" + tag + "@" + here + ">\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    if (!content_type.empty()) text += "Content-Type: " + content_type + "\r\n";
    send(text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

void ScriptedUas::request(const Message& invite,
                          std::string_view method,
                          const std::string& content_type,
                          std::string_view body,
                          const Headers& headers,
                          const std::string& tag) {
    ++cseq;
    branch = "z9hG4bKuas" + std::to_string(cseq) + tag + std::to_string(port_);
    write_request(invite, method, content_type, body, headers, tag);
}

void ScriptedUas::acknowledge(const Message& invite, const std::string& tag) {
    branch += "ack";
    write_request(invite, "ACK", {}, {}, {}, tag);
}

}  // namespace offhook::test
