#include "config/access_keys.h"

#include <algorithm>

#include "config/checks.h"
#include "config/endpoint.h"
#include "config/key_kinds.h"

namespace offhook::config {
namespace {

using namespace kind;

using Problems = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMaxScopes = 6;

std::string scope(const std::string& text) {
    for (const char* good : {"read", "operate", "listen", "barge", "debug", "admin"}) {
        if (text == good) return {};
    }
    return "is none of read, operate, listen, barge, debug, admin";
}

std::string sha256_or_empty(const std::string& text) {
    const bool is_hex = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
    if (text.empty() || (text.size() == 64 && is_hex)) return {};
    return "must be 64 hex digits in lower case: what `offhook token new` prints";
}

int sources_of(const std::string& file, const std::string& env, const std::string& credential) {
    return !file.empty() + !env.empty() + !credential.empty();
}

void check_token(const Token& token, const std::string& path, Problems& problems) {
    if (token.scopes.empty()) {
        problems.emplace_back(path + ".scopes",
                              "is missing: one or more of read, operate, listen, barge, debug, "
                              "admin");
    }
    const int sources = !token.sha256.empty() +
                        sources_of(token.token_file, token.token_env, token.token_credential);
    if (sources == 1) return;
    problems.emplace_back(
        path + ".sha256",
        sources == 0 ? "is missing: `offhook token new` makes a token and prints it; or name one "
                       "of token_file, token_env, token_credential"
                     : "is not the only source: keep one of sha256, token_file, token_env, "
                       "token_credential");
}

}  // namespace

// clang-format off: one key, one paragraph
std::vector<Key<Config>> access_keys() {
    using C = Config;
    return {
        texts<C>("http",
                 "origins",
                 [](C & c) -> auto& { return c.http.origins; },
                 {0, 32},
                 check::origin,
                 {"",
                  "up to 32 of https://NAME[:PORT]",
                  "Pages of other servers that may use the API and its WebSockets, beside those "
                  "of the address itself: what browsers write into Origin."}),
        texts<C>("http",
                 "proxies",
                 [](C & c) -> auto& { return c.http.proxies; },
                 {0, 32},
                 check::cidr,
                 {"",
                  "up to 32 address blocks (CIDR) or addresses",
                  "Proxies in front whose `X-Forwarded-For` or `Forwarded` (RFC 7239) is believed: "
                  "the rightmost address in it that is none of theirs is the client's."}),
        text<C>("http",
                "join_key_file",
                [](C & c) -> auto& { return c.http.join_key_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with 32 bytes or more that sign join tokens: the same for all daemons "
                 "whose tokens are good for each other. With none of the three each process "
                 "makes its own."}),
        text<C>("http",
                "join_key_env",
                [](C & c) -> auto& { return c.http.join_key_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the key."}),
        text<C>("http",
                "join_key_credential",
                [](C & c) -> auto& { return c.http.join_key_credential; },
                check::name_or_empty,
                {"", "name, or empty", "systemd credential (`LoadCredential=`) that has the key."}),
        texts<C>("http",
                 "session_scopes",
                 [](C & c) -> auto& { return c.http.session_scopes; },
                 {1, kMaxScopes},
                 scope,
                 {"",
                  "one or more of read, operate, listen, barge, debug, admin",
                  "What somebody may do who opened the page by a one-time URL: `POST "
                  "/api/v1/session/once` makes one."}),
        whole<C>("http",
                 "max_connections",
                 [](C & c) -> auto& { return c.http.max_connections; },
                 1,
                 100'000,
                 {"",
                  "",
                  "HTTP connections at once, and as many more that have brought no whole request "
                  "yet; WebSockets are none of them. Of too many the one goes that has brought "
                  "nothing for the longest time."}),
        whole<C>("http",
                 "max_websockets",
                 [](C & c) -> auto& { return c.http.max_websockets; },
                 1,
                 100'000,
                 {"", "", "Open WebSockets; more get 503. Each needs a file descriptor."}),
        whole<C>("http",
                 "handshake_s",
                 [](C & c) -> auto& { return c.http.handshake_s; },
                 1,
                 300,
                 {"s", "", "Within it a whole request has to come, and its answer to be taken."}),
        whole<C>("http",
                 "idle_s",
                 [](C & c) -> auto& { return c.http.idle_s; },
                 1,
                 3600,
                 {"s", "", "How long a connection may wait for its next request."}),
    };
}

const std::vector<Key<Token>>& token_keys() {
    using T = Token;
    static const std::vector<Key<T>> keys{
        text<T>("token",
                "name",
                [](T & t) -> auto& { return t.name; },
                check::name,
                {"", "1 to 64 letters, digits, . _ -; unique; required", "What logs call it."}),
        text<T>("token",
                "user",
                [](T & t) -> auto& { return t.user; },
                check::display_name,
                {"",
                 "up to 128 bytes without control characters, or empty: `name`",
                 "Who whoever shows it is, in channels and connections."}),
        texts<T>("token",
                 "scopes",
                 [](T & t) -> auto& { return t.scopes; },
                 {1, kMaxScopes},
                 scope,
                 {"",
                  "one or more of read, operate, listen, barge, debug, admin; required",
                  "read: look at everything; operate: end, place and change calls, channels and "
                  "connections, make join tokens; listen: hear a call; barge: speak in one; "
                  "debug: /api/debug; admin: all of them."}),
        text<T>("token",
                "sha256",
                [](T & t) -> auto& { return t.sha256; },
                sha256_or_empty,
                {"",
                 "64 hex digits, or empty",
                 "SHA-256 of the token, as `offhook token new` prints it: what is in the "
                 "configuration lets nobody in. Or one of the three below."}),
        text<T>("token",
                "token_file",
                [](T & t) -> auto& { return t.token_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with the token, 32 characters or more, and nothing else; only its owner "
                 "and group may read it."}),
        text<T>("token",
                "token_env",
                [](T & t) -> auto& { return t.token_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the token."}),
        text<T>(
            "token",
            "token_credential",
            [](T & t) -> auto& { return t.token_credential; },
            check::name_or_empty,
            {"", "name, or empty", "systemd credential (`LoadCredential=`) that has the token."}),
    };
    return keys;
}
// clang-format on

Problems access_problems(const Config& config) {
    Problems problems;
    const Http& http = config.http;
    const auto listen = parse_host_port(http.listen);
    if (listen && !listen->is_loopback()) {
        const std::string reachable =
            "= \"" + http.listen + "\": is reachable from other machines, and ";
        if (config.token.empty()) {
            problems.emplace_back("http.listen",
                                  reachable +
                                      "there is no [[token]] that would keep strangers out: "
                                      "`offhook token new` makes one; or listen on 127.0.0.1");
        } else if (!http.allow_remote) {
            problems.emplace_back("http.listen",
                                  reachable +
                                      "http.allow_remote is false; listen on 127.0.0.1 behind a "
                                      "proxy with TLS, or set http.allow_remote = true");
        }
    }
    if (sources_of(http.join_key_file, http.join_key_env, http.join_key_credential) > 1) {
        problems.emplace_back("http.join_key_file",
                              "is not the only source: keep one of join_key_file, join_key_env, "
                              "join_key_credential");
    }
    for (std::size_t i = 0; i < config.token.size(); ++i)
        check_token(config.token[i], "token[" + std::to_string(i) + "]", problems);
    return problems;
}

}  // namespace offhook::config
