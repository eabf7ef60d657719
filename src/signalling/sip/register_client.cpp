#include "signalling/sip/register_client.h"

#include <algorithm>
#include <charconv>

#include "base/escape.h"
#include "base/log.h"

namespace offhook::signalling::sip {
namespace {

constexpr int kMaxContacts = 64;
constexpr std::size_t kMaxServiceRoutes = 8;
constexpr std::size_t kMaxPhraseBytes = 96;

/// Delta-seconds (RFC 3261 §25.1): digits, perhaps followed by a comment or parameters.
std::optional<std::chrono::seconds> seconds_of(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '"')) text.remove_prefix(1);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end == text.data()) return std::nullopt;
    // Larger than 2^32-1 means "very long".
    if (error != std::errc{}) return std::chrono::seconds(0x7FFF'FFFF);
    return std::chrono::seconds(number);
}

std::string param_of(const osip_contact_t& contact, const char* name) {
    osip_generic_param_t* param = nullptr;
    osip_generic_param_get_byname(
        const_cast<osip_list_t*>(&contact.gen_params), const_cast<char*>(name), &param);
    return param == nullptr ? std::string() : bounded(param->gvalue);
}

std::string unquoted(std::string text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return text;
}

/// The same user at the same place (RFC 3261 §19.1.4, as far as a registrar may change our URI).
bool is_same_place(const osip_uri_t* a, const osip_uri_t& b) {
    if (a == nullptr) return false;
    const auto port = [](const osip_uri_t& uri) {
        const std::string text = bounded(uri.port, 8);
        return text.empty() ? std::string("5060") : text;
    };
    return bounded(a->username) == bounded(b.username) &&
           same_text(bounded(a->host), bounded(b.host)) && port(*a) == port(b);
}

/// The contact of a 200 that is ours; null when none is.
const osip_contact_t* our_contact(const osip_message_t& response,
                                  const std::string& contact,
                                  const std::string& instance_id) {
    const UniqueUri ours = parse_uri(contact);
    const osip_contact_t* by_instance = nullptr;
    const int count = std::min(osip_list_size(&response.contacts), kMaxContacts);
    for (int i = 0; i < count; ++i) {
        const auto* each = static_cast<const osip_contact_t*>(osip_list_get(&response.contacts, i));
        if (each == nullptr || each->url == nullptr) continue;
        if (ours && is_same_place(each->url, *ours)) return each;
        const std::string instance = unquoted(param_of(*each, "+sip.instance"));
        if (!instance_id.empty() && same_text(instance, "<" + instance_id + ">"))
            by_instance = each;
    }
    if (by_instance != nullptr || count != 1) return by_instance;
    // A border controller may show its own address in place of ours.
    return static_cast<const osip_contact_t*>(osip_list_get(&response.contacts, 0));
}

std::optional<std::chrono::seconds> granted_by(const osip_message_t& response,
                                               const std::string& contact,
                                               const std::string& instance_id) {
    const auto in_general = seconds_of(header_of(response, "expires"));
    if (osip_list_size(&response.contacts) == 0) return in_general;
    const osip_contact_t* ours = our_contact(response, contact, instance_id);
    if (ours == nullptr) return std::chrono::seconds(0);
    const auto own = seconds_of(param_of(*ours, "expires"));
    return own ? own : in_general;
}

std::optional<SocketAddress> seen_in(const osip_message_t& response) {
    const auto* via = static_cast<const osip_via_t*>(osip_list_get(&response.vias, 0));
    if (via == nullptr) return std::nullopt;
    const auto param = [&](const char* name) {
        osip_generic_param_t* found = nullptr;
        osip_generic_param_get_byname(
            const_cast<osip_list_t*>(&via->via_params), const_cast<char*>(name), &found);
        return found == nullptr ? std::string() : bounded(found->gvalue);
    };
    const std::string rport = param("rport");
    std::string host = param("received");
    if (host.empty()) host = bounded(via->host);
    const auto port = seconds_of(rport);
    if (!port || port->count() < 1 || port->count() > 65535) return std::nullopt;
    return SocketAddress::parse(host, static_cast<std::uint16_t>(port->count()));
}

}  // namespace

RegisterOutcome read_register_answer(const osip_message_t& response,
                                     const std::string& contact,
                                     const std::string& instance_id) {
    RegisterOutcome outcome;
    RegisterAnswer& answer = outcome.answer;
    answer.status = response.status_code;
    answer.phrase = base::escape_untrusted(bounded(response.reason_phrase), kMaxPhraseBytes);
    answer.retry_after = seconds_of(header_of(response, "retry-after"));
    answer.min_expires = seconds_of(header_of(response, "min-expires"));
    outcome.seen = seen_in(response);
    if (answer.status < 200 || answer.status >= 300) return outcome;
    answer.granted = granted_by(response, contact, instance_id);
    outcome.has_outbound =
        has_option(response, "require", "outbound") || !header_of(response, "flow-timer").empty();
    for (const std::string& route : list_of(response, "service-route")) {
        if (outcome.service_routes.size() == kMaxServiceRoutes) break;
        std::string uri = uri_in(route);
        if (parse_uri(uri)) outcome.service_routes.push_back(std::move(uri));
    }
    return outcome;
}

