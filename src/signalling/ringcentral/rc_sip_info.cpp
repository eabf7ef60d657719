#include "signalling/ringcentral/rc_sip_info.h"

#include <algorithm>
#include <charconv>

#include "base/escape.h"
#include "glib/json_body.h"

namespace offhook::signalling::ringcentral {
namespace {

using base::ErrorCode;

constexpr std::size_t kMaxTextBytes = 256;
constexpr std::size_t kMaxStunServers = 8;
constexpr std::int64_t kMaxSeconds = 7 * 86'400;

tl::unexpected<Refusal> refuse(const std::string& why,
                               ErrorCode code = ErrorCode::InvalidArgument) {
    return tl::unexpected(Refusal{{code, why, {}}, true});
}

// Goes into SIP headers: no blanks, quotes, brackets or controls.
bool is_clean(std::string_view text) {
    return !text.empty() && text.size() <= kMaxTextBytes &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return c > ' ' && c < 0x7F &&
                      std::string_view("\"<>\\@;?,").find(c) == std::string_view::npos;
           });
}

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= kMaxTextBytes &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-';
           });
}

// "host:port"
bool is_host_port(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || !is_host(text.substr(0, colon))) return false;
    const std::string_view digits = text.substr(colon + 1);
    unsigned port = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return read.ec == std::errc{} && read.ptr == digits.data() + digits.size() && port > 0 &&
           port <= 65535;
}

std::string text_in(const glib::JsonBody& body, const char* name) {
    return body.text(name).value_or(std::string());
}

std::string proxy_in(const glib::JsonBody& body, const char* name) {
    std::string proxy = text_in(body, name);
    return is_host_port(proxy) ? proxy : std::string();
}

// The portal and some answers write the domain with a port.
std::string without_port(const std::string& domain) {
    return domain.substr(0, domain.find(':'));
}

std::optional<std::chrono::seconds> seconds_in(const glib::JsonBody& body, const char* name) {
    const auto value = body.whole(name);
    if (!value || *value <= 0) return std::nullopt;
    return std::chrono::seconds(std::min(*value, kMaxSeconds));
}

// Flags are booleans, in older answers words.
bool flag_in(const glib::JsonBody& body, const char* name, bool fallback) {
    if (const auto yes = body.boolean(name)) return *yes;
    const auto word = body.text(name);
    return word ? *word == "true" : fallback;
}

// What both kinds need to log in; the sentence when something is missing.
std::string missing_in(const SipCredentials& sip) {
    if (!is_clean(sip.user)) return "a user";
    if (!is_host(sip.domain)) return "a domain";
    if (!is_clean(sip.authorization_id)) return "an authorization id";
    if (sip.password.empty() || sip.password.reveal().size() > kMaxTextBytes) return "a password";
    return sip.proxy.empty() ? "a proxy" : std::string();
}

}  // namespace

Outcome<SipCredentials> read_sip_provision(std::string_view text) {
    const auto body = glib::JsonBody::parse(text, "RingCentral's answer");
    if (!body)
        return refuse(body.error().message + ": check that server is its API",
                      ErrorCode::Malformed);
    SipCredentials sip;
    sip.kind = Kind::Wss;
    if (const auto flags = body->object("sipFlags")) {
        if (!flag_in(*flags, "voipFeatureEnabled", true)) {
            return refuse(
                "RingCentral has switched VoIP off for this extension: its licence needs "
                "a digital line or VoIP calling");
        }
        if (flag_in(*flags, "voipCountryBlocked", false)) {
            return refuse("RingCentral blocks VoIP in the country this machine is in");
        }
        sip.may_call_out = flag_in(*flags, "outboundCallsEnabled", true);
    }
    const auto infos = body->objects("sipInfo");
    const auto info = std::find_if(infos.begin(), infos.end(), [](const glib::JsonBody& one) {
        const std::string transport = text_in(one, "transport");
        return transport.empty() || transport == "WSS";
    });
    if (info == infos.end()) {
        return refuse("RingCentral gave no SIP settings for a WebPhone", ErrorCode::Malformed);
    }
    sip.user = text_in(*info, "username");
    sip.domain = without_port(text_in(*info, "domain"));
    sip.authorization_id = text_in(*info, "authorizationId");
    sip.password = base::Secret(text_in(*info, "password"));
    sip.proxy = proxy_in(*info, "outboundProxy");
    sip.backup_proxy = proxy_in(*info, "outboundProxyBackup");
    sip.switch_back = seconds_in(*info, "switchBackInterval");
    sip.polling = seconds_in(*body, "pollingInterval");
    for (const std::string& server : info->texts("stunServers")) {
        if (sip.stun_servers.size() < kMaxStunServers && is_host_port(server)) {
            sip.stun_servers.push_back(server);
        }
    }
    if (const auto device = body->object("device")) sip.device_id = text_in(*device, "id");
    const std::vector<std::string> types = info->texts("authorizationTypes");
    if (sip.password.empty() && !types.empty() &&
        std::find(types.begin(), types.end(), "SipDigest") == types.end()) {
        return refuse("RingCentral offers no SIP digest login for this extension (only " +
                      base::escape_untrusted(types.front(), 40) +
                      "); its support can switch it on");
    }
    if (const std::string missing = missing_in(sip); !missing.empty()) {
        return refuse(
            "RingCentral's SIP settings have no usable " + missing.substr(missing.find(' ') + 1),
            ErrorCode::Malformed);
    }
    return sip;
}

Outcome<SipCredentials> read_sip_info(std::string_view text, const std::string& region) {
    const auto body = glib::JsonBody::parse(text, "RingCentral's answer");
    if (!body)
        return refuse(body.error().message + ": check that server is its API",
                      ErrorCode::Malformed);
    SipCredentials sip;
    sip.kind = Kind::Tls;
    sip.user = text_in(*body, "userName");
    sip.domain = without_port(text_in(*body, "domain"));
    sip.authorization_id = text_in(*body, "authorizationId");
    sip.password = base::Secret(text_in(*body, "password"));
    std::string regions;
    for (const glib::JsonBody& entry : body->objects("outboundProxies")) {
        const std::string proxy = proxy_in(entry, "proxyTLS");
        const std::string name = text_in(entry, "region");
        if (proxy.empty()) continue;
        regions += (regions.empty() ? "" : ", ") + base::escape_untrusted(name, 40);
        const bool is_wanted = region.empty() || name == region;
        if (sip.proxy.empty() && is_wanted) {
            sip.proxy = proxy;
        } else if (sip.backup_proxy.empty()) {
            sip.backup_proxy = proxy;
        }
    }
    if (!regions.empty() && sip.proxy.empty()) {
        return refuse("the device has no proxy in region \"" + region + "\"; it has " + regions);
    }
    if (const std::string missing = missing_in(sip); !missing.empty()) {
        return refuse("the device's SIP settings have no usable " +
                      missing.substr(missing.find(' ') + 1) +
                      ": it must be of the type Existing Phone (OtherPhone); a soft phone's device "
                      "does not work");
    }
    return sip;
}

}  // namespace offhook::signalling::ringcentral
