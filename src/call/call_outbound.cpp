// Calls that we place, and what we ask of the far end of a call: digits, hold.

#include <algorithm>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "call/call_registry.h"
#include "call/destination.h"
#include "call/number_mask.h"
#include "call/router.h"
#include "model/trace_context.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::CallId;
using model::CallState;
using model::EndReason;
using model::OrderRefusal;
using Why = OrderRefusal::Why;

namespace {

constexpr int kMinRingS = 5;
constexpr int kMaxRingS = 600;
constexpr int kRingS = 60;
constexpr std::size_t kMaxKeyBytes = 128;
constexpr std::chrono::seconds kRetryAfter{5};

OrderRefusal bad(const char* field, std::string detail) {
    return {Why::BadField, field, std::move(detail)};
}

std::optional<OrderRefusal> check_form(const model::PlaceOrder& order) {
    if (order.ring_timeout_s &&
        (*order.ring_timeout_s < kMinRingS || *order.ring_timeout_s > kMaxRingS)) {
        return bad("ring_timeout_s", "ring_timeout_s must be 5 to 600");
    }
    const bool is_key = order.idempotency_key.size() <= kMaxKeyBytes &&
                        std::all_of(order.idempotency_key.begin(),
                                    order.idempotency_key.end(),
                                    [](char c) { return c >= 0x20 && c < 0x7f; });
    if (!is_key)
        return bad("Idempotency-Key", "an Idempotency-Key has 1 to 128 printable ASCII characters");
    return check_headers(order.headers);
}

}  // namespace

std::optional<AccountRules> CallRegistry::account(const std::string& name) const {
    return parts_.account ? parts_.account(name) : std::nullopt;
}

const config::Route* CallRegistry::route_for(const model::PlaceOrder& order,
                                             const AccountRules& rules) const {
    const auto& routes = parts_.config->route;
    const std::string& name = order.route.empty() ? rules.route : order.route;
    if (!name.empty()) return route_named(routes, name);
    // The first that is for this account or for any.
    const auto it = std::find_if(routes.begin(), routes.end(), [&](const config::Route& route) {
        return route.account.empty() || route.account == order.account;
    });
    return it == routes.end() ? nullptr : &*it;
}

tl::expected<model::Placed, OrderRefusal> CallRegistry::place(model::PlaceOrder order) {
    if (auto refusal = check_form(order)) return tl::unexpected(*refusal);
    const auto before = outbound_.placed_before(order, base::monotonic_ns());
    if (!before) return tl::unexpected(before.error());
    if (*before) return model::Placed{**before, true};
    const auto rules = account(order.account);
    if (!rules)
        return tl::unexpected(bad("account", "there is no [[account]] \"" + order.account + "\""));
    const auto destination = normal_destination(order.to, rules->domain);
    if (!destination) {
        return tl::unexpected(bad("to",
                                  "to must be a number without spaces (+4930123456), a name, or a "
                                  "SIP URI without headers (sip:anna@pbx.example.com)"));
    }
    if (!route_for(order, *rules))
        return tl::unexpected(bad("route",
                                  order.route.empty()
                                      ? "no [[route]] is for account \"" + order.account + "\""
                                      : "there is no [[route]] \"" + order.route + "\""));
    const auto& ais = parts_.config->ai;
    if (!order.ai.empty() && std::none_of(ais.begin(), ais.end(), [&](const config::Ai& ai) {
            return ai.name == order.ai;
        })) {
        return tl::unexpected(bad("ai", "there is no [[ai]] \"" + order.ai + "\""));
    }
    const auto id = dial(order, *rules, *destination, {});
    if (!id) return tl::unexpected(id.error());
    outbound_.remember(order, *id, base::monotonic_ns());
    return model::Placed{*id, false};
}

// Everything that costs something comes after everything that can be refused for free.
tl::expected<CallId, OrderRefusal> CallRegistry::dial(const model::PlaceOrder& order,
                                                      const AccountRules& rules,
                                                      const std::string& destination,
                                                      const Referral& referral) {
    const auto unavailable = [](std::string why) {
        return tl::unexpected(OrderRefusal{Why::Unavailable, "", std::move(why), kRetryAfter});
    };
    if (auto reason = admission_.refuse(calls_.size())) return unavailable(*reason);
    if (auto refusal =
            outbound_.admit(order.account, rules.outbound, destination, base::monotonic_ns())) {
        return tl::unexpected(*refusal);
    }
    auto owned = std::make_unique<Call>(order.account, rules.uri, base::escape_untrusted(order.to));
    owned->transferor = referral.transferor;
    owned->local_address = rules.local_address;
    owned->phone.srtp_policy = rules.srtp;
    owned->info.leg = rules.media;
    if (owned->is_web()) {
        if (auto refusal = refuse_web(web_calls())) return unavailable(refusal->end.detail);
    }
    const config::Route& route = *route_for(order, rules);
    if (auto refusal = equip(*owned, route, order.ai.empty() ? route.ai : order.ai, rules.codecs)) {
        return unavailable(refusal->end.detail);
    }
    owned->placing = {.id = owned->id,
                      .account = order.account,
                      .to = destination,
                      .offer = {},
                      .ring_timeout = std::chrono::seconds(order.ring_timeout_s.value_or(kRingS)),
                      .headers = order.headers,
                      .referred_by = referral.referred_by,
                      .replaces = referral.replaces};
    owned->description.purpose = Call::Description::Purpose::Invite;
    Call& call = calls_.add(std::move(owned));
    auto no_offer = take_place(call);
    if (!no_offer) no_offer = media_.offer(call);
    if (const auto& refusal = no_offer) {
        const std::unique_ptr<Call> gone = calls_.take(call.id);
        leave_channel(*gone);
        media_.stop(*gone, refusal->end.reason);
        return unavailable(refusal->end.detail);
    }
    calls_.count_start();
    log::write(Level::Info,
               Mark::Call,
               "call.placed",
               call.id.text,
               "a call is placed",
               {{"to", mask_numbers(call.info.to)},
                {"account", order.account},
                {"by", order.who},
                {"ai", call.info.ai},
                {"trace", model::trace_id_of(call.id.text)}});
    if (parts_.hooks.on_begun) parts_.hooks.on_begun(call.info);
    call.description.is_due = true;
    send_description(call);
    return call.id;
}

