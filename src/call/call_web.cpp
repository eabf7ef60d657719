// What only calls over ICE and DTLS-SRTP have in their story: they may come, they connect, they get
// lost and come back, they fail.

#include <algorithm>
#include <string_view>

#include "base/log.h"
#include "base/monotonic.h"
#include "call/call_registry.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::CallEnd;
using model::CallId;
using model::EndReason;

namespace {

/// The Reason header of the BYE (RFC 3326).
std::string_view header_of(EndReason reason) {
    switch (reason) {
        case EndReason::IceFailed:
            return "SIP;cause=488;text=\"no pair of ICE candidates works\"";
        case EndReason::DtlsFailed:
            return "SIP;cause=488;text=\"DTLS failed\"";
        case EndReason::FingerprintMismatch:
            return "SIP;cause=488;text=\"certificate is not that of the fingerprint\"";
        case EndReason::WebTimeout:
            return "SIP;cause=408;text=\"ICE and DTLS took too long\"";
        case EndReason::PeerVanished:
            return "SIP;cause=408;text=\"nothing is heard\"";
        default:
            return "SIP;cause=500";
    }
}

}  // namespace

std::size_t CallRegistry::web_calls() const {
    return static_cast<std::size_t>(
        std::count_if(calls_.live().begin(), calls_.live().end(), [](const auto& entry) {
            return entry.second->is_web();
        }));
}

// Web legs have workers of their own: that those are late is no reason against a phone call.
std::optional<Refusal> CallRegistry::refuse_web(std::size_t others) const {
    const int max_legs = parts_.config->web.max_legs;
    if (max_legs == 0 || parts_.web_workers == nullptr)
        return not_acceptable(
            "web legs are switched off: [web] max_legs = 0, or web.off in the log");
    std::string why;
    if (others >= static_cast<std::size_t>(max_legs)) {
        why = "at the limit of " + std::to_string(max_legs) + " web legs ([web] max_legs)";
    } else if (!web_admission_.overload().empty()) {
        why = "web legs: " + web_admission_.overload();
    } else {
        return std::nullopt;
    }
    return Refusal{
        503, "Service Unavailable", model::ended(EndReason::LimitCalls, std::move(why)), true};
}

void CallRegistry::on_candidates(const CallId& id,
                                 std::vector<std::string> candidates,
                                 bool /*is_end*/) {
    Call* call = get(id);
    if (call && call->is_web() && call->leg && !call->ending)
        media_.add_candidates(*call, candidates);
}

void CallRegistry::on_web_connected(const CallId& id) {
    Call* call = get(id);
    if (!call || call->ending) return;
    const std::int64_t now_ns = base::monotonic_ns();
    model::WebInfo& web = call->info.web;
    web.is_connected = true;
    // What the peer did before our description reached it was not waiting for us.
    const std::int64_t since_ns = call->web.exchanged_ns == 0 ? now_ns : call->web.exchanged_ns;
    web.connect_ms = static_cast<double>(now_ns - since_ns) / 1e6;
    call->info.srtp = "DTLS-SRTP";
    call->info.srtp_key_exchange_protected = true;
    const double after_answer_ms =
        call->is_answered() ? static_cast<double>(now_ns - call->answered_ns) / 1e6 : 0;
    log::write(Level::Info,
               Mark::Voice,
               "web.connected",
               id.text,
               "ICE and DTLS are up, and the certificate is the one that was described",
               {{"after_answer_ms", after_answer_ms},
                {"setup_ms", web.connect_ms},
                {"codec", call->info.codec}});
    start_media(*call);
}

void CallRegistry::on_web_failed(const CallId& id, CallEnd why) {
    Call* call = get(id);
    if (!call || call->ending) return;
    call->info.web.is_connected = false;
    if (why.reason == EndReason::FingerprintMismatch) {
        log::write(Level::Error,
                   Mark::Error,
                   "web.fingerprint_mismatch",
                   id.text,
                   "nothing was let through: " + why.detail,
                   {{"peer", call->info.peer}, {"account", call->info.account}});
    } else {
        log::write(Level::Warning,
                   Mark::Warning,
                   "web.failed",
                   id.text,
                   why.detail,
                   {{"reason", model::name_of(why.reason)}, {"peer", call->info.peer}});
    }
    const std::string header(header_of(why.reason));
    end(*call, std::move(why), header);
}

void CallRegistry::on_web_lost(const CallId& id, bool is_lost) {
    Call* call = get(id);
    if (!call || call->ending) return;
    if (std::exchange(call->info.web.is_lost, is_lost) == is_lost) return;
    if (!is_lost) {
        log::write(Level::Info, Mark::Ok, "web.back", id.text, "the peer is heard again");
        return;
    }
    ++call->info.web.losses;
    log::write(Level::Warning,
               Mark::Warning,
               "web.lost",
               id.text,
               "nothing at all is heard of the peer; ours goes on",
               {{"ends_after_s", parts_.config->web.vanish_end_s}});
}

void CallRegistry::on_web_restarted(const CallId& id) {
    Call* call = get(id);
    if (!call || call->ending) return;
    ++call->info.web.restarts;
    log::write(Level::Info,
               Mark::Ok,
               "web.restarted",
               id.text,
               "the call goes on over another path and another certificate",
               {{"restarts", call->info.web.restarts}});
}

}  // namespace offhook::call
