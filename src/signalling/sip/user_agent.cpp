#include "signalling/sip/user_agent.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "signalling/sip/sip_sdp.h"
#include "signalling/sip/unreadable.h"

namespace offhook::signalling::sip {
namespace {

/// Methods of other RFCs that we know and do not do: 405. Any other word is 501 (RFC 3261 §21.5.2).
constexpr std::array<std::string_view, 8> kKnownMethods{
    "REGISTER", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH", "UPDATE", "PRACK"};
constexpr std::array<std::string_view, 6> kOurMethods{
    "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO"};
/// INFO bodies that peers send along a call and that may be acknowledged without effect.
constexpr std::array<std::string_view, 3> kInfoSubtypes{"dtmf-relay", "dtmf", "media_control+xml"};

constexpr std::uint32_t kMaxRefusalsPerSecond = 50;

template <class List>
bool contains(const List& list, std::string_view value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

bool is_loopback(const sockaddr* address) {
    if (address->sa_family == AF_INET) {
        return (ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr) >> 24) == 127;
    }
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

std::string display_name_of(const osip_from_t* from) {
    std::string name = bounded(from->displayname);
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
        name = name.substr(1, name.size() - 2);
    return name;
}

/// The user part of a Request-URI; for `tel:` the number.
std::string user_of(const osip_uri_t& uri) {
    if (uri.username != nullptr) return bounded(uri.username);
    const std::string other = bounded(uri.string);
    return other.substr(0, other.find(';'));
}

}  // namespace

UserAgent::UserAgent(GMainContext* context,
                     SipSettings settings,
                     base::Executor& control,
                     model::SignallingEvents& events,
                     SipCounters& counters)
    : context_(context),
      settings_(std::move(settings)),
      control_(control),
      events_(events),
      counters_(counters),
      tcp_(context,
           *this,
           TcpLimits{.max_connections = settings_.max_connections,
                     .max_per_source = settings_.max_connections_per_source,
                     .idle = settings_.tcp_idle,
                     .incomplete = settings_.tcp_incomplete},
           settings_.dscp),
      transactions_(
          context,
          SipTimers{settings_.t1, settings_.t2, settings_.t4},
          Transactions::Limits{.max_live = settings_.max_transactions},
          [this](const Path& path, std::string_view bytes) { return deliver(path, bytes); },
          [this] { publish_sizes(); }) {
    if (!settings_.allow) settings_.allow = is_loopback;
}

UserAgent::~UserAgent() = default;

base::Result<void> UserAgent::listen() {
    for (const std::string& text : settings_.listen) {
        auto spec = ListenSpec::parse(text);
        if (!spec) return tl::unexpected(std::move(spec.error()));
        if (spec->transport == Transport::Udp) {
            auto socket = UdpSocket::open(*spec, context_, *this, settings_.dscp);
            if (!socket) return tl::unexpected(std::move(socket.error()));
            listening_.push_back((*socket)->spec());
            udp_.push_back(std::move(*socket));
        } else {
            auto bound = tcp_.listen(*spec);
            if (!bound) return tl::unexpected(std::move(bound.error()));
            listening_.push_back(*bound);
        }
    }
    return {};
}

std::vector<std::string> UserAgent::listeners() const {
    std::vector<std::string> all;
    for (const ListenSpec& spec : listening_) {
        all.push_back(std::string(name_of(spec.transport)) + ":" + spec.address.text());
    }
    return all;
}

bool UserAgent::admit(const SocketAddress& from) {
    if (settings_.allow(from.raw())) return true;
    SipCounters::count(counters_.refused_sources);
    ++unlogged_refused_;
    if (!log_timer_.is_armed())
        log_timer_.once(context_, std::chrono::seconds(1), [this] { flush_log(); });
    return false;
}

void UserAgent::on_malformed(const SocketAddress& from, std::string_view why) {
    SipCounters::count(counters_.malformed);
    ++unlogged_malformed_;
    last_malformed_ = std::string(why) + ", from " + from.text();
    if (!log_timer_.is_armed())
        log_timer_.once(context_, std::chrono::seconds(1), [this] { flush_log(); });
}

void UserAgent::refuse_unreadable(const Received& received, std::string_view why) {
    on_malformed(received.from, why);
    // To where it came from, not to what its Via says; and a flood is not answered.
    if (++refusals_ > kMaxRefusalsPerSecond) return;
    if (const auto answer = answer_unreadable(received.bytes, settings_.user_agent))
        (void)received.flow->send(*answer, received.from);
}

void UserAgent::flush_log() {
    log::write(log::Level::Warning,
               log::Mark::Warning,
               "sip.refused",
               {},
               "input refused in the last second",
               {{"malformed", unlogged_malformed_},
                {"last_malformed", last_malformed_},
                {"outside_allow", unlogged_refused_}});
    unlogged_malformed_ = 0;
    unlogged_refused_ = 0;
    last_malformed_.clear();
    refusals_ = 0;
    log_timer_.cancel();
}

bool UserAgent::deliver(const Path& path, std::string_view bytes) {
    if (path.flow->is_open() && path.flow->send(bytes, path.to)) return true;
    if (path.flow->transport() == Transport::Udp) return false;
    const auto flow = tcp_.flow_to(path.to);
    return flow && flow->send(bytes, path.to);
}

void UserAgent::on_message(const Received& received) {
    auto parsed = parse_message(received.bytes);
    if (!parsed) return refuse_unreadable(received, parsed.error().message);
    glib::Unique<osip_event_t, osip_event_free> event(*parsed);
    if (MSG_IS_RESPONSE(event->sip)) {
        if (transactions_.match_response(event.get()) == Transactions::Match::Handled)
            (void)event.release();
        return publish_sizes();
    }
    const auto keys = keys_of(*event->sip);
    if (!keys) return refuse_unreadable(received, keys.error().message);
    const Path path = answer_path(*event->sip, received);
    if (transactions_.match_request(keys->transaction, event.get()) ==
        Transactions::Match::Handled) {
        (void)event.release();
        return publish_sizes();
    }
    if (keys->method == "ACK") {
        on_ack(*keys, *event->sip);
        return publish_sizes();
    }
    if (keys->method == "INVITE" && repeat_answer(*keys)) return publish_sizes();
    const bool merged =
        keys->to_tag.empty() && keys->method != "CANCEL" &&
        (transactions_.is_merged(keys->merge) || by_merge_key_.contains(keys->merge));
    SipCounters::count(counters_.requests);
    const osip_message_t* message =
        transactions_.begin(keys->transaction, keys->merge, event.release(), path);
    if (message == nullptr) {
        SipCounters::count(counters_.dropped);
        return;
    }
    const Request request{*message, *keys, path, received};
    if (merged) {
        respond(request, 482);
    } else {
        dispatch(request);
    }
    publish_sizes();
}

void UserAgent::dispatch(const Request& request) {
    const RequestKeys& keys = request.keys;
    const osip_message_t& message = request.message;
    if (!same_text(bounded(message.sip_version), "SIP/2.0")) return respond(request, 505);
    if (bounded(message.cseq->method) != keys.method) return respond(request, 400);
    if (!contains(kOurMethods, keys.method)) {
        return respond(request,
                       contains(kKnownMethods, keys.method) ? 405 : 501,
                       {{"Allow", std::string(kAllow)}});
    }
    if (keys.method == "CANCEL") return on_cancel(request);
    const std::string scheme = bounded(message.req_uri->scheme);
    if (!same_text(scheme, "sip") && !same_text(scheme, "sips") && !same_text(scheme, "tel")) {
        return respond(request, 416);
    }
    // BYE is exempt: refusing it would keep alive a call that its peer wants to end.
    if (const auto required = list_of(message, "require");
        !required.empty() && keys.method != "BYE") {
        std::string unsupported;
        for (const std::string& option : required)
            unsupported += (unsupported.empty() ? "" : ", ") + option;
        return respond(request, 420, {{"Unsupported", single_line(unsupported)}});
    }
    if (!keys.to_tag.empty()) {
        Dialog* dialog = find(Dialog::key_of(keys.call_id, keys.to_tag, keys.from_tag));
        if (dialog == nullptr) return respond(request, 481);
        return in_dialog(*dialog, request);
    }
    if (header_of(message, "max-forwards") == "0") return respond(request, 483);
    if (keys.method == "INVITE") return on_invite(request);
    if (keys.method == "OPTIONS") return on_options(request);
    respond(request, 481);
}

void UserAgent::on_options(const Request& request) {
    // Inside a call the question is about the call, which goes on while we drain.
    if (is_draining_ && request.keys.to_tag.empty()) {
        return respond(
            request, 503, {{"Retry-After", std::to_string(settings_.retry_after.count())}});
    }
    respond(request,
            200,
            {{"Allow", std::string(kAllow)},
             {"Accept", std::string(kAcceptedType)},
             {"Accept-Encoding", "identity"},
             {"Supported", ""}});
}

void UserAgent::on_info(const Request& request) {
    const osip_message_t& message = request.message;
    bool known = body_of(message).empty();
    for (const std::string_view subtype : kInfoSubtypes)
        known = known || has_type(message, "application", subtype);
    if (known) return respond(request, 200);
    respond(request, 415, {{"Accept", "application/dtmf-relay, application/dtmf"}});
}

bool UserAgent::read_offer(const Request& request, std::optional<model::RemoteSdp>& offer) {
    const osip_message_t& message = request.message;
    const std::string_view body = body_of(message);
    if (body.empty()) return true;
    const auto* encoding =
        static_cast<const osip_content_encoding_t*>(osip_list_get(&message.content_encodings, 0));
    if (encoding != nullptr && !same_text(bounded(encoding->value), "identity")) {
        respond(request, 415, {{"Accept-Encoding", "identity"}});
        return false;
    }
    if (!has_type(message, "application", "sdp")) {
        respond(request, 415, {{"Accept", std::string(kAcceptedType)}});
        return false;
    }
    auto parsed = parse_sdp(body);
    if (!parsed) {
        SipCounters::count(counters_.malformed);
        respond(request, 400, {{"Warning", "399 offhook \"" + parsed.error().message + "\""}});
        return false;
    }
    if (parsed->audio.rtp_port == 0) {
        respond(request,
                488,
                {{"Warning", "304 offhook \"no audio line with RTP/AVP and a numeric address\""}});
        return false;
    }
    offer = std::move(*parsed);
    return true;
}

void UserAgent::on_invite(const Request& request) {
    SipCounters::count(counters_.invites);
    if (dialogs_.size() >= settings_.max_calls) {
        SipCounters::count(counters_.invites_rejected);
        return respond(
            request, 503, {{"Retry-After", std::to_string(settings_.retry_after.count())}});
    }
    const osip_message_t& message = request.message;
    if (!accepts_sdp(message)) {
        SipCounters::count(counters_.invites_rejected);
        return respond(request, 406, {{"Accept", std::string(kAcceptedType)}});
    }
    std::optional<model::RemoteSdp> offer;
    if (!read_offer(request, offer)) return SipCounters::count(counters_.invites_rejected);
    auto made =
        Dialog::from_invite(message, request.keys, request.path, contact_for(*request.path.flow));
    if (!made) {
        SipCounters::count(counters_.invites_rejected);
        return respond(request, 400, {{"Warning", "399 offhook \"" + made.error().message + "\""}});
    }
    model::IncomingCall call;
    call.id = made->id;
    call.sip_call_id = request.keys.call_id;
    call.from_uri = text_of(message.from->url).substr(0, 256);
    call.from_user = bounded(message.from->url->username);
    call.from_display_name = display_name_of(message.from);
    call.to_uri = text_of(message.req_uri).substr(0, 256);
    call.to_user = user_of(*message.req_uri);
    call.peer = std::string(name_of(request.received.flow->transport())) + ":" +
                request.received.from.text();
    call.user_agent = std::string(header_of(message, "user-agent").substr(0, 256));
    call.local_address = request.received.flow->local().host();
    call.offer = offer;
    made->pending_remote = std::move(offer);
    add(std::move(*made));
    respond(request, 100);
    post([call = std::move(call)](model::SignallingEvents& events) { events.on_incoming(call); });
}

void UserAgent::in_dialog(Dialog& dialog, const Request& request) {
    const RequestKeys& keys = request.keys;
    const bool invite = keys.method == "INVITE";
    // RFC 3261 §12.2.2; an INVITE with the CSeq of the one before is no new one either.
    if (keys.cseq < dialog.remote_cseq || (invite && keys.cseq == dialog.remote_cseq)) {
        return respond(request, 500, {{"Retry-After", "5"}});
    }
    dialog.remote_cseq = keys.cseq;
    if (keys.method == "BYE") return on_bye(dialog, request);
    if (dialog.state == Dialog::State::Terminating) return respond(request, 481);
    if (invite) return on_reinvite(dialog, request);
    if (keys.method == "INFO") return on_info(request);
    on_options(request);
}

void UserAgent::on_reinvite(Dialog& dialog, const Request& request) {
    // Also while our 200 waits for its ACK: an offer may be on its way in there.
    if (!dialog.pending_transaction.empty() || dialog.awaits_ack) return respond(request, 491);
    std::optional<model::RemoteSdp> offer;
    if (!read_offer(request, offer)) return;
    dialog.pending_transaction = request.keys.transaction;
    dialog.pending_cseq = request.keys.cseq;
    dialog.pending_target = contact_of(request.message);
    dialog.path = request.path;
    by_transaction_[request.keys.transaction] = &dialog;
    // RFC 3264 §8: the same version of the same session asks for nothing new.
    if (offer && dialog.remote && is_refresh(*offer, *dialog.remote)) {
        dialog.pending_remote = std::move(offer);
        return send_answer(dialog, std::string(dialog.local_sdp));
    }
    dialog.pending_remote = offer;
    respond(request, 100);
    post([id = dialog.id, offer = std::move(offer)](model::SignallingEvents& events) {
        events.on_reoffer(id, offer);
    });
}

void UserAgent::on_bye(Dialog& dialog, const Request& request) {
    std::string detail = base::escape_untrusted(header_of(request.message, "reason"));
    respond(request, 200);
    const bool unanswered = dialog.state == Dialog::State::Incoming;
    if (!dialog.pending_transaction.empty())
        respond(dialog.pending_transaction, 487, {}, dialog.local_tag, {});
    if (unanswered) SipCounters::count(counters_.invites_cancelled);
    report_end(dialog,
               model::ended(
                   unanswered ? model::EndReason::CallerCancelled : model::EndReason::CallerHangup,
                   std::move(detail)));
    erase(dialog);
}

void UserAgent::on_cancel(const Request& request) {
    // Copies: answering frees the request.
    const std::string invite = request.keys.invite_transaction;
    std::string detail = base::escape_untrusted(header_of(request.message, "reason"));
    const auto found = by_transaction_.find(invite);
    if (found == by_transaction_.end())
        return respond(request, transactions_.is_live(invite) ? 200 : 481);
    Dialog& dialog = *found->second;
    respond(request, 200, {}, dialog.local_tag);
    // After our final answer CANCEL changes nothing (RFC 3261 §9.2): the peer gets its 200 and
    // sends BYE.
    if (dialog.pending_transaction != invite) return;
    respond(take_pending(dialog), 487, {}, dialog.local_tag, {});
    if (dialog.state != Dialog::State::Incoming) {
        // A cancelled re-INVITE leaves the call as it was (RFC 3261 §14.1), and the call room may
        // have taken its offer over already: it gets the description that stays.
        const bool was_offered = dialog.pending_remote.has_value();
        dialog.pending_remote.reset();
        dialog.pending_target.clear();
        if (!was_offered || !dialog.remote) return;
        return post([id = dialog.id, stays = dialog.remote](model::SignallingEvents& events) {
            events.on_confirmed(id, stays);
        });
    }
    SipCounters::count(counters_.invites_cancelled);
    report_end(dialog, model::ended(model::EndReason::CallerCancelled, std::move(detail)));
    erase(dialog);
}

bool UserAgent::repeat_answer(const RequestKeys& keys) {
    const auto found = by_transaction_.find(keys.transaction);
    if (found == by_transaction_.end()) return false;
    const Dialog& dialog = *found->second;
    // After the ACK the bytes are gone, and so is the reason to repeat them.
    if (!dialog.answer.empty()) {
        ++repeats_;
        (void)deliver(dialog.answer_path, dialog.answer);
    }
    return true;
}

void UserAgent::on_ack(const RequestKeys& keys, const osip_message_t& ack) {
    Dialog* dialog = find(Dialog::key_of(keys.call_id, keys.to_tag, keys.from_tag));
    if (dialog == nullptr || !dialog->awaits_ack || keys.cseq != dialog->answer_cseq) return;
    dialog->awaits_ack = false;
    dialog->repeater.cancel();
    dialog->answer = {};
    if (dialog->state == Dialog::State::Terminating) return send_bye(*dialog, dialog->bye_reason);
    const bool first = dialog->state == Dialog::State::Answered;
    dialog->state = Dialog::State::Confirmed;
    std::optional<model::RemoteSdp> answer;
    if (dialog->carries_offer) {
        auto parsed = parse_sdp(body_of(ack));
        if (!parsed || parsed->audio.rtp_port == 0) {
            report_end(*dialog,
                       model::ended(model::EndReason::NotAcceptable,
                                    "the ACK has no usable answer to our offer" +
                                        (parsed ? std::string() : ": " + parsed.error().message)));
            return send_bye(*dialog, "SIP;cause=488;text=\"Not Acceptable Here\"");
        }
        dialog->remote = *parsed;
        answer = std::move(*parsed);
    }
    if (!first && !answer) return;
    post([id = dialog->id, answer = std::move(answer)](model::SignallingEvents& events) {
        events.on_confirmed(id, answer);
    });
}

}  // namespace offhook::signalling::sip
