#include "signalling/sip/call_control.h"

#include <algorithm>
#include <charconv>

#include "base/escape.h"
#include "base/log.h"
#include "signalling/sip/header_rules.h"

namespace offhook::signalling::sip {
namespace {

namespace rc = ringcentral;

/// How long our 200 waits for the answer to Cmd 17: a caller who hears it ring a second longer
/// loses less than one whose call is never answered.
constexpr std::chrono::milliseconds kPatience{1'000};
constexpr std::chrono::milliseconds kLatestAnswer{60'000};
constexpr std::size_t kMaxValueBytes = 256;
constexpr std::size_t kMaxAttributes = 16;
constexpr std::string_view kJsonType = "application/json;charset=utf-8";

std::string cut(std::string_view text) {
    return std::string(text.substr(0, kMaxValueBytes));
}

std::vector<std::string> words_of(std::string_view list) {
    std::vector<std::string> words;
    while (!list.empty() && words.size() < kMaxAttributes) {
        const auto end = list.find(',');
        std::string_view word = list.substr(0, end);
        list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
        while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
        while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
        if (!word.empty()) words.push_back(cut(word));
    }
    return words;
}

/// Alert-Info and Call-Info as their server writes them: the first is no URI, and the second is in
/// milliseconds whatever others mean by it.
std::optional<std::chrono::milliseconds> answer_after(std::string_view message) {
    if (raw_header(message, "Alert-Info") != "Auto Answer") return std::nullopt;
    constexpr std::string_view kName = "Answer-After=";
    const std::string_view info = raw_header(message, "Call-Info");
    const auto at = info.find(kName);
    std::uint32_t ms = 0;
    if (at != std::string_view::npos) {
        const std::string_view digits = info.substr(at + kName.size());
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ms);
        if (error == std::errc::result_out_of_range) return kLatestAnswer;
    }
    return std::min(std::chrono::milliseconds(ms), kLatestAnswer);
}

}  // namespace

std::string CallControl::client_of(const std::string& account) const {
    const AccountPort* port = core_.accounts().find(account);
    return port == nullptr ? std::string() : port->control_client();
}

void CallControl::learn(const Request& request, SipCall& call, model::CallFacts& facts) const {
    if (client_of(call.dialog.account).empty()) return;
    const osip_message_t& message = request.message;
    facts.answer_after = answer_after(request.received.bytes);
    model::RingCentralFacts known;
    const std::string_view ids = header_of(message, "p-rc-api-ids");
    known.party_id = cut(rc::value_in(ids, "party-id"));
    known.session_id = cut(rc::value_in(ids, "session-id"));
    const std::string_view info = header_of(message, "p-rc-api-call-info");
    known.call_attributes = words_of(rc::value_in(info, "callAttributes"));
    known.queue_name = cut(rc::value_in(info, "queueName"));
    known.caller_id_name = cut(rc::value_in(info, "callerIdName"));
    const std::string_view element = header_of(message, "p-rc");
    auto control = rc::read_control(element);
    if (control) {
        known.caller = cut(control->of_body("Phn"));
        known.caller_name = cut(control->of_body("Nm"));
        known.called = cut(control->of_body("ToPhn"));
        known.called_name = cut(control->of_body("ToNm"));
        known.service_level = cut(control->of_body("SrvLvl"));
        known.service_level_ext = cut(control->of_body("SrvLvlExt"));
        known.recording_url = cut(control->of_body("RecUrl"));
        known.has_control = true;
        call.control = std::make_unique<SipCall::Control>();
        call.control->incoming = std::move(*control);
    } else if (!element.empty()) {
        log::write(log::Level::Warning,
                   log::Mark::Warning,
                   "sip.control",
                   call.id.text,
                   "the P-rc of the INVITE cannot be read: its call control is left out",
                   {{"why", control.error().message}});
    }
    if (!element.empty() || !ids.empty() || !info.empty()) facts.ringcentral = std::move(known);
}

bool CallControl::send(SipCall& call,
                       const rc::ControlMessage& message,
                       RequestSender::OnReply on_reply) {
    AccountPort* account = core_.accounts().find(call.dialog.account);
    const auto path = account == nullptr ? std::nullopt : account->path();
    const auto uri = checked_uri("sip:" + message.to);
    if (!path || !uri) return false;
    RequestText text;
    text.method = "MESSAGE";
    text.request_uri = *uri;
    text.via = core_.paths().via_for(*path->flow);
    text.from = account->identity() + ";tag=" + random_token();
    text.to = "<" + *uri + ">";
    text.call_id = call.dialog.call_id;
    text.headers = {{"User-Agent", core_.settings().user_agent}};
    text.content_type = rc::kControlType;
    text.body = rc::write_control(message) + "\r\n";
    auto request = make_request(text);
    if (!request) return false;
    keep_verbatim(*(*request)->req_uri, *uri);
    keep_verbatim(*(*request)->to->url, *uri);
    core_.sender().send(
        std::move(*request), *path, call.dialog.account, nullptr, std::move(on_reply));
    return true;
}

void CallControl::confirm(SipCall& call) {
    if (!call.control || std::exchange(call.control->is_begun, true)) return;
    const auto message = rc::reply_to(
        call.control->incoming, rc::Command::ClientReceiveConfirm, client_of(call.dialog.account));
    call.control->is_waiting = send(call, message, [this, id = call.id](const Reply& reply) {
        if (!reply.is_final()) return;
        if (!reply.is_success()) {
            log::write(log::Level::Warning,
                       log::Mark::Warning,
                       "sip.control",
                       id.text,
                       "RingCentral did not take our confirmation that the call rings",
                       {{"status", reply.status}});
        }
        confirmed(id);
    });
}

bool CallControl::holds_back(SipCall& call, const model::LocalSdp& sdp) {
    if (!call.control) return false;
    confirm(call);
    if (!call.control->is_waiting) return false;
    call.control->answer = sdp;
    call.control->timer.once(core_.context(), kPatience, [this, id = call.id] { confirmed(id); });
    return true;
}

void CallControl::confirmed(const model::CallId& id) {
    SipCall* call = calls_.find(id);
    if (call == nullptr || !call->control) return;
    call->control->is_waiting = false;
    call->control->timer.cancel();
    const auto answer = std::exchange(call->control->answer, std::nullopt);
    if (answer && call->state == SipCall::State::Incoming) answer_(*call, *answer);
    calls_.publish_size();
}

bool CallControl::on_message(const Request& request) {
    const std::string client = client_of(std::string(request.received.flow->account()));
    if (client.empty() || !has_type(request.message, "x-rc", "agent")) return false;
    const auto control = rc::read_control(body_of(request.message));
    const std::string_view meant = control ? control->of_body("Cln") : std::string_view();
    if (!meant.empty() && meant != client) {
        core_.transactions().forget(request.keys.transaction);
        return true;
    }
    core_.respond(request, 200);
    if (!control) return true;
    for (const model::CallId& id : calls_.ids()) {
        const SipCall* call = calls_.find(id);
        if (!call->control || call->control->incoming.session != control->session) continue;
        core_.post([id, command = static_cast<int>(control->command)](
                       model::SignallingEvents& events) { events.on_control(id, command); });
    }
    return true;
}

bool CallControl::pardons(const Request& request) {
    constexpr std::string_view kPardoned[] = {
        "MESSAGE", "BYE", "CANCEL", "INFO", "NOTIFY", "UPDATE"};
    const bool is_pardoned =
        std::find(std::begin(kPardoned), std::end(kPardoned), request.keys.method) !=
        std::end(kPardoned);
    if (!is_pardoned || client_of(std::string(request.received.flow->account())).empty())
        return false;
    core_.respond(request, 200);
    return true;
}

void CallControl::done(const model::CallId& id, std::uint64_t tag, int status) {
    core_.post([id, tag, status](model::SignallingEvents& events) {
        events.on_control_done(id, tag, status);
    });
}

void CallControl::order(const model::CallId& id,
                        std::uint64_t tag,
                        const model::ControlOrder& order) {
    SipCall* call = calls_.find(id);
    if (call == nullptr || client_of(call->dialog.account).empty()) return done(id, tag, 481);
    const auto report = [this, id, tag](const Reply& reply) {
        if (reply.is_final()) done(id, tag, reply.status);
    };
    if (order.command == 0) {
        const Dialog::Content content{.content_type = std::string(kJsonType), .body = order.body};
        if (!call->is_up() || !calls_.send(*call, "INFO", content, report)) done(id, tag, 481);
        return;
    }
    if (call->state != SipCall::State::Incoming || !call->control) return done(id, tag, 481);
    // Without it the server does not heed what follows.
    confirm(*call);
    const auto message = rc::reply_to(call->control->incoming,
                                      static_cast<rc::Command>(order.command),
                                      client_of(call->dialog.account),
                                      order.attributes);
    if (!send(*call, message, report)) done(id, tag, 503);
}

}  // namespace offhook::signalling::sip