/// One REGISTER with its repetitions after challenges.
struct RegisterClient::Attempt {
    Path path;
    std::string via, contact;
    std::chrono::seconds expires{0};
    std::string removes;  ///< Contact values of a removal; empty: this is none
    Done done;
    AuthAttempt auth;
    std::string transaction;
    bool is_forgotten = false;
};

RegisterClient::RegisterClient(RegisterIdentity identity,
                               DigestAuth& auth,
                               Transactions& transactions)
    : identity_(std::move(identity)),
      auth_(auth),
      transactions_(transactions),
      call_id_(random_token() + random_token()),
      from_tag_(random_token()) {}

base::Result<UniqueMessage> RegisterClient::make(const Attempt& attempt,
                                                 const std::vector<AuthHeader>& credentials) {
    const std::string address = "<sip:" + identity_.user + "@" + identity_.domain + ">";
    RequestText text;
    text.method = "REGISTER";
    text.request_uri = "sip:" + identity_.domain;
    text.via = attempt.via;
    text.from = address + ";tag=" + from_tag_;
    text.to = address;
    text.call_id = call_id_;
    text.cseq = ++cseq_;
    if (!attempt.removes.empty()) {
        // Without the instance: a registrar that goes by it would remove the new contact.
        text.contact = attempt.removes;
    } else {
        text.contact = "<" + attempt.contact + ">";
        if (!identity_.instance_id.empty()) {
            text.contact += ";+sip.instance=\"<" + identity_.instance_id + ">\"";
            if (uses_outbound_) text.contact += ";reg-id=1";
        }
        text.contact += ";expires=" + std::to_string(attempt.expires.count());
    }
    text.headers = {{"Supported", uses_outbound_ ? "path, outbound" : "path"},
                    {"Allow", std::string(kAllow)},
                    {"User-Agent", identity_.user_agent}};
    for (const auto& [name, value] : credentials) text.headers.emplace_back(name, value);
    return make_request(text);
}

void RegisterClient::begin(const std::shared_ptr<Attempt>& attempt,
                           const std::vector<AuthHeader>& credentials) {
    auto message = make(*attempt, credentials);
    if (!message) {
        log::write(
            log::Level::Error, log::Mark::Error, "sip.unwritable", {}, message.error().text());
        return;
    }
    attempt->transaction = transactions_.request(
        std::move(*message), attempt->path, [this, attempt](const Reply& reply) {
            if (!attempt->is_forgotten && reply.is_final()) on_reply(attempt, reply);
        });
}

void RegisterClient::send(const Path& path,
                          const std::string& via,
                          const std::string& contact,
                          std::chrono::seconds expires,
                          Done done) {
    forget();
    current_ = std::make_shared<Attempt>();
    current_->path = path;
    current_->via = via;
    current_->contact = contact;
    current_->expires = expires;
    current_->done = std::move(done);
    begin(current_, auth_.in_advance("REGISTER", "sip:" + identity_.domain));
}

void RegisterClient::remove(const Path& path,
                            const std::string& via,
                            const std::vector<std::string>& contacts) {
    forget();
    std::string all;
    for (const std::string& contact : contacts)
        all += (all.empty() ? "<" : ", <") + contact + ">;expires=0";
    removal_ = std::make_shared<Attempt>();
    removal_->path = path;
    removal_->via = via;
    removal_->removes = std::move(all);
    begin(removal_, auth_.in_advance("REGISTER", "sip:" + identity_.domain));
}

void RegisterClient::forget() {
    for (auto& attempt : {std::exchange(current_, nullptr), std::exchange(removal_, nullptr)}) {
        if (!attempt) continue;
        attempt->is_forgotten = true;
        transactions_.abandon(attempt->transaction);
    }
}

void RegisterClient::on_reply(const std::shared_ptr<Attempt>& attempt, const Reply& reply) {
    // What could not be sent, or was not answered, shows in the flow or in the deadline of the
    // registration.
    if (reply.message == nullptr) return;
    base::Result<std::vector<AuthHeader>> credentials;
    const bool is_challenge = reply.status == 401 || reply.status == 407;
    if (is_challenge) {
        credentials =
            auth_.answer(*reply.message, "REGISTER", "sip:" + identity_.domain, attempt->auth);
        if (credentials) return begin(attempt, *credentials);
    }
    if (!attempt->done) return;
    if (reply.status == 439 && std::exchange(uses_outbound_, false))
        return begin(attempt, auth_.in_advance("REGISTER", "sip:" + identity_.domain));
    RegisterOutcome outcome =
        read_register_answer(*reply.message, attempt->contact, identity_.instance_id);
    if (is_challenge) {
        using Refusal = RegisterAnswer::Refusal;
        outcome.answer.refusal = credentials.error().code == base::ErrorCode::Conflict
                                     ? Refusal::WrongPassword
                                     : Refusal::NoAnswerToIt;
        outcome.answer.detail = credentials.error().message;
    }
    if (attempt == current_) current_.reset();
    const Done done = std::move(attempt->done);
    done(outcome);
}

}  // namespace offhook::signalling::sip
