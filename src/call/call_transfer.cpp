// Calls that go elsewhere: the peer is sent away by us (REFER), sends us away, or replaces one
// dialog with another (RFC 3891).

#include "base/escape.h"
#include "base/log.h"
#include "call/call_registry.h"
#include "call/destination.h"
#include "call/number_mask.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::CallId;
using model::EndReason;

namespace {

// The transferor hangs up once it is told of the answer (RFC 5589 §6.1). Some do not.
constexpr std::chrono::seconds kTransferorPatience{2};

bool is_final(int status) {
    return status >= 200;
}

bool is_good(int status) {
    return status >= 200 && status < 300;
}

}  // namespace

// ---- we send the peer elsewhere ----

base::Result<void> CallRegistry::transfer(const CallId& id, model::TransferOrder order) {
    using base::ErrorCode;
    const auto found = answered_call(id);
    if (!found) return tl::unexpected(found.error());
    Call& call = **found;
    if (call.info.transfer && !is_final(call.info.transfer->status))
        return base::fail(ErrorCode::Conflict, "a transfer of this call is under way");
    if (order.target.empty() == order.call.empty())
        return base::fail(ErrorCode::InvalidArgument, "give either target or call");
    model::Transfer transfer;
    if (!order.call.empty()) {
        const auto other = answered_call(order.call);
        if (!other) return tl::unexpected(other.error());
        if (*other == &call)
            return base::fail(ErrorCode::InvalidArgument, "call must be another call");
        transfer.replaces_call = order.call;
    } else {
        const auto rules = account(call.info.account);
        const std::string domain = rules ? rules->domain : std::string();
        const auto destination = normal_destination(order.target, domain);
        const bool is_uri = destination && destination->find(':') != std::string::npos;
        if (!destination || (!is_uri && domain.empty())) {
            return base::fail(ErrorCode::InvalidArgument,
                              "target must be a SIP URI, or a number of the call's account");
        }
        if (rules && !is_destination_allowed(*destination, rules->outbound.destinations)) {
            return base::fail(ErrorCode::InvalidArgument,
                              "target matches nothing in outbound_allow of account \"" +
                                  call.info.account + "\"");
        }
        transfer.target = is_uri ? *destination : "sip:" + *destination + "@" + domain;
    }
    call.info.transfer = {.is_by_peer = false,
                          .target = base::escape_untrusted(transfer.target),
                          .call = order.call,
                          .status = 0};
    log::write(Level::Info,
               Mark::Call,
               "call.transferring",
               id.text,
               "the peer is asked to go elsewhere",
               {{"to", mask_numbers(call.info.transfer->target)}, {"call", order.call.text}});
    via(call).transfer(id, std::move(transfer));
    return {};
}

void CallRegistry::on_transfer_progress(const CallId& id, int status) {
    Call* call = get(id);
    if (!call || !call->info.transfer || call->info.transfer->is_by_peer) return;
    call->info.transfer->status = status;
    if (call->ending) return;
    const std::string where = call->info.transfer->target.empty()
                                  ? "the far end of call " + call->info.transfer->call.text
                                  : mask_numbers(call->info.transfer->target);
    tell_bot_of_transfer(*call, status);
    if (!is_final(status)) {
        // Many a peer leaves before it can tell whether it arrived.
        call->superseded = model::ended(EndReason::Transferred, "the peer left for " + where);
        return;
    }
    if (!is_good(status)) {
        call->superseded.reset();
        log::write(Level::Warning,
                   Mark::Warning,
                   "call.transfer_failed",
                   id.text,
                   "the peer could not be sent elsewhere; the call goes on",
                   {{"status", status}});
        if (call->bot.is_transferred_away)
            after_failed_transfer(*call, "the far end answered " + std::to_string(status));
        return;
    }
    if (Call* other = get(call->info.transfer->call))
        other->superseded = model::ended(EndReason::Transferred, "its far end went to " + id.text);
    end(*call, model::ended(EndReason::Transferred, "the peer has reached " + where), {});
}

void CallRegistry::tell_bot_of_transfer(Call& call, int status) {
    if (!call.bot.transfer_verb) return;
    const std::uint64_t number = *call.bot.transfer_verb;
    const std::string detail = "the far end answered " + std::to_string(status);
    if (!is_final(status)) {
        media_.tell(
            call,
            ai::VerbNews{.number = number, .is_final = false, .is_done = false, .detail = detail});
        return;
    }
    call.bot.transfer_verb.reset();
    settle_verb(call,
                number,
                ai::BotVerb::Transfer,
                is_good(status) ? std::nullopt : std::optional(detail));
}

// ---- the peer sends us elsewhere ----

