#include "caller/sip_dialog.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/escape.h"
#include "base/monotonic.h"

namespace offhook::caller {
namespace {

constexpr std::int64_t kT1Ns = 500 * base::kNsPerMs;  // RFC 3261 §17.1.1.1
constexpr std::int64_t kT2Ns = 4 * base::kNsPerS;
/// How long we wait for the answer to a BYE or CANCEL. RFC 3261 says 32 s; a measurement does not
/// get better by that.
constexpr std::int64_t kFarewellNs = 5 * base::kNsPerS;
constexpr std::string_view kAllow = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO";

std::string random_hex() {
    std::array<std::uint8_t, 8> bytes{};
    // Eight bytes are always there at once (getrandom(2)), and uniqueness is all that is asked of
    // them.
    (void)getrandom(bytes.data(), bytes.size(), 0);
    std::string text;
    for (const std::uint8_t byte : bytes) {
        std::array<char, 3> digits{};
        std::snprintf(digits.data(), digits.size(), "%02x", byte);
        text += digits.data();
    }
    return text;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

std::string seconds_text(std::int64_t ns) {
    return std::to_string(ns / base::kNsPerS) + " s";
}

}  // namespace

std::string write_response(const SipMessage& request,
                           int status,
                           std::string_view reason,
                           std::string_view extra_headers,
                           std::string_view body) {
    std::string text = "SIP/2.0 " + std::to_string(status) + " " + std::string(reason) + "\r\n";
    for (const auto& [name, value] : request.headers) {
        if (name == "via") text += "Via: " + value + "\r\n";
        if (name == "record-route") text += "Record-Route: " + value + "\r\n";
    }
    text += "From: " + std::string(request.header("from")) +
            "\r\nTo: " + std::string(request.header("to")) + "\r\nCall-ID: " + request.call_id +
            "\r\nCSeq: " + std::to_string(request.cseq) + " " + request.method + "\r\n" +
            std::string(extra_headers);
    if (request.method == "OPTIONS" || status == 405)
        text += "Allow: " + std::string(kAllow) + "\r\n";
    if (!body.empty()) text += "Content-Type: application/sdp\r\n";
    return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

SipDialog::SipDialog(const DialogSettings& settings, Endpoint media, SipOut& out)
    : settings_(settings),
      out_(out),
      token_(random_hex()),
      call_id_(token_ + "@" + settings.local.uri_host()),
      local_tag_(random_hex()) {
    sdp_.media = media;
    sdp_.session_id = static_cast<std::uint64_t>(base::realtime_ns() / base::kNsPerMs);
    sdp_.formats = model::offer_formats({settings.codec});
    for (const model::SrtpSuite suite : settings.srtp) {
        const auto tag = static_cast<std::uint32_t>(sdp_.crypto.size() + 1);
        if (const auto key = model::SrtpKey::random(suite))
            sdp_.crypto.push_back({tag, suite, *key});
    }
}

std::string SipDialog::new_branch() {
    return "z9hG4bK" + token_ + "." + std::to_string(++branches_);
}

std::string SipDialog::contact() const {
    return "<sip:" + settings_.from_user + "@" + settings_.local.text() +
           (settings_.is_tcp ? ";transport=tcp" : "") + ">";
}

std::string SipDialog::request(std::string_view method,
                               const std::string& uri,
                               const std::string& to,
                               const std::vector<std::string>& routes,
                               std::uint32_t cseq,
                               const std::string& branch,
                               const std::string& body) const {
    const std::string local = settings_.local.text();
    std::string text = std::string(method) + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/" +
                       (settings_.is_tcp ? "TCP " : "UDP ") + local + ";rport;branch=" + branch +
                       "\r\nMax-Forwards: 70\r\n";
    if (!routes.empty()) text += "Route: " + joined(routes) + "\r\n";
    text += "From: <sip:" + settings_.from_user + "@" + settings_.local.uri_host() +
            ">;tag=" + local_tag_ + "\r\nTo: " + to + "\r\nCall-ID: " + call_id_ +
            "\r\nCSeq: " + std::to_string(cseq) + " " + std::string(method) + "\r\n";
    if (method == "INVITE") {
        text += "Contact: " + contact() + "\r\nAllow: " + std::string(kAllow) + "\r\n";
    }
    text += "User-Agent: offhook-call/" OFFHOOK_VERSION "\r\n";
    if (!body.empty()) text += "Content-Type: application/sdp\r\n";
    return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

void SipDialog::invite(std::int64_t now_ns) {
    invite_branch_ = new_branch();
    const std::string uri = settings_.target.text();
    invite_text_ =
        request("INVITE", uri, "<" + uri + ">", {}, cseq_, invite_branch_, write_sdp(sdp_));
    state_ = State::Calling;
    invited_ns_ = now_ns;
    sending_ = invite_text_;
    sending_hop_ = settings_.next_hop;
    interval_ns_ = kT1Ns;
    retransmit_ns_ = settings_.is_tcp ? -1 : now_ns + interval_ns_;
    deadline_ns_ = now_ns + settings_.answer_timeout_ns;
    out_.send(invite_text_, settings_.next_hop);
}

void SipDialog::tick(std::int64_t now_ns) {
    if (state_ == State::Ended) return;
    if (retransmit_ns_ >= 0 && now_ns >= retransmit_ns_) {
        if (state_ == State::Calling) ++invite_retransmissions_;
        // Timer A doubles without limit, timer E up to T2 (RFC 3261 §17.1.1.2, §17.1.2.2).
        interval_ns_ =
            state_ == State::Calling ? interval_ns_ * 2 : std::min(interval_ns_ * 2, kT2Ns);
        retransmit_ns_ = now_ns + interval_ns_;
        out_.send(sending_, sending_hop_);
    }
    if (deadline_ns_ < 0 || now_ns < deadline_ns_) return;
    switch (state_) {
        case State::Calling:
            if (cancel_wanted_) {
                end(Ending::Cancelled, "stopped before any answer");
                break;
            }
            end(Ending::NoResponse,
                "no answer within " + seconds_text(settings_.answer_timeout_ns) + ": " +
                    (settings_.is_tcp ? "tcp:" : "udp:") + settings_.next_hop.text() +
                    " sent nothing back at all (is that a SIP server?)");
            break;
        case State::Ringing:
            cancel_is_ours_ = true;
            hang_up(now_ns);
            break;
        case State::Cancelling:
            end(cancel_is_ours_ ? Ending::RangOut : Ending::Cancelled,
                "no answer, and our CANCEL was not confirmed");
            break;
        case State::Leaving:
            // The planned end came; that nobody confirmed it is worth a word, not a failure.
            end(Ending::WeHungUp, "our BYE was not answered within " + seconds_text(kFarewellNs));
            break;
        case State::Idle:
        case State::Answered:
        case State::Ended:
            break;
    }
}

void SipDialog::hang_up(std::int64_t now_ns) {
    switch (state_) {
        case State::Idle:
            end(Ending::Cancelled, "never called");
            break;
        case State::Calling:
            // A CANCEL must wait for a provisional answer (RFC 3261 §9.1).
            cancel_wanted_ = true;
            deadline_ns_ = std::min(deadline_ns_, now_ns + kFarewellNs);
            break;
        case State::Ringing: {
            state_ = State::Cancelling;
            const std::string uri = settings_.target.text();
            sending_ = request("CANCEL", uri, "<" + uri + ">", {}, cseq_, invite_branch_, {});
            interval_ns_ = kT1Ns;
            retransmit_ns_ = settings_.is_tcp ? -1 : now_ns + interval_ns_;
            deadline_ns_ = now_ns + kFarewellNs;
            out_.send(sending_, sending_hop_);
            break;
        }
        case State::Answered:
            send_bye(now_ns);
            break;
        case State::Cancelling:
        case State::Leaving:
        case State::Ended:
            break;
    }
}

Endpoint SipDialog::in_dialog_hop(const Remote& remote) const {
    std::string next = remote.contact;
    if (!remote.routes.empty()) {
        if (const auto route = parse_name_address(remote.routes.front())) next = route->uri;
    }
    const auto uri = parse_sip_uri(next);
    if (!uri) return settings_.next_hop;
    const std::uint16_t port = uri->port != 0 ? uri->port : std::uint16_t{5060};
    // Names are resolved once, before the run: a resolver would stop every other call's packets.
    if (auto direct = Endpoint::numeric(uri->host, port);
        direct && direct->family() == settings_.next_hop.family()) {
        return *direct;
    }
    Endpoint hop = settings_.next_hop;
    if (uri->host == settings_.target.host) hop.set_port(port);
    return hop;
}

void SipDialog::send_in_dialog(std::string_view method,
                               const Remote& remote,
                               std::uint32_t cseq,
                               std::string& kept) {
    std::string uri = remote.contact;
    std::vector<std::string> routes = remote.routes;
    if (!routes.empty()) {
        const auto first = parse_name_address(routes.front());
        const auto parsed = first ? parse_sip_uri(first->uri) : base::Result<SipUri>(SipUri{});
        // A strict router gets itself as Request-URI (RFC 3261 §12.2.1.1).
        if (first && parsed && !parsed->param("lr")) {
            routes.erase(routes.begin());
            routes.push_back("<" + uri + ">");
            uri = first->uri;
        }
    }
    kept = request(method, uri, remote.to, routes, cseq, new_branch(), {});
    out_.send(kept, in_dialog_hop(remote));
}

void SipDialog::send_bye(std::int64_t now_ns) {
    state_ = State::Leaving;
    send_in_dialog("BYE", remote_end_, ++cseq_, bye_text_);
    sending_ = bye_text_;
    sending_hop_ = in_dialog_hop(remote_end_);
    interval_ns_ = kT1Ns;
    retransmit_ns_ = settings_.is_tcp ? -1 : now_ns + interval_ns_;
    deadline_ns_ = now_ns + kFarewellNs;
}

void SipDialog::end(Ending ending, std::string text) {
    state_ = State::Ended;
    if (ending_ == Ending::None) {
        ending_ = ending;
        text_ = std::move(text);
    }
    retransmit_ns_ = deadline_ns_ = -1;
}

void SipDialog::transport_failed(const Endpoint& to, const std::string& why) {
    if (to.is_set() && !(to == sending_hop_)) return;
    switch (state_) {
        case State::Calling:
        case State::Ringing:
        case State::Cancelling:
            end(Ending::Unreachable, why);
            break;
        case State::Leaving:
            end(Ending::WeHungUp, "our BYE did not get through: " + why);
            break;
        case State::Idle:
        case State::Answered:
        case State::Ended:
            break;
    }
}

void SipDialog::receive(const SipMessage& message,
                        const Endpoint& from,
                        std::int64_t arrival_ns,
                        std::int64_t now_ns) {
    if (message.is_response) {
        on_response(message, arrival_ns, now_ns);
    } else {
        on_request(message, from, arrival_ns);
    }
}

void SipDialog::on_response(const SipMessage& message,
                            std::int64_t arrival_ns,
                            std::int64_t now_ns) {
    if (message.tag("from") != local_tag_) return;
    if (message.method == "INVITE" && message.cseq == 1) {
        on_invite_response(message, arrival_ns, now_ns);
    } else if (message.method == "BYE" && state_ == State::Leaving && message.status >= 200) {
        end(Ending::WeHungUp, {});
    } else if (message.method == "CANCEL" && state_ == State::Cancelling) {
        // The INVITE's own final answer follows (487).
        retransmit_ns_ = -1;
    }
}

void SipDialog::on_invite_response(const SipMessage& message,
                                   std::int64_t arrival_ns,
                                   std::int64_t now_ns) {
    if (message.status >= 200 && message.status < 300) {
        on_answer(message, arrival_ns, now_ns);
        return;
    }
    if (message.branch() != invite_branch_) return;
    if (message.status >= 300) {
        on_refusal(message);
        return;
    }
    if (state_ != State::Calling) return;
    state_ = State::Ringing;
    retransmit_ns_ = -1;
    if (cancel_wanted_) hang_up(now_ns);
}

void SipDialog::on_refusal(const SipMessage& message) {
    // The ACK of a refusal belongs to the INVITE's transaction (RFC 3261 §17.1.1.3), also for a
    // repeated one.
    out_.send(request("ACK",
                      settings_.target.text(),
                      std::string(message.header("to")),
                      {},
                      cseq_,
                      invite_branch_,
                      {}),
              settings_.next_hop);
    if (state_ != State::Calling && state_ != State::Ringing && state_ != State::Cancelling) return;
    status_ = message.status;
    if (state_ == State::Cancelling) {
        end(cancel_is_ours_ ? Ending::RangOut : Ending::Cancelled,
            cancel_is_ours_ ? "it rang for " + seconds_text(settings_.answer_timeout_ns) +
                                  " and nobody answered"
                            : "stopped before the answer");
        return;
    }
    std::string text = "answered " + std::to_string(message.status) + " " +
                       base::escape_untrusted(message.reason, 80);
    if (const auto retry = message.header("retry-after"); !retry.empty()) {
        text += ", Retry-After " + base::escape_untrusted(retry, 40);
    }
    if (const auto warning = message.header("warning"); !warning.empty()) {
        text += ", Warning " + base::escape_untrusted(warning, 120);
    }
    if (message.status == 401 || message.status == 407) {
        text +=
            ": the server wants credentials, and `offhook call` has none to give; call an "
            "extension that needs no "
            "login, or allow this address on the server";
    }
    if (message.status >= 300 && message.status < 400) {
        if (const auto contact = parse_name_address(message.header("contact"))) {
            text += ": call " + base::escape_untrusted(contact->uri, 120) + " instead";
        }
    }
    end(Ending::Refused, std::move(text));
}

void SipDialog::on_answer(const SipMessage& message, std::int64_t arrival_ns, std::int64_t now_ns) {
    const std::string to(message.header("to"));
    if (answered_ns_ >= 0 && to == remote_end_.to) {
        // Our ACK was lost, or is still under way.
        out_.send(ack_text_, ack_hop_);
        return;
    }
    Remote remote{to, settings_.target.text(), message.list("record-route")};
    std::reverse(remote.routes.begin(), remote.routes.end());
    const auto contacts = message.list("contact");
    if (!contacts.empty()) {
        const auto contact = parse_name_address(contacts.front());
        if (contact && parse_sip_uri(contact->uri)) remote.contact = contact->uri;
    }
    if (answered_ns_ >= 0) {
        // A second branch of a forked INVITE answered as well: take leave of it (RFC 3261
        // §13.2.2.4).
        std::string unused;
        send_in_dialog("ACK", remote, 1, unused);
        send_in_dialog("BYE", remote, 2, unused);
        return;
    }
    remote_end_ = remote;
    answered_ns_ = arrival_ns;
    status_ = message.status;
    send_in_dialog("ACK", remote_end_, 1, ack_text_);
    ack_hop_ = in_dialog_hop(remote_end_);
    retransmit_ns_ = deadline_ns_ = -1;
    if (state_ == State::Cancelling || state_ == State::Ended || cancel_wanted_) {
        // The answer overtook our CANCEL, or came after we had given up.
        if (ending_ == Ending::None) {
            ending_ = cancel_is_ours_ ? Ending::RangOut : Ending::Cancelled;
            text_ = "answered while we were giving up";
        }
        send_bye(now_ns);
        return;
    }
    state_ = State::Answered;
    if (auto ok = take_remote_sdp(message.body); !ok) {
        ending_ = Ending::BadAnswer;
        text_ = "the call was answered, but " + ok.error().message;
        send_bye(now_ns);
    }
}

base::Result<void> SipDialog::take_remote_sdp(const std::string& body) {
    if (body.empty()) return base::fail(base::ErrorCode::Malformed, "the 200 has no SDP");
    auto audio = parse_sdp(body);
    if (!audio) return base::fail(audio.error().code, audio.error().message);
    if (audio->rtp_port == 0)
        return base::fail(base::ErrorCode::Unsupported,
                          "the peer refused the audio stream (port 0)");
    auto chosen = model::choose_codec(*audio, {settings_.codec});
    if (!chosen) {
        return base::fail(
            base::ErrorCode::Unsupported,
            "the peer did not take " + std::string(model::facts_of(settings_.codec).name));
    }
    if (!Endpoint::numeric(audio->address, audio->rtp_port)) {
        return base::fail(
            base::ErrorCode::Malformed,
            "its SDP has no numeric address: " + base::escape_untrusted(audio->address, 80));
    }
    auto srtp = agree_on_srtp(*audio);
    if (!srtp) return base::fail(srtp.error().code, srtp.error().message);
    remote_ = std::move(*audio);
    chosen_ = std::move(chosen);
    srtp_ = std::move(*srtp);
    ++media_revision_;
    return {};
}

base::Result<std::optional<model::SrtpAgreement>> SipDialog::agree_on_srtp(
    const model::RemoteAudio& audio) const {
    const bool is_wanted = !settings_.srtp.empty();
    if (is_wanted && !srtp_)
        return model::agree_on_answer(audio, sdp_.crypto, model::SrtpPolicy::Require);
    model::RemoteSdp offer;
    offer.audio_lines = {audio};
    return model::agree_on_offer(
        offer, is_wanted ? model::SrtpPolicy::Require : model::SrtpPolicy::Off, srtp_);
}

void SipDialog::respond(const SipMessage& request,
                        const Endpoint& to,
                        int status,
                        std::string_view reason) {
    out_.send(write_response(request, status, reason, {}, {}), to);
}

void SipDialog::on_request(const SipMessage& message,
                           const Endpoint& from,
                           std::int64_t arrival_ns) {
    if (message.method == "ACK") return;
    if (answered_ns_ < 0 || message.tag("to") != local_tag_) {
        respond(message, from, 481, "Call/Transaction Does Not Exist");
    } else if (message.method == "BYE") {
        respond(message, from, 200, "OK");
        if (state_ != State::Answered && state_ != State::Leaving) return;
        const bool was_leaving = state_ == State::Leaving;
        if (!was_leaving) peer_bye_ns_ = arrival_ns;
        std::string text = "the far end hung up";
        if (const auto reason = message.header("reason"); !reason.empty()) {
            text += " (Reason: " + base::escape_untrusted(reason, 120) + ")";
        }
        end(was_leaving ? Ending::WeHungUp : Ending::PeerHungUp,
            was_leaving ? std::string() : std::move(text));
    } else if (message.method == "INVITE") {
        on_reinvite(message, from);
    } else if (message.method == "OPTIONS" || message.method == "INFO" ||
               (message.method == "UPDATE" && message.body.empty())) {
        respond(message, from, 200, "OK");
    } else if (message.method == "UPDATE") {
        respond(message, from, 488, "Not Acceptable Here");
    } else if (message.method == "CANCEL") {
        respond(message, from, 481, "Call/Transaction Does Not Exist");
    } else {
        respond(message, from, 405, "Method Not Allowed");
    }
}

void SipDialog::on_reinvite(const SipMessage& message, const Endpoint& from) {
    if (state_ != State::Answered) {
        respond(message, from, 481, "Call/Transaction Does Not Exist");
        return;
    }
    if (!message.body.empty() && !take_remote_sdp(message.body)) {
        respond(message, from, 488, "Not Acceptable Here");
        return;
    }
    const model::Direction direction =
        message.body.empty() ? model::Direction::SendRecv : model::mirrored(remote_.direction);
    if (direction != sdp_.direction) {
        sdp_.direction = direction;
        ++sdp_.version;
    }
    if (chosen_) sdp_.formats = model::answer_formats(*chosen_);
    if (srtp_) sdp_.crypto = {srtp_->local_crypto()};
    out_.send(write_response(message, 200, "OK", "Contact: " + contact() + "\r\n", write_sdp(sdp_)),
              from);
}

}  // namespace offhook::caller
