#include "signalling/sip/session_timer.h"

#include <algorithm>
#include <charconv>

#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

using namespace std::chrono_literals;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<std::uint32_t> seconds_of(std::string_view text) {
    text = trimmed(text);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() ||
        value > 0x7FFF'FFFFU) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

std::optional<SessionExpires> parse_session_expires(std::string_view text) {
    const auto semicolon = text.find(';');
    const auto seconds = seconds_of(text.substr(0, semicolon));
    if (!seconds) return std::nullopt;
    SessionExpires expires{*seconds, std::nullopt};
    while (!text.empty()) {
        const auto at = text.find(';');
        const std::string_view param = trimmed(text.substr(0, at));
        text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
        const auto equals = param.find('=');
        if (equals == std::string_view::npos ||
            !same_text(trimmed(param.substr(0, equals)), "refresher"))
            continue;
        const std::string_view value = trimmed(param.substr(equals + 1));
        if (same_text(value, "uac")) expires.refresher = Refresher::Uac;
        if (same_text(value, "uas")) expires.refresher = Refresher::Uas;
    }
    return expires;
}

SessionOffer session_offer_of(const osip_message_t& message) {
    SessionOffer offer;
    std::string_view expires = header_of(message, "session-expires");
    if (expires.empty()) expires = header_of(message, "x");  // compact form
    if (!expires.empty()) offer.expires = parse_session_expires(expires);
    const std::string_view min_se = header_of(message, "min-se");
    if (const auto value = seconds_of(min_se.substr(0, min_se.find(';')))) offer.min_se_s = *value;
    offer.supports_timer = has_option(message, "supported", "timer");
    return offer;
}

std::chrono::milliseconds refresh_after(const SessionTerms& terms) {
    return std::chrono::milliseconds(500LL * terms.interval_s);
}

std::chrono::milliseconds lapse_after(const SessionTerms& terms) {
    const std::chrono::milliseconds whole = std::chrono::seconds(terms.interval_s);
    return whole - std::min<std::chrono::milliseconds>(32s, whole / 3);
}

SessionAnswer answer_session(const SessionOffer& offer, const SessionPolicy& policy) {
    SessionAnswer answer;
    if (!offer.expires) {
        // Nobody asked. We do, of a peer that understands it, and do the work ourselves.
        if (!offer.supports_timer || policy.expires_s == 0) return answer;
        answer.terms = {std::max(policy.expires_s, offer.min_se_s), true};
        answer.header = std::to_string(answer.terms.interval_s) + ";refresher=uas";
        return answer;
    }
    const std::uint32_t asked = offer.expires->seconds;
    if (asked < policy.min_se_s && offer.supports_timer) {
        answer.is_too_small = true;
        return answer;
    }
    // A proxy may have asked in the name of a caller that does not know of timers: then the
    // interval cannot be refused, and only we can refresh.
    answer.terms.interval_s = std::max(asked, policy.min_se_s);
    answer.terms.we_refresh = !offer.supports_timer || offer.expires->refresher == Refresher::Uas;
    answer.requires_timer = !answer.terms.we_refresh;
    answer.header = std::to_string(answer.terms.interval_s) +
                    (answer.terms.we_refresh ? ";refresher=uas" : ";refresher=uac");
    return answer;
}

void add_session_headers(const SessionAnswer& answer, Headers& headers) {
    if (!answer.header.empty()) headers.emplace_back("Session-Expires", answer.header);
    if (answer.requires_timer) headers.emplace_back("Require", "timer");
}

SessionTerms terms_of_answer(const SessionOffer& answer) {
    if (!answer.expires || answer.expires->seconds == 0) return {};
    return {answer.expires->seconds, answer.expires->refresher != Refresher::Uas};
}

}  // namespace offhook::signalling::sip