void CallRegistry::on_placed(const CallId& id, model::PlacedCall placed) {
    Call* call = get(id);
    if (!call) return;
    call->info.sip_call_id = base::escape_untrusted(placed.sip_call_id);
    if (!placed.from_uri.empty()) call->info.from = base::escape_untrusted(placed.from_uri);
    call->info.peer = base::escape_untrusted(placed.peer);
    call->info.transport = call->info.peer.substr(0, call->info.peer.find(':'));
    call->local_address = std::move(placed.local_address);
    call->quirks = placed.quirks;
}

// A description that comes with 180 or 183 is not used: RTP flows from the answer on, so that an AI
// talks to nobody's ringing tone.
void CallRegistry::on_progress(const CallId& id,
                               int status,
                               std::optional<model::RemoteSdp> /*early*/) {
    Call* call = get(id);
    if (!call || call->ending || call->is_answered()) return;
    tell_transferor(*call, status);
    if (call->info.state == CallState::Ringing) return;
    call->info.state = CallState::Ringing;
    log::write(Level::Info,
               Mark::Call,
               "call.ringing",
               id.text,
               "the far end is called",
               {{"status", status},
                {"after_ms", static_cast<double>(base::monotonic_ns() - call->incoming_ns) / 1e6}});
}

void CallRegistry::on_accepted(const CallId& id, model::RemoteSdp answer) {
    Call* call = get(id);
    if (!call || call->ending || call->is_answered()) return;
    if (auto refusal = media_.take_answer(*call, answer)) {
        model::CallEnd why = std::move(refusal->end);
        if (why.reason == EndReason::NotAcceptable)
            why = model::ended(EndReason::MediaRefused, "the answer cannot be used: " + why.detail);
        end(*call, std::move(why), "SIP;cause=488");
        return;
    }
    call->note_answer();
    calls_.count_answer();
    start_media(*call);
    tell_answered(*call);
    tell_transferor(*call, 200);
}

// ---- hold and resume by us ----

base::Result<Call*> CallRegistry::answered_call(const CallId& id) const {
    Call* call = get(id);
    if (!call) return base::fail(base::ErrorCode::NotFound, "there is no live call " + id.text);
    if (call->ending)
        return base::fail(base::ErrorCode::Conflict, "call " + id.text + " is ending");
    if (!call->is_answered() || !call->is_agreed)
        return base::fail(base::ErrorCode::Conflict, "call " + id.text + " is not answered yet");
    return call;
}

base::Result<void> CallRegistry::set_hold(const CallId& id, bool is_holding) {
    const auto found = answered_call(id);
    if (!found) return tl::unexpected(found.error());
    Call& call = **found;
    if (call.is_offering) {
        return base::fail(base::ErrorCode::Conflict,
                          "an offer to the peer is under way; try again in a moment");
    }
    if (call.is_holding == is_holding) {
        return base::fail(base::ErrorCode::Conflict,
                          is_holding ? "we hold this call already" : "we do not hold this call");
    }
    if (call.description.purpose != Call::Description::Purpose::None) {
        return base::fail(base::ErrorCode::Conflict,
                          "an offer of the peer is being answered; try again in a moment");
    }
    call.is_holding = is_holding;
    call.is_offering = true;
    call.description = {
        .purpose = Call::Description::Purpose::Reoffer, .exchange = 0, .is_due = true, .sdp = {}};
    if (auto offered = media_.reoffer(call); !offered) {
        call.description = {};
        call.is_holding = !is_holding;
        call.is_offering = false;
        return offered;
    }
    return {};
}

void CallRegistry::on_reoffer_done(const CallId& id,
                                   int status,
                                   std::optional<model::RemoteSdp> answer) {
    Call* call = get(id);
    if (!call || !call->is_offering) return;
    call->is_offering = false;
    const bool is_taken = status >= 200 && status < 300 && answer;
    if (!is_taken) call->web.awaits_answer = false;
    if (call->ending || !call->is_agreed) return;
    const bool is_done = is_taken && media_.renegotiate(*call, *answer);
    if (!is_done) call->is_holding = !call->is_holding;
    CallMedia::mute(*call, call->is_holding);
    if (!call->is_holding) call->expected_since_ns = base::monotonic_ns();
    call->update_state();
    settle_hold_verb(*call, is_done, status);
    if (!is_done) {
        log::write(Level::Warning,
                   Mark::Warning,
                   call->is_holding ? "call.resume_failed" : "call.hold_failed",
                   id.text,
                   "the peer refused our offer; all stays as it was",
                   {{"status", status}});
        return;
    }
    log::write(Level::Info,
               Mark::Call,
               call->is_holding ? "call.held_by_us" : "call.resumed_by_us",
               id.text,
               call->is_holding ? "the peer sends nothing and hears the filler"
                                : "the peer and the AI hear each other again");
}

}  // namespace offhook::call
