#include "signalling/sip/session_timers.h"

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::signalling::sip {

bool SessionTimers::negotiate(const Request& request, SessionAnswer& answer) {
    const SipSettings& settings = core_.settings();
    const auto min_se = static_cast<std::uint32_t>(settings.min_session_expires.count());
    answer = answer_session(session_offer_of(request.message),
                            {static_cast<std::uint32_t>(settings.session_expires.count()), min_se});
    if (!answer.is_too_small) return true;
    core_.respond(request, 422, {{"Min-SE", std::to_string(min_se)}});
    return false;
}

void SessionTimers::add_request_headers(const SipCall& call, Headers& headers) const {
    const SipSettings& settings = core_.settings();
    const auto min_se = static_cast<std::uint32_t>(settings.min_session_expires.count());
    const SessionTerms& terms = call.session.terms;
    std::uint32_t interval = terms.interval_s != 0
                                 ? terms.interval_s
                                 : static_cast<std::uint32_t>(settings.session_expires.count());
    if (interval == 0 || (terms.interval_s == 0 && call.state == SipCall::State::Confirmed)) return;
    interval = std::max(interval, call.session.min_se_s);
    std::string value = std::to_string(interval);
    // A refresh keeps the roles as they are (RFC 4028 §7.4).
    if (terms.interval_s != 0) value += terms.we_refresh ? ";refresher=uac" : ";refresher=uas";
    headers.emplace_back("Session-Expires", std::move(value));
    headers.emplace_back("Min-SE", std::to_string(std::max(min_se, call.session.min_se_s)));
}

void SessionTimers::raise_interval(SipCall& call, const osip_message_t& response) const {
    constexpr std::uint32_t kLongest = 86'400;
    call.session.min_se_s = std::min(session_offer_of(response).min_se_s, kLongest);
    if (call.session.terms.interval_s != 0) {
        call.session.terms.interval_s =
            std::max(call.session.terms.interval_s, call.session.min_se_s);
    }
}

void SessionTimers::learn(SipCall& call, const osip_message_t& message) {
    if (osip_list_size(&message.allows) > 0) call.allows_update = allows(message, "UPDATE");
}

void SessionTimers::start(SipCall& call, const SessionTerms& terms) {
    call.session.terms = terms;
    call.session.timer.cancel();
    if (terms.interval_s == 0) return;
    const std::int64_t now_ns = base::monotonic_ns();
    call.session.lapses_ns = now_ns + lapse_after(terms).count() * base::kNsPerMs;
    const std::int64_t refresh_ns = now_ns + refresh_after(terms).count() * base::kNsPerMs;
    wait(call, terms.we_refresh ? refresh_ns : call.session.lapses_ns);
}

void SessionTimers::wait(SipCall& call, std::int64_t until_ns) {
    const auto left = (until_ns - base::monotonic_ns()) / base::kNsPerMs;
    call.session.timer.once(
        core_.context(), std::chrono::milliseconds(std::max<std::int64_t>(left, 0)), [this, &call] {
            due(call);
            calls_.publish_size();
        });
}

void SessionTimers::due(SipCall& call) {
    if (call.state == SipCall::State::Terminating) return;
    if (base::monotonic_ns() < call.session.lapses_ns) {
        wait(call, call.session.lapses_ns);
        if (refresh_) refresh_(call);
        return;
    }
    const bool ours = call.session.terms.we_refresh;
    calls_.end(
        call,
        model::ended(
            model::EndReason::SessionTimer,
            std::string(ours ? "our refresh was not answered" : "the peer sent no refresh") +
                " within the " + std::to_string(call.session.terms.interval_s) + " s session"),
        "SIP;cause=408;text=\"Session timer expired\"");
}

void SessionTimers::refresh_failed(SipCall& call) {
    if (call.session.terms.interval_s == 0 || !call.session.terms.we_refresh) return;
    const std::int64_t now_ns = base::monotonic_ns();
    const std::int64_t left_ns = call.session.lapses_ns - now_ns;
    wait(call, left_ns > 0 ? now_ns + left_ns / 2 : call.session.lapses_ns);
}

}  // namespace offhook::signalling::sip
