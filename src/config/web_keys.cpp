#include "config/web_keys.h"

#include <algorithm>

#include "config/checks.h"
#include "config/endpoint.h"
#include "config/key_kinds.h"

namespace offhook::config {
namespace {

using namespace kind;

using Problems = std::vector<std::pair<std::string, std::string>>;

// G.722 is not among what browsers are offered, and its two clocks are not worth the trouble.
std::vector<model::Codec> web_codecs() {
    std::vector<model::Codec> known = all_codecs();
    std::erase(known, model::Codec::G722);
    return known;
}

std::string bound_address(const std::string& text) {
    if (text == "0.0.0.0" || text == "::")
        return "must be one address; leave the list empty for all of them";
    return check::address(text);
}

void check_server(const IceServer& server, const std::string& path, Problems& problems) {
    const int credentials = !server.credential_file.empty() + !server.credential_env.empty() +
                            !server.credential_credential.empty();
    const char* const places = "credential_file, credential_env, credential_credential";
    if (server.url.empty()) {
        problems.emplace_back(path + ".url", "is missing: such as \"stun:stun.example.com:3478\"");
    } else if (!server.is_turn()) {
        if (!server.username.empty() || credentials > 0)
            problems.emplace_back(path + ".username",
                                  "and a credential are for turn: and turns: only");
    } else if (server.username.empty()) {
        problems.emplace_back(path + ".username", "is missing: TURN asks who we are (RFC 8656)");
    } else if (credentials != 1) {
        problems.emplace_back(
            path + ".credential_file",
            credentials == 0 ? "is missing: name the TURN password in one of " + std::string(places)
                             : "is not the only source: keep one of " + std::string(places));
    }
}

bool do_overlap(const Web& web, const Rtp& rtp) {
    return web.first_port != 0 && web.first_port <= rtp.last_port &&
           rtp.first_port <= web.last_port;
}

}  // namespace

// clang-format off: one key, one paragraph
std::vector<Key<Config>> web_keys() {
    using C = Config;
    return {
        whole<C>("web",
                 "workers",
                 [](C & c) -> auto& { return c.web.workers; },
                 0,
                 16,
                 {"",
                  "0 = one for every two cores, at most 2",
                  "Media worker threads of web legs (browsers, WebPhones: ICE and DTLS-SRTP), "
                  "apart from those of phone legs."}),
        whole<C>("web",
                 "max_legs",
                 [](C & c) -> auto& { return c.web.max_legs; },
                 0,
                 10'000,
                 {"",
                  "0 = none: 488",
                  "Web legs at once; more get 503 with Retry-After. One costs about 13 ms of CPU "
                  "per call-second with PCMU, 16 with Opus, and six threads."}),
        codecs<C>(
            "web",
            "codecs",
            [](C & c) -> auto& { return c.web.codecs; },
            web_codecs(),
            "Codecs of web legs in order of preference, unless the account says its own."),
        texts<C>("web",
                 "addresses",
                 [](C & c) -> auto& { return c.web.addresses; },
                 {0, 16},
                 bound_address,
                 {"",
                  "up to 16 numeric addresses",
                  "Local addresses that candidates are gathered from. Empty: every interface but "
                  "loopback, or loopback when the peer is there."}),
        ports<C>(
            "web",
            "ports",
            [](C & c) -> auto& { return c.web.first_port; },
            [](C & c) -> auto& { return c.web.last_port; },
            true,
            {"",
             "\"FIRST-LAST\", 1024 to 65535, FIRST even, outside [rtp] ports and the kernel's "
             "ephemeral range; or empty: the kernel chooses",
             "Ports of candidates of our own, for a firewall; one a leg."}),
        yes_no<C>("web",
                  "relay_only",
                  [](C & c) -> auto& { return c.web.relay_only; },
                  {"",
                   "",
                   "Only candidates of TURN servers, so that no address of ours is told. Needs an "
                   "`[[web.ice_server]]` with turn:."}),
        whole<C>("web",
                 "gather_ms",
                 [](C & c) -> auto& { return c.web.gather_ms; },
                 100,
                 10'000,
                 {"ms",
                  "",
                  "How long candidates are gathered; our description then goes out with those "
                  "there are."}),
        whole<C>("web",
                 "connect_s",
                 [](C & c) -> auto& { return c.web.connect_s; },
                 1,
                 120,
                 {"s",
                  "",
                  "From our description to ICE and DTLS being up and the certificate checked; then "
                  "the call ends as web-timeout."}),
        whole<C>("web",
                 "vanish_s",
                 [](C & c) -> auto& { return c.web.vanish_s; },
                 2,
                 60,
                 {"s",
                  "",
                  "Nothing at all heard of the peer (RTP, RTCP, STUN) for this long: it counts as "
                  "lost, says log and API."}),
        whole<C>("web",
                 "vanish_end_s",
                 [](C & c) -> auto& { return c.web.vanish_end_s; },
                 0,
                 3'600,
                 {"s",
                  "0 = at once",
                  "How long a lost peer may take to come back; then the call ends as "
                  "peer-vanished."}),
        whole<C>(
            "web",
            "max_candidates",
            [](C & c) -> auto& { return c.web.max_candidates; },
            1,
            256,
            {"", "", "Candidates kept of one peer, trickled ones included; more are left out."}),
        whole<C>("web",
                 "max_mdns",
                 [](C & c) -> auto& { return c.web.max_mdns; },
                 0,
                 16,
                 {"",
                  "0 = none",
                  "Names ending in .local that are looked up of one peer; browsers hide their "
                  "local addresses behind such."}),
        texts<C>("web",
                 "deny",
                 [](C & c) -> auto& { return c.web.deny; },
                 {0, 256},
                 check::cidr,
                 {"",
                  "up to 256 address blocks (CIDR) or addresses",
                  "Candidates of peers that are never tried, so that nobody makes us knock at "
                  "doors inside."}),
        yes_no<C>("web",
                  "whip",
                  [](C & c) -> auto& { return c.web.whip; },
                  {"", "", "Take calls by WHIP (RFC 9725): POST /whip/NAME."}),
        yes_no<C>("web",
                  "whep",
                  [](C & c) -> auto& { return c.web.whep; },
                  {"", "", "Take listeners by WHEP: POST /whep/NAME."}),
        yes_no<C>("web",
                  "browser",
                  [](C & c) -> auto& { return c.web.browser; },
                  {"", "", "Take calls by the WebSocket of docs/http-api.md."}),
        texts<C>("web",
                 "origins",
                 [](C & c) -> auto& { return c.web.origins; },
                 {0, 64},
                 check::origin,
                 {"",
                  "up to 64 of https://HOST or http://HOST, perhaps with a port",
                  "Pages of other servers whose browsers may join; those that come from this "
                  "server's own address always may."}),
        text<C>("web",
                "token_file",
                [](C & c) -> auto& { return c.web.token_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with the token that whoever joins over HTTP has to show, and nothing else; "
                 "only its owner and group may read it. Without a token only clients of this "
                 "machine are served."}),
        text<C>("web",
                "token_env",
                [](C & c) -> auto& { return c.web.token_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the token."}),
        text<C>(
            "web",
            "token_credential",
            [](C & c) -> auto& { return c.web.token_credential; },
            check::name_or_empty,
            {"", "name, or empty", "systemd credential (`LoadCredential=`) that has the token."}),
    };
}

const std::vector<Key<IceServer>>& ice_server_keys() {
    using S = IceServer;
    static const std::vector<Key<S>> keys{
        text<S>("web.ice_server",
                "url",
                [](S & s) -> auto& { return s.url; },
                check::ice_url,
                {"",
                 "stun:HOST:PORT, turn:HOST:PORT?transport=udp (or tcp), turns:HOST:PORT; required",
                 "Where it is (RFC 7064, RFC 7065); without a port 3478, 5349 with turns."}),
        text<S>("web.ice_server",
                "username",
                [](S & s) -> auto& { return s.username; },
                check::word_or_empty,
                {"",
                 "up to 256 printable characters without blanks; required with turn and turns",
                 "Who we are there."}),
        text<S>("web.ice_server",
                "credential_file",
                [](S & s) -> auto& { return s.credential_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with the password and nothing else; only its owner and group may read it."}),
        text<S>("web.ice_server",
                "credential_env",
                [](S & s) -> auto& { return s.credential_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the password."}),
        text<S>("web.ice_server",
                "credential_credential",
                [](S & s) -> auto& { return s.credential_credential; },
                check::name_or_empty,
                {"",
                 "name, or empty",
                 "systemd credential (`LoadCredential=`) that has the password."}),
    };
    return keys;
}
// clang-format on

Problems web_problems(const Config& config) {
    Problems problems;
    const Web& web = config.web;
    for (std::size_t i = 0; i < web.ice_server.size(); ++i)
        check_server(web.ice_server[i], "web.ice_server[" + std::to_string(i) + "]", problems);
    const bool has_turn = std::any_of(web.ice_server.begin(),
                                      web.ice_server.end(),
                                      [](const IceServer& server) { return server.is_turn(); });
    if (web.relay_only && !has_turn) {
        problems.emplace_back("web.relay_only",
                              "= true leaves no candidate at all: add an [[web.ice_server]] with "
                              "turn:");
    }
    const int tokens =
        !web.token_file.empty() + !web.token_env.empty() + !web.token_credential.empty();
    if (tokens > 1) {
        problems.emplace_back("web.token_file",
                              "is not the only source: keep one of token_file, token_env, "
                              "token_credential");
    }
    if (do_overlap(web, config.rtp)) {
        problems.emplace_back("web.ports",
                              "overlaps rtp.ports: phone legs and web legs would take each "
                              "other's");
    }
    for (std::size_t i = 0; i < config.account.size(); ++i) {
        const Account& account = config.account[i];
        const std::string path = "account[" + std::to_string(i) + "].media";
        if (account.media != model::LegKind::Web) continue;
        if (web.max_legs == 0) {
            problems.emplace_back(path, "= \"web\" needs web.max_legs above 0");
        }
        if (account.kind == "ringcentral" && account.transport == "tls") {
            problems.emplace_back(path,
                                  "= \"web\" is for transport = \"wss\": RingCentral's TLS phones "
                                  "know SRTP with keys in SDP alone");
        }
    }
    return problems;
}

}  // namespace offhook::config
