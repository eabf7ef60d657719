#include "signalling/sip/transfers.h"

#include <algorithm>
#include <charconv>

#include "signalling/sip/header_rules.h"
#include "signalling/sip/refer_target.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::chrono::seconds kSubscription{180};
/// Of a peer that tells nothing, and hangs up when it worked; RingCentral's own phones wait as long.
constexpr std::chrono::seconds kSilentTransfer{10};

std::string_view either(const osip_message_t& message, const char* name, const char* compact) {
    const std::string_view value = header_of(message, name);
    return value.empty() ? header_of(message, compact) : value;
}

bool is_refer_event(const osip_message_t& message) {
    const std::string_view event = either(message, "event", "o");
    std::string_view package = event.substr(0, event.find(';'));
    while (!package.empty() && package.back() == ' ') package.remove_suffix(1);
    return same_text(package, "refer");
}

/// The status line of a sipfrag (RFC 3420); 0 when it has none.
int status_in(std::string_view body) {
    constexpr std::string_view kVersion = "SIP/2.0 ";
    if (!same_text(body.substr(0, kVersion.size()), kVersion)) return 0;
    const std::string_view digits = body.substr(kVersion.size(), 3);
    int status = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), status);
    const bool is_whole = error == std::errc{} && end == digits.data() + 3;
    return is_whole && status >= 100 && status < 700 ? status : 0;
}

}  // namespace

// ---- theirs ----

void Transfers::on_refer(SipCall& call, const Request& request) {
    const osip_message_t& message = request.message;
    if (call.state != SipCall::State::Confirmed)
        return core_.respond(request, 500, {{"Retry-After", "1"}});
    if (call.transfer_in.is_pending || !call.transfer_in.placed.empty())
        return core_.respond(request, 491);
    if (list_of(message, "refer-to").size() + list_of(message, "r").size() != 1)
        return core_.respond(request, 400, {{"Warning", "399 offhook \"one Refer-To is needed\""}});
    const auto target = parse_refer_to(either(message, "refer-to", "r"));
    if (!target || !checked_uri(target->uri))
        return core_.respond(request, 400, {{"Warning", "399 offhook \"Refer-To is no URI\""}});
    const bool without = same_text(header_of(message, "refer-sub"), "false");
    call.transfer_in = {
        .is_pending = true, .is_subscribed = !without, .cseq = request.keys.cseq, .placed = {}};
    model::Transfer transfer;
    transfer.target = target->uri;
    transfer.replaces = target->replaces.substr(0, 1024);
    transfer.referred_by = std::string(either(message, "referred-by", "b").substr(0, 256));
    Headers headers{{"Contact", call.dialog.contact}};
    if (without) headers.emplace_back("Refer-Sub", "false");
    core_.respond(request.keys.transaction,
                  {.status = 202, .to_tag = call.dialog.local_tag, .headers = std::move(headers)});
    notify(call, 100);  // RFC 3515 §2.4.4: at once
    core_.post([id = call.id, transfer = std::move(transfer)](model::SignallingEvents& events) {
        events.on_transfer_requested(id, transfer);
    });
}

void Transfers::notify(SipCall& call, int status) {
    if (!call.transfer_in.is_subscribed) return;
    const bool is_last = status >= 200;
    const Dialog::Content content{
        .headers = {{"Event", "refer;id=" + std::to_string(call.transfer_in.cseq)},
                    {"Subscription-State",
                     is_last ? std::string("terminated;reason=noresource")
                             : "active;expires=" + std::to_string(kSubscription.count())}},
        .content_type = "message/sipfrag;version=2.0",
        .body =
            "SIP/2.0 " + std::to_string(status) + " " + std::string(phrase_of(status)) + "\r\n"};
    if (is_last) call.transfer_in.is_subscribed = false;
    calls_.send(call, "NOTIFY", content, [this, id = call.id](const Reply& reply) {
        // RFC 6665 §4.2.2: the peer wants no more of them.
        SipCall* subscribed = reply.status == 481 ? calls_.find(id) : nullptr;
        if (subscribed != nullptr) subscribed->transfer_in.is_subscribed = false;
    });
}

