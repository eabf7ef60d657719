#include "signalling/ringcentral/rc_refusal.h"

#include <algorithm>
#include <charconv>

#include "base/escape.h"
#include "glib/json_body.h"

namespace offhook::signalling::ringcentral {
namespace {

using base::ErrorCode;

constexpr std::chrono::seconds kMinRetryAfter{1};
constexpr std::chrono::seconds kMaxRetryAfter{3600};
constexpr std::chrono::seconds kRateLimitWindow{60};  // theirs, when an answer does not say
constexpr std::size_t kMaxWords = 200;

/// Their two forms of an error: OAuth's (RFC 6749 §5.2) and that of the REST API.
struct Words {
    std::string oauth;  ///< "invalid_grant"
    std::string code;   ///< "CMN-401"
    std::string text;
};

Words words_of(const http::HttpReply& reply) {
    Words words;
    const auto body = glib::JsonBody::parse(reply.body);
    if (!body) return words;
    const auto text = [&](const char* name) { return body->text(name).value_or(std::string()); };
    words.oauth = text("error");
    words.code = text("errorCode");
    words.text = text("message");
    if (words.text.empty()) words.text = text("error_description");
    if (words.code.empty()) {
        const auto errors = body->objects("errors");
        if (!errors.empty()) words.code = errors.front().text("errorCode").value_or(std::string());
    }
    return words;
}

// " (403 CMN-401: In order to call this API ...)"
std::string in_brackets(int status, const Words& words) {
    std::string all = std::to_string(status);
    for (const std::string* part : {&words.oauth, &words.code}) {
        if (!part->empty()) all += " " + base::escape_untrusted(*part, 40);
    }
    if (!words.text.empty()) all += ": " + base::escape_untrusted(words.text, kMaxWords);
    return " (" + all + ")";
}

std::optional<std::chrono::seconds> retry_after_of(const http::HttpReply& reply) {
    const std::string_view text = reply.header("retry-after");
    int seconds = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
        return std::nullopt;
    }
    return std::clamp(std::chrono::seconds(seconds), kMinRetryAfter, kMaxRetryAfter);
}

std::string token_sentence(const Words& words) {
    if (words.oauth == "invalid_grant") {
        return "RingCentral does not accept the JWT: check that it has not expired and was not "
               "revoked, that it may be used with the app of client_id, and that server is the "
               "one it was made for";
    }
    if (words.oauth == "invalid_client") {
        return "RingCentral does not know the app: check client_id, the client secret, and that "
               "server is the one the app lives on";
    }
    if (words.oauth == "unauthorized_client" || words.oauth == "unsupported_grant_type") {
        return "the app may not use a JWT: in the developer portal set its authentication to JWT "
               "auth flow";
    }
    return "RingCentral refused to give a token";
}

std::string denied_sentence(Step step, const Words& words) {
    // CMN-408 speaks of the user, CMN-401 of the app.
    if (words.code == "CMN-408") {
        return "the user of the JWT may not do this: give its role the rights to make and receive "
               "calls";
    }
    std::string text =
        "the app may not do this: give it the permission VoIP Calling in the developer portal";
    if (step == Step::SipInfo) {
        text +=
            " (and Read Accounts where the message below asks for it), and check that the "
            "device belongs to the user of the JWT";
    }
    return text;
}

std::string device_sentence() {
    return "RingCentral has no SIP settings for this device: check device_id, and that the device "
           "is of the type Existing Phone (OtherPhone); a soft phone's device does not work";
}

}  // namespace

Refusal refusal_of(const http::HttpReply& reply, Step step) {
    const Words words = words_of(reply);
    const std::string detail = in_brackets(reply.status, words);
    Refusal refusal;
    refusal.retry_after = retry_after_of(reply);
    const auto say = [&](ErrorCode code, const std::string& text) {
        refusal.error = {code, text + detail, {}};
        return refusal;
    };
    if (reply.status == 429) {
        if (!refusal.retry_after) refusal.retry_after = kRateLimitWindow;
        return say(ErrorCode::LimitReached,
                   "RingCentral was asked too often; it is asked again after " +
                       std::to_string(refusal.retry_after->count()) + " s");
    }
    if (reply.status >= 500 || reply.status == 408) {
        return say(ErrorCode::Unavailable, "RingCentral has trouble; it is asked again by itself");
    }
    if (reply.status < 400) {
        refusal.is_permanent = true;
        return say(ErrorCode::Malformed,
                   "this is not RingCentral's API: check server; it must be the base URL without "
                   "a path");
    }
    refusal.is_permanent = true;
    const bool is_oauth = step == Step::Token || step == Step::Refresh;
    if (is_oauth) return say(ErrorCode::InvalidArgument, token_sentence(words));
    if (reply.status == 401) {
        refusal.is_permanent = false;
        refusal.is_token_refused = true;
        return say(ErrorCode::Unavailable, "RingCentral does not accept its own token");
    }
    if (reply.status == 403) {
        return say(ErrorCode::InvalidArgument, denied_sentence(step, words));
    }
    if (step == Step::SipInfo) return say(ErrorCode::InvalidArgument, device_sentence());
    return say(ErrorCode::InvalidArgument, "RingCentral refused to provision a phone");
}

Refusal refusal_of(const base::Error& error) {
    Refusal refusal;
    refusal.error = error;
    refusal.is_permanent = error.code == ErrorCode::InvalidArgument;
    return refusal;
}

std::string registration_advice(int sip_status) {
    switch (sip_status) {
        case 401:
        case 403:
        case 407:
            return "the SIP password from RingCentral is not accepted; it is asked for once more, "
                   "and if that does not help, check that the device was not removed in the "
                   "portal";
        case 603:
            return "RingCentral lets five phones register for an extension, and all five places "
                   "are taken: log out a RingCentral app of this user; a place that is no longer "
                   "refreshed becomes free after one or two minutes, and this phone tries again "
                   "by itself";
        default:
            return {};
    }
}

}  // namespace offhook::signalling::ringcentral
