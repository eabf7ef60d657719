#include "signalling/sip/registration.h"

#include <algorithm>
#include <utility>

#include "base/monotonic.h"

namespace offhook::signalling::sip {
namespace {

using base::kNsPerMs;
using base::kNsPerS;
using model::AccountState;

std::string status_text(const RegisterAnswer& answer) {
    std::string text = std::to_string(answer.status);
    if (!answer.phrase.empty()) text += " " + answer.phrase;
    return text;
}

/// What came and what to do about it.
std::string explain(const RegisterAnswer& answer, const Registration::Plan& plan) {
    using Refusal = RegisterAnswer::Refusal;
    const std::string what = status_text(answer) + ": ";
    if (answer.refusal == Refusal::WrongPassword) {
        return what + answer.detail +
               "; check auth_user and the password against what the PBX has for " + plan.user;
    }
    if (answer.refusal == Refusal::NoAnswerToIt) return what + answer.detail;
    switch (answer.status) {
        case 403:
            return what + "the registrar does not let " + plan.user +
                   " register from here; check the user's permissions and address rules at the "
                   "PBX, and auth_user";
        case 404:
            return what + "the registrar has no user " + plan.user + " at " + plan.domain +
                   "; check user and domain";
        case 603:
            return what +
                   "every place this user may register is taken, as with RingCentral's five "
                   "contacts; log another phone off, or wait: places of phones that are gone "
                   "become "
                   "free after some minutes";
        case 408:
            return what + "the registrar did not answer the proxy in time";
        default:
            break;
    }
    if (answer.status >= 300 && answer.status < 400)
        return what + "redirects are not followed; set outbound_proxy to where the registrar is";
    if (answer.status >= 500 && answer.status < 600)
        return what + "the registrar or its proxy is in trouble, or starting";
    return what + "the registrar refused";
}

bool is_permanent(const RegisterAnswer& answer) {
    return answer.refusal != RegisterAnswer::Refusal::None || answer.status == 403 ||
           answer.status == 404;
}

}  // namespace

std::string_view name_of(Proxy proxy) noexcept {
    return proxy == Proxy::Primary ? "primary" : "backup";
}

Registration::Registration(Plan plan,
                           RegistrationActions& actions,
                           RegisterPacer& pacer,
                           std::uint64_t seed)
    : plan_(std::move(plan)),
      actions_(actions),
      pacer_(pacer),
      schedule_(seed),
      expires_(plan_.expires) {}

Proxy Registration::other() const {
    return main_.proxy == Proxy::Primary ? Proxy::Backup : Proxy::Primary;
}

std::int64_t& Registration::blocked_ns(Proxy proxy) {
    return proxy == Proxy::Primary ? primary_blocked_ns_ : backup_blocked_ns_;
}

void Registration::set_state(AccountState state) {
    state_ = state;
    actions_.on_change();
}

void Registration::start(std::int64_t now_ns) {
    try_ns_ = now_ns;
    set_state(AccountState::Connecting);
}

void Registration::open(Way& way, Proxy proxy, std::int64_t now_ns) {
    way = Way{.id = ++last_id_, .proxy = proxy, .began_ns = now_ns, .answer_by_ns = {}};
    actions_.open_flow(way.id, proxy);
}

void Registration::ask(Way& way, std::int64_t now_ns) {
    way.answer_by_ns = now_ns + kAnswerNs;
    actions_.send_register(way.id, is_stopping_ ? std::chrono::seconds(0) : expires_);
}

void Registration::drop(Way& way) {
    if (way.answer_by_ns) actions_.forget_register();
    if (way.id != 0) actions_.close_flow(way.id);
    way = Way{.proxy = way.proxy, .began_ns = way.began_ns, .answer_by_ns = {}};
}

void Registration::lose() {
    registered_ns_ = 0;
    expires_ns_ = 0;
}

void Registration::try_now(std::int64_t now_ns) {
    // Two REGISTERs under way would leave to chance which of them counts (RFC 3261 §10.2).
    if (candidate_.answer_by_ns) {
        try_ns_ = now_ns + kNsPerS / 2;
        return;
    }
    if (main_.id == 0) {
        open(main_, main_.proxy, now_ns);
        if (state_ != AccountState::Registered) set_state(AccountState::Connecting);
    } else if (main_.is_open && !main_.answer_by_ns) {
        main_.began_ns = now_ns;
        ask(main_, now_ns);
        if (state_ != AccountState::Registered && !is_stopping_)
            set_state(AccountState::Registering);
    }
}

void Registration::on_flow_open(std::int64_t now_ns, FlowId id) {
    if (id == 0 || is_over()) return;
    if (id == main_.id) {
        main_.is_open = true;
        if (is_stopping_) return set_state(AccountState::Unregistered);
        ask(main_, now_ns);
        if (state_ != AccountState::Registered) set_state(AccountState::Registering);
    } else if (id == candidate_.id) {
        candidate_.is_open = true;
        if (main_.answer_by_ns) return candidate_failed(now_ns);
        ask(candidate_, now_ns);
    }
}

void Registration::on_flow_closed(std::int64_t now_ns, FlowId id, const std::string& why) {
    if (id == 0) return;
    if (id == candidate_.id) {
        if (candidate_.answer_by_ns) actions_.forget_register();
        candidate_.id = 0;
        return candidate_failed(now_ns);
    }
    if (id != main_.id) return;
    const bool was_trying = !main_.is_open || main_.answer_by_ns.has_value();
    const bool was_registered = registered_ns_ != 0;
    if (main_.answer_by_ns) actions_.forget_register();
    if (main_.is_open) ++flow_losses_;
    const std::int64_t began_ns = was_trying ? main_.began_ns : now_ns;
    main_ = Way{.proxy = main_.proxy, .began_ns = began_ns, .answer_by_ns = {}};
    if (is_over()) return actions_.on_change();
    if (is_stopping_) return set_state(AccountState::Unregistered);
    // A wait that was asked for goes on; the next try opens a new flow.
    if (!was_trying && !was_registered) return actions_.on_change();
    retry(now_ns, 408, why);
}

void Registration::no_answer(std::int64_t now_ns) {
    actions_.forget_register();
    main_.answer_by_ns.reset();
    if (is_stopping_) return set_state(AccountState::Unregistered);
    ++unanswered_;
    if (plan_.is_connection || unanswered_ % kUdpTries == 0) {
        ++flow_losses_;
        drop(main_);
    }
    retry(now_ns,
          408,
          "no answer to REGISTER in " + std::to_string(kAnswerNs / kNsPerS) +
              " s: is the registrar running, does a firewall drop SIP, is the transport the right "
              "one?");
}

void Registration::on_answer(std::int64_t now_ns, FlowId id, const RegisterAnswer& answer) {
    if (id == 0 || is_over()) return;
    const bool is_candidate = id == candidate_.id;
    Way& way = is_candidate ? candidate_ : main_;
    if (id != way.id || !way.answer_by_ns) return;
    way.answer_by_ns.reset();
    if (is_stopping_) return set_state(AccountState::Unregistered);
    const bool is_success = answer.status >= 200 && answer.status < 300;
    if (is_candidate) {
        if (!is_success || answer.granted == std::chrono::seconds(0))
            return candidate_failed(now_ns);
        drop(main_);
        main_ = std::exchange(candidate_, Way{});
    }
    if (is_success) return succeed(now_ns, answer);
    unanswered_ = 0;
    if (answer.status == 423 && answer.min_expires && *answer.min_expires > expires_ &&
        *answer.min_expires <= kMaxExpires && too_brief_ < kRefusals) {
        ++too_brief_;
        expires_ = *answer.min_expires;
        main_.began_ns = now_ns;
        return ask(main_, now_ns);
    }
    if (answer.status == 503) return unavailable(now_ns, answer);
    if (answer.refusal == RegisterAnswer::Refusal::None &&
        (answer.status == 408 || (answer.status >= 500 && answer.status < 600))) {
        return retry(now_ns, answer.status, explain(answer, plan_));
    }
    refuse(now_ns, answer);
}

void Registration::succeed(std::int64_t now_ns, const RegisterAnswer& answer) {
    const std::chrono::seconds granted = std::min(answer.granted.value_or(expires_), kMaxExpires);
    if (granted.count() <= 0) {
        RegisterAnswer odd = answer;
        odd.phrase += ", but our contact is not among those it lists";
        return refuse(now_ns, odd);
    }
    const std::int64_t granted_ns = granted.count() * kNsPerS;
    expires_ns_ = now_ns + granted_ns;
    if (registered_ns_ == 0) registered_ns_ = now_ns;
    try_ns_ = now_ns + schedule_.between(granted_ns / 2, granted_ns / 100 * 85);
    has_slot_ = false;
    refusals_ = too_brief_ = unanswered_ = failures_on_proxy_ = 0;
    ++registrations_;
    last_status_ = answer.status;
    last_answer_ = "registered for " + std::to_string(granted.count()) + " s";
    if (main_.proxy == Proxy::Primary) {
        switch_ns_.reset();
    } else if (!switch_ns_ && plan_.switch_back.count() > 0) {
        const std::int64_t pause = plan_.switch_back.count() * kNsPerS;
        switch_ns_ =
            std::max(now_ns + schedule_.between(pause, pause / 10 * 11), primary_blocked_ns_);
    }
    set_state(AccountState::Registered);
}

void Registration::wait(std::int64_t now_ns, std::int64_t until_ns) {
    try_ns_ = std::max(until_ns, now_ns);
    has_slot_ = false;
    if (registered_ns_ != 0 && expires_ns_ > now_ns) return actions_.on_change();
    set_state(AccountState::Waiting);
}

void Registration::retry(std::int64_t now_ns, int status, std::string why) {
    ++failures_;
    last_status_ = status;
    last_answer_ = std::move(why);
    if (registered_ns_ != 0 && now_ns - registered_ns_ >= kSteadyNs) schedule_.reset();
    // An answer of trouble leaves the binding where it was; silence and a lost flow do not.
    if (status == 408) lose();
    if (state_ == AccountState::Failed) state_ = AccountState::Waiting;
    if (candidate_.id != 0 && status == 408) {
        // The primary is on its way already.
        drop(main_);
        main_ = std::exchange(candidate_, Way{});
        switch_ns_.reset();
        try_ns_.reset();
        return set_state(main_.answer_by_ns ? AccountState::Registering : AccountState::Connecting);
    }
    const std::int64_t at = schedule_.next(now_ns, main_.began_ns);
    if (plan_.has_backup && ++failures_on_proxy_ >= kTriesOnProxy &&
        blocked_ns(other()) <= now_ns) {
        drop(main_);
        main_.proxy = other();
        failures_on_proxy_ = 0;
        switch_ns_.reset();
        lose();
    }
    wait(now_ns, at);
}

void Registration::unavailable(std::int64_t now_ns, const RegisterAnswer& answer) {
    const std::string why = explain(answer, plan_);
    // "Retry-After: 0" names no time: obeyed, it would be two REGISTERs a second for ever.
    if (answer.retry_after.value_or(std::chrono::seconds(0)).count() == 0) {
        if (plan_.has_backup) failures_on_proxy_ = kTriesOnProxy;
        return retry(now_ns, answer.status, why);
    }
    const std::chrono::seconds pause = std::min(*answer.retry_after, kMaxRetryAfter);
    blocked_ns(main_.proxy) = now_ns + pause.count() * kNsPerS;
    if (plan_.has_backup && blocked_ns(other()) <= now_ns) {
        failures_on_proxy_ = kTriesOnProxy;
        return retry(now_ns, answer.status, why);
    }
    ++failures_;
    last_status_ = answer.status;
    last_answer_ = why + "; it asked for " + std::to_string(pause.count()) + " s of patience";
    if (plan_.has_backup && blocked_ns(other()) < blocked_ns(main_.proxy)) {
        drop(main_);
        main_.proxy = other();
        failures_on_proxy_ = 0;
        lose();
    }
    wait(now_ns, blocked_ns(main_.proxy) + schedule_.between(0, kNsPerS));
}

void Registration::refuse(std::int64_t now_ns, const RegisterAnswer& answer) {
    ++failures_;
    last_status_ = answer.status;
    last_answer_ = explain(answer, plan_);
    lose();
    if (answer.status == 603) {
        refusals_ = 0;
        state_ = AccountState::Waiting;
        return wait(now_ns, now_ns + schedule_.between(60 * kNsPerS, 120 * kNsPerS));
    }
    if (!is_permanent(answer)) {
        refusals_ = 0;
        state_ = AccountState::Waiting;
        const auto asked =
            std::min(answer.retry_after.value_or(std::chrono::seconds(0)), kMaxRetryAfter);
        return wait(now_ns,
                    now_ns + std::max(schedule_.between(30 * kNsPerS, 60 * kNsPerS),
                                      std::int64_t{asked.count()} * kNsPerS));
    }
    if (++refusals_ < kRefusals) {
        state_ = AccountState::Waiting;
        const std::int64_t pause = refusals_ * 2 * kNsPerS;
        return wait(now_ns, now_ns + schedule_.between(pause * 3 / 4, pause));
    }
    last_answer_ += ". Not tried again before " + std::to_string(kFailedPauseNs / kNsPerS / 60) +
                    " minutes or a restart";
    try_ns_ = now_ns + schedule_.between(kFailedPauseNs, kFailedPauseNs / 10 * 11);
    has_slot_ = false;
    set_state(AccountState::Failed);
}

void Registration::on_contact_changed(std::int64_t now_ns, FlowId id) {
    if (id != main_.id || !is_registered() || is_stopping_ || main_.answer_by_ns) return;
    try_ns_ = now_ns;
    has_slot_ = false;
}

void Registration::begin_switch_back(std::int64_t now_ns) {
    switch_ns_.reset();
    if (!is_registered() || main_.proxy != Proxy::Backup || candidate_.id != 0) return;
    if (main_.answer_by_ns) {
        switch_ns_ = now_ns + kNsPerS;
        return;
    }
    open(candidate_, Proxy::Primary, now_ns);
}

void Registration::candidate_failed(std::int64_t now_ns) {
    drop(candidate_);
    const std::int64_t pause = plan_.switch_back.count() * kNsPerS;
    switch_ns_ = now_ns + schedule_.between(pause, pause / 10 * 11);
}

void Registration::stop(std::int64_t now_ns, std::chrono::milliseconds grace) {
    if (is_over() || is_stopping_) return;
    is_stopping_ = true;
    drop(candidate_);
    switch_ns_.reset();
    try_ns_.reset();
    const bool may_be_bound = registered_ns_ != 0 || main_.answer_by_ns.has_value();
    if (main_.answer_by_ns) actions_.forget_register();
    main_.answer_by_ns.reset();
    if (!main_.is_open || !may_be_bound) {
        if (!main_.is_open) drop(main_);
        lose();
        return set_state(AccountState::Unregistered);
    }
    lose();
    stop_by_ns_ = now_ns + grace.count() * kNsPerMs;
    const std::int64_t slot = pacer_.take(now_ns);
    if (slot >= *stop_by_ns_) return ask(main_, now_ns);
    try_ns_ = slot;
    has_slot_ = true;
}

void Registration::tick(std::int64_t now_ns) {
    const auto is_due = [&](const std::optional<std::int64_t>& at) { return at && *at <= now_ns; };
    if (is_over()) return;
    if (is_due(stop_by_ns_)) {
        if (main_.answer_by_ns) actions_.forget_register();
        main_.answer_by_ns.reset();
        return set_state(AccountState::Unregistered);
    }
    if (is_due(main_.answer_by_ns)) return no_answer(now_ns);
    if (is_due(candidate_.answer_by_ns)) candidate_failed(now_ns);
    if (expires_ns_ != 0 && expires_ns_ <= now_ns) {
        lose();
        if (state_ == AccountState::Registered) set_state(AccountState::Waiting);
    }
    if (is_due(switch_ns_)) begin_switch_back(now_ns);
    if (!is_due(try_ns_)) return;
    if (!has_slot_) {
        try_ns_ = pacer_.take(now_ns);
        has_slot_ = true;
        if (*try_ns_ > now_ns) return;
    }
    try_ns_.reset();
    has_slot_ = false;
    try_now(now_ns);
}

std::optional<std::int64_t> Registration::next_ns() const {
    if (is_over()) return std::nullopt;
    std::optional<std::int64_t> next;
    const auto consider = [&](const std::optional<std::int64_t>& at) {
        if (at && (!next || *at < *next)) next = at;
    };
    for (const auto& at :
         {try_ns_, switch_ns_, stop_by_ns_, main_.answer_by_ns, candidate_.answer_by_ns}) {
        consider(at);
    }
    if (expires_ns_ != 0) consider(expires_ns_);
    return next;
}

}  // namespace offhook::signalling::sip