void CallRegistry::refuse_transfer(Call& call, int status, const std::string& why) {
    log::write(Level::Warning,
               Mark::Warning,
               "call.transfer_refused",
               call.id.text,
               why,
               {{"status", status}});
    if (call.info.transfer) call.info.transfer->status = status;
    via(call).refuse_transfer(call.id, status);
}

void CallRegistry::on_transfer_requested(const CallId& id, model::Transfer transfer) {
    Call* call = get(id);
    if (!call || call->ending || !call->is_answered()) return signalling_->refuse_transfer(id, 603);
    if (call->info.transfer && !is_final(call->info.transfer->status))
        return via(*call).refuse_transfer(id, 491);
    call->info.transfer = {
        .is_by_peer = true, .target = base::escape_untrusted(transfer.target), .call = {}};
    if (!call->route->accept_transfer) {
        return refuse_transfer(*call,
                               603,
                               "the peer asks us to call somebody else; route \"" +
                                   call->route->name + "\" has no accept_transfer");
    }
    const auto rules = account(call->info.account);
    if (!rules) {
        return refuse_transfer(
            *call, 603, "the peer asks us to call somebody else, but no account could place it");
    }
    const auto destination = normal_destination(transfer.target, rules->domain);
    if (!destination) return refuse_transfer(*call, 400, "the target of the REFER is no SIP URI");
    const model::PlaceOrder order{.account = call->info.account,
                                  .to = *destination,
                                  .ai = call->info.ai,
                                  .route = call->info.route,
                                  .headers = {},
                                  .ring_timeout_s = {},
                                  .idempotency_key = {},
                                  .who = "transfer of " + id.text};
    const auto placed =
        dial(order, *rules, *destination, {id, transfer.referred_by, transfer.replaces});
    if (!placed) {
        const bool is_policy = placed.error().why == model::OrderRefusal::Why::NotAllowed;
        return refuse_transfer(*call, is_policy ? 403 : 503, placed.error().detail);
    }
    call->info.transfer->call = *placed;
    // A peer that leaves before the new call is answered has got what it asked for as well.
    call->superseded =
        model::ended(EndReason::Transferred, "the peer sent us to call " + placed->text);
    log::write(Level::Info,
               Mark::Call,
               "call.transfer_accepted",
               id.text,
               "the peer asked us to call somebody else, and we do",
               {{"to", mask_numbers(call->info.transfer->target)}, {"call", placed->text}});
}

// The AI goes where the conversation goes: it starts on the new call when that is answered, and
// leaves the old one, which ends by its peer's BYE or a moment later by ours.
void CallRegistry::tell_transferor(const Call& placed, int status) {
    Call* call = get(placed.transferor);
    if (!call || !call->info.transfer) return;
    call->info.transfer->status = status;
    if (!is_final(status) || call->ending) return;
    if (!is_good(status)) {
        call->superseded.reset();
        log::write(Level::Warning,
                   Mark::Warning,
                   "call.transfer_failed",
                   call->id.text,
                   "the call that the peer asked for failed; this one goes on",
                   {{"call", placed.id.text}, {"status", status}});
        return;
    }
    media_.dismiss_ai(*call, EndReason::Transferred);
    call->transfer_timer.once(parts_.context, kTransferorPatience, [this, id = call->id] {
        Call* old = get(id);
        if (old && !old->ending) end(*old, *old->superseded, {});
    });
}

// ---- one dialog in the place of another ----

// The new call is what the old one was: the same route and the same AI.
std::optional<Refusal> CallRegistry::follow_replaced(Call& call) const {
    const Call* old = get(call.replaced);
    // RFC 3891 §3: an early dialog can be replaced by its other end only when we began it.
    if (!old || old->ending || (!old->ai && old->route->channel.empty()) ||
        (!old->is_answered() && !old->is_outbound())) {
        return Refusal{
            481,
            "Call/Transaction Does Not Exist",
            model::ended(EndReason::NoSuchDialog, "Replaces names no call that can be replaced"),
            false};
    }
    if (old->info.account != call.info.account) {
        return Refusal{403,
                       "Forbidden",
                       model::ended(EndReason::NotAllowed,
                                    "Replaces names a call of another account than the one it "
                                    "came on"),
                       false};
    }
    // The codecs of one kind of leg are not those of the other.
    const bool is_alike = old->info.leg == call.info.leg;
    return equip(
        call, *old->route, old->info.ai, is_alike ? old->codecs : std::vector<model::Codec>{});
}

void CallRegistry::give_way(Call& call) {
    if (call.ending) return;
    media_.dismiss_ai(call, EndReason::Replaced);
    end(call, model::ended(EndReason::Replaced, "another call took its place"), {});
}

}  // namespace offhook::call
