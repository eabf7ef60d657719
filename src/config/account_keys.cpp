#include "config/checks.h"
#include "config/key_kinds.h"
#include "config/keys.h"
#include "config/ringcentral_keys.h"

namespace offhook::config {
namespace {

using namespace kind;

const Names<std::string>& kinds() {
    static const Names<std::string> names{{"sip", "sip"}, {"ringcentral", "ringcentral"}};
    return names;
}

const Names<std::string>& transports() {
    static const Names<std::string> names{
        {"udp", "udp"}, {"tcp", "tcp"}, {"tls", "tls"}, {"ws", "ws"}, {"wss", "wss"}};
    return names;
}

const Names<std::optional<model::SrtpPolicy>>& srtp_policies() {
    static const Names<std::optional<model::SrtpPolicy>> names{
        {"inherit", std::nullopt},
        {"require", model::SrtpPolicy::Require},
        {"prefer", model::SrtpPolicy::Prefer},
        {"off", model::SrtpPolicy::Off}};
    return names;
}

const Names<model::LegKind>& media_kinds() {
    static const Names<model::LegKind> names{{"rtp", model::LegKind::Phone},
                                             {"web", model::LegKind::Web}};
    return names;
}

constexpr int kDaySeconds = 86'400;

// clang-format off: one key, one paragraph
std::vector<Key<Account>> common_keys() {
    using A = Account;
    std::vector<Key<A>> keys{
        text<A>("account",
                "name",
                [](A & a) -> auto& { return a.name; },
                check::name,
                {"",
                 "1 to 64 letters, digits, . _ -; unique; required",
                 "What logs, the API, metrics and `[[route]] account` call it."}),
        choice<A>(
            "account",
            "kind",
            [](A & a) -> auto& { return a.kind; },
            kinds(),
            {"",
             "",
             "sip: any registrar; ringcentral: RingCentral, which says by itself what it takes "
             "to register."}),
        text<A>("account",
                "user",
                [](A & a) -> auto& { return a.user; },
                check::sip_user,
                {"",
                 "1 to 128 printable characters without blanks, quotes, @, < and >; required",
                 "The extension: user part of the address that is registered."}),
        text<A>("account",
                "domain",
                [](A & a) -> auto& { return a.domain; },
                check::host_or_empty,
                {"",
                 "host name or numeric address, without a port; required",
                 "Host of the address that is registered: what the PBX calls its SIP domain or "
                 "realm; often its address."}),
        text<A>("account",
                "auth_user",
                [](A & a) -> auto& { return a.auth_user; },
                check::sip_user_or_empty,
                {"",
                 "as `user`, or empty: `user`",
                 "Name that goes with the password, where the PBX has another than the extension "
                 "(authorization id)."}),
        text<A>("account",
                "display_name",
                [](A & a) -> auto& { return a.display_name; },
                check::display_name,
                {"",
                 "up to 128 bytes without control characters",
                 "What those who are called from here see."}),
        text<A>("account",
                "password_file",
                [](A & a) -> auto& { return a.password_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with the password and nothing else; only its owner and group may read it."}),
        text<A>("account",
                "password_env",
                [](A & a) -> auto& { return a.password_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the password."}),
        text<A>("account",
                "password_credential",
                [](A & a) -> auto& { return a.password_credential; },
                check::name_or_empty,
                {"",
                 "name, or empty",
                 "systemd credential (`LoadCredential=`) that has the password."}),
        text<A>(
            "account",
            "realm",
            [](A & a) -> auto& { return a.realm; },
            check::display_name,
            {"", "text, or empty: any", "The only digest realm whose challenges are answered."}),
        choice<A>("account",
                  "transport",
                  [](A & a) -> auto& { return a.transport; },
                  transports(),
                  {"", "", "How the registrar is reached; ws and wss are SIP over WebSocket."}),
        text<A>("account",
                "outbound_proxy",
                [](A & a) -> auto& { return a.outbound_proxy; },
                check::host_and_port_or_empty,
                {"",
                 "host or host:port, or empty: `domain`",
                 "Where the flow goes. Without a port SRV records are asked first (RFC 3263), then "
                 "5060 is taken, 5061 with tls, 80 with ws, 443 with wss."}),
        text<A>("account",
                "backup_proxy",
                [](A & a) -> auto& { return a.backup_proxy; },
                check::host_and_port_or_empty,
                {"",
                 "as `outbound_proxy`, or empty: none",
                 "Taken when the first one fails twice, or answers 503."}),
        whole<A>("account",
                 "switch_back_s",
                 [](A & a) -> auto& { return a.switch_back_s; },
                 0,
                 kDaySeconds,
                 {"s",
                  "0 = only when the backup fails",
                  "On the backup proxy: how often the first one is tried."}),
        whole<A>("account",
                 "expires_s",
                 [](A & a) -> auto& { return a.expires_s; },
                 30,
                 kDaySeconds,
                 {"s",
                  "",
                  "How long a registration is to last; the registrar may grant less. Refreshed "
                  "after 50 to 85 % of what it grants."}),
        whole<A>("account",
                 "keepalive_s",
                 [](A & a) -> auto& { return a.keepalive_s; },
                 5,
                 600,
                 {"s",
                  "",
                  "How often a sign of life is sent on the flow (CRLF, or a WebSocket ping); it "
                  "also keeps address translations open."}),
        text<A>("account",
                "tls_name",
                [](A & a) -> auto& { return a.tls_name; },
                check::host_or_empty,
                {"",
                 "host name, or empty: the host of `outbound_proxy`, else `domain`",
                 "tls and wss: the name that the certificate must have."}),
        text<A>("account",
                "ca_file",
                [](A & a) -> auto& { return a.ca_file; },
                check::path_or_empty,
                {"",
                 "path of a PEM file, or empty: the system's",
                 "tls and wss: authorities that may have signed the certificate."}),
        yes_no<A>("account",
                  "insecure",
                  [](A & a) -> auto& { return a.insecure; },
                  {"",
                   "",
                   "tls and wss: takes any certificate, so that whoever is on the way can listen "
                   "in. Health and log complain."}),
        text<A>("account",
                "websocket_path",
                [](A & a) -> auto& { return a.websocket_path; },
                check::url_path,
                {"", "begins with /", "ws and wss: path of the URL."}),
        whole<A>("account",
                 "answer_delay_ms",
                 [](A & a) -> auto& { return a.answer_delay_ms; },
                 -1,
                 60'000,
                 {"ms",
                  "-1 = as `[sip] answer_delay_ms`",
                  "How long a call rings before it is answered."}),
        text<A>("account",
                "route",
                [](A & a) -> auto& { return a.route; },
                check::name_or_empty,
                {"",
                 "name of a `[[route]]`, or empty: the first that matches",
                 "What its calls are made of."}),
        choice<A>("account",
                  "srtp",
                  [](A & a) -> auto& { return a.srtp; },
                  srtp_policies(),
                  {"",
                   "",
                   "Protection of its calls' media; `inherit`: as `[rtp] srtp`. Calls that it "
                   "places offer RTP/SAVP with `require`, RTP/AVP with keys beside it with "
                   "`prefer` (RFC 8643)."}),
        choice<A>("account",
                  "media",
                  [](A & a) -> auto& { return a.media; },
                  media_kinds(),
                  {"",
                   "",
                   "What we offer on it, in calls that we place and in answer to an INVITE without "
                   "a description: RTP, or ICE with DTLS-SRTP (a WebPhone; see [web]). An offer of "
                   "the peer is answered in its own kind. RingCentral over wss is web."}),
        yes_no<A>(
            "account",
            "allow_outbound",
            [](A & a) -> auto& { return a.allow_outbound; },
            {"",
             "",
             "Lets `POST /api/v1/calls` and accepted transfers place calls on this account."}),
        texts<A>("account",
                 "outbound_allow",
                 [](A & a) -> auto& { return a.outbound_allow; },
                 {0, 256},
                 check::glob,
                 {"",
                  "up to 256 patterns: * any run, ? any one character",
                  "Destinations that may be called; none: nobody."}),
        whole<A>("account",
                 "outbound_per_minute",
                 [](A & a) -> auto& { return a.outbound_per_minute; },
                 1,
                 6'000,
                 {"", "", "Calls placed on this account in any 60 s."}),
    };
    return keys;
}
// clang-format on

}  // namespace

const std::vector<Key<Account>>& account_keys() {
    static const std::vector<Key<Account>> keys = [] {
        std::vector<Key<Account>> all = common_keys();
        for (Key<Account>& key : ringcentral_keys()) all.push_back(std::move(key));
        return all;
    }();
    return keys;
}

}  // namespace offhook::config