void Transfers::accept(SipCall& call, const model::CallId& placed) {
    if (!std::exchange(call.transfer_in.is_pending, false)) return;
    const SipCall* going = calls_.find(placed);
    if (going == nullptr || going->state == SipCall::State::Terminating) return notify(call, 503);
    if (going->is_up()) return notify(call, 200);
    call.transfer_in.placed = placed;
}

void Transfers::refuse(SipCall& call, int status) {
    if (std::exchange(call.transfer_in.is_pending, false))
        notify(call, std::clamp(status, 300, 699));
}

void Transfers::on_outcome(const model::CallId& placed, int status) {
    for (const model::CallId& id : calls_.transferring()) {
        SipCall* call = calls_.find(id);
        if (call == nullptr || call->transfer_in.placed != placed) continue;
        if (status >= 200) call->transfer_in.placed = {};
        notify(*call, status);
    }
}

// ---- ours ----

void Transfers::transfer(SipCall& call, const model::Transfer& transfer) {
    // The one that goes on is not touched.
    if (call.transfer_out.is_active) return report(call, 491);
    if (!call.is_up()) return progress(call, 491);
    std::string target = transfer.target;
    std::string replaces;
    if (!transfer.replaces_call.empty()) {
        const SipCall* other = calls_.find(transfer.replaces_call);
        if (other == nullptr || !other->is_up()) return progress(call, 481);
        replaces = replaces_value(other->dialog);
        // The very device that is in that call, not whom its number would ring.
        if (target.empty()) target = other->dialog.remote_target;
    }
    const AccountPort* account = core_.accounts().find(call.dialog.account);
    const auto uri = target_uri(target, account == nullptr ? std::string() : account->domain());
    if (!uri) return progress(call, 400);
    Dialog::Content content;
    content.headers = {{"Refer-To", refer_to_value(*uri, replaces)},
                       {"Referred-By", "<" + uri_in(call.dialog.local_party) + ">"},
                       {"Supported", std::string(kSupported)},
                       {"Allow", std::string(kAllow)}};
    call.transfer_out.is_active = true;
    const bool has_control = account != nullptr && !account->control_client().empty();
    const auto on_reply = [this, id = call.id, has_control](const Reply& reply) {
        SipCall* asked = reply.is_final() ? calls_.find(id) : nullptr;
        if (asked == nullptr || !asked->transfer_out.is_active) return;
        if (!reply.is_success()) return progress(*asked, reply.status);
        // RFC 4488: no subscription, so this is all we shall hear.
        if (reply.message != nullptr && same_text(header_of(*reply.message, "refer-sub"), "false"))
            return progress(*asked, 202);
        // RingCentral sends no NOTIFY: its BYE means that it worked.
        if (has_control) progress(*asked, 100);
    };
    const auto sent = calls_.send(call, "REFER", content, on_reply);
    if (!sent) return progress(call, 400);
    const auto patience = has_control ? kSilentTransfer : kSubscription;
    call.transfer_out.timer.once(core_.context(), patience, [this, id = call.id] {
        if (SipCall* silent = calls_.find(id)) progress(*silent, 408);
    });
}

bool Transfers::is_meant(const Request& request) {
    return is_refer_event(request.message);
}

void Transfers::on_notify(SipCall& call, const Request& request) {
    const osip_message_t& message = request.message;
    if (!is_refer_event(message)) return core_.respond(request, 489);
    if (!call.transfer_out.is_active) return core_.respond(request, 481);
    const int status = status_in(body_of(message));
    const bool is_over =
        same_text(header_of(message, "subscription-state").substr(0, 10), "terminated");
    core_.respond(request, 200);
    if (status >= 200 || is_over)
        return progress(call, std::max(status, 200) == status ? status : 408);
    if (status > 100) progress(call, status);
}

void Transfers::progress(SipCall& call, int status) {
    if (status >= 200) {
        call.transfer_out.is_active = false;
        call.transfer_out.timer.cancel();
    }
    report(call, status);
}

void Transfers::report(const SipCall& call, int status) {
    core_.post([id = call.id, status](model::SignallingEvents& events) {
        events.on_transfer_progress(id, status);
    });
}

}  // namespace offhook::signalling::sip
