#include "signalling/sip/reliable_ringing.h"

#include <charconv>

#include "base/monotonic.h"

namespace offhook::signalling::sip {
namespace {

std::string_view next_word(std::string_view& text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

}  // namespace

std::optional<std::uint32_t> reliable_number(const osip_message_t& response) {
    if (response.status_code <= 100 || response.status_code >= 200 ||
        !has_option(response, "require", "100rel")) {
        return std::nullopt;
    }
    return number_of(header_of(response, "rseq"));
}

void ReliableRinging::ring(SipCall& call) {
    SipCall::Ringing& ringing = call.ringing;
    if (ringing.rseq != 0) return;
    ringing.rseq = 1;
    ringing.cseq = call.pending->cseq;
    ringing.path = call.dialog.path;
    ringing.bytes = core_.respond(call.pending->transaction,
                                  {.status = 180,
                                   .to_tag = call.dialog.local_tag,
                                   .headers = {{"Contact", call.dialog.contact},
                                               {"Allow", std::string(kAllow)},
                                               {"Require", "100rel"},
                                               {"RSeq", "1"}}});
    ringing.deadline_ns = base::monotonic_ns() + 64 * core_.settings().t1.count() * base::kNsPerMs;
    ringing.repeat_in = core_.settings().t1;
    if (!ringing.bytes.empty()) repeat_later(call);
}

void ReliableRinging::repeat_later(SipCall& call) {
    call.ringing.repeater.once(core_.context(), call.ringing.repeat_in, [this, &call] {
        if (base::monotonic_ns() < call.ringing.deadline_ns) {
            core_.repeat(call.ringing.path, call.ringing.bytes);
            call.ringing.repeat_in *= 2;
            repeat_later(call);
            return calls_.publish_size();
        }
        core_.respond(calls_.take_pending(call).transaction,
                      {.status = 504, .to_tag = call.dialog.local_tag});
        SipCounters::count(core_.counters().invites_rejected);
        calls_.report_end(
            call, model::ended(model::EndReason::AckTimeout, "no PRACK for our reliable 180"));
        calls_.erase(call);
        calls_.publish_size();
    });
}

void ReliableRinging::on_prack(SipCall& call, const Request& request) {
    std::string_view rack = header_of(request.message, "rack");
    const auto rseq = number_of(next_word(rack));
    const auto cseq = number_of(next_word(rack));
    const bool is_ours = rseq && cseq && next_word(rack) == "INVITE" &&
                         call.ringing.rseq == *rseq && call.ringing.cseq == *cseq &&
                         !call.ringing.is_acknowledged;
    if (!is_ours) return core_.respond(request, 481);
    // Our 180 has no offer, so there is nothing in a PRACK to answer (RFC 3262 §5).
    if (!body_of(request.message).empty()) return core_.respond(request, 488);
    stop(call);
    call.ringing.is_acknowledged = true;
    core_.respond(request, 200);
}

void ReliableRinging::stop(SipCall& call) {
    call.ringing.repeater.cancel();
    call.ringing.bytes.clear();
}

}  // namespace offhook::signalling::sip
