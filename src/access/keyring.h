#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/failures.h"
#include "access/join_tokens.h"
#include "access/proxies.h"
#include "access/scope.h"
#include "access/sessions.h"
#include "base/error.h"
#include "base/monotonic.h"
#include "config/cidr.h"
#include "http/message.h"

namespace offhook::access {

/// One configured token: of 256 bits, known here by its SHA-256 alone.
struct Token {
    std::string name, user;
    std::string sha256;  ///< 64 hex digits, lower case
    Scopes scopes;
};

/// Somebody who came with a token of either kind.
struct Visitor {
    Subject subject;
    std::optional<JoinGrant> grant;  ///< of a join token: good for this and nothing else
    bool may_call = false;           ///< by the doors of `[web]`, whatever the endpoint
};

/// What the keyring goes by beside the configured tokens.
struct KeyringSettings {
    /// Of `[web] token_*`: opens the doors of web calls alone. Empty: there is none.
    std::string web_sha256{};
    std::vector<config::Cidr> proxies{};      ///< @see Proxies
    const JoinTokens* join_tokens = nullptr;  ///< outlives the keyring; none: no join token is good
    Sessions* sessions = nullptr;             ///< outlives the keyring; none: there are none
    std::function<std::int64_t()> monotonic_ns = &base::monotonic_ns;
    std::function<std::int64_t()> realtime_ns = &base::realtime_ns;
};

/// Decides who a request comes from and what it may.
///
/// Without tokens a client of this machine may do everything, and nobody else anything. With
/// tokens everybody shows one, `Authorization: Bearer`. An address that showed wrong ones 10 times in
/// a minute gets 429 until the minute is over.
///
/// A token is looked up by its SHA-256, compared with that of every configured one in a time that
/// depends on their number alone.
/// @thread control
class Keyring {
public:
    explicit Keyring(std::vector<Token> tokens, KeyringSettings settings = {});
    [[nodiscard]] bool has_tokens() const { return !tokens_.empty(); }

    /// Who it is by its Authorization header. @errors Denied: no token or a wrong one; Unavailable:
    /// from another machine while there are none; LimitReached: too many wrong ones
    [[nodiscard]] base::Result<Subject> identify(const http::Request& request);
    /// What the request is refused with: 401 no token or a wrong one, 403 it may not do this, 429
    /// too many wrong ones. Otherwise it knows its user and scopes.
    [[nodiscard]] std::optional<http::Response> refuse(http::Request& request, Scope needed);

    /// The bearer token of a session for a one-time secret (Sessions), whoever shows it.
    /// @errors Denied: it is wrong, used or too old; LimitReached: too many wrong ones
    [[nodiscard]] base::Result<base::Secret> open_session(const http::Request& request,
                                                          std::string_view once);
    /// A new one-time secret; empty: there are no sessions.
    [[nodiscard]] std::optional<base::Secret> offer_session();

    /// The server's gate (http::Server::set_gate). @param scope  of http::RouteRules; with `?`
    /// behind nobody is refused, and clients of this machine have it without a token
    [[nodiscard]] std::optional<http::Response> gate(http::Request& request,
                                                     std::string_view scope);

    /// Who a token belongs to that came otherwise than in the header, such as in the first message
    /// of a WebSocket: a join token, or a configured one. Without a token: who may come without.
    /// @errors as `identify`; Timeout: an expired join token
    [[nodiscard]] base::Result<Visitor> visitor(const http::Request& request,
                                                std::string_view token);
    /// For a WebSocket whose token comes with its first message: a browser, which sends Origin, may
    /// open it; everybody else shows a token at once. Where none is needed both are of this
    /// machine. @param is_door  of `[web]`, where its token counts as well
    [[nodiscard]] std::optional<http::Response> refuse_socket(const http::Request& request,
                                                              bool is_door = false);

    /// Whether whoever calls by `endpoint` (WHIP, WHEP, browsers) has to show a token.
    [[nodiscard]] bool has_door_tokens() const {
        return has_tokens() || !settings_.web_sha256.empty();
    }
    /// Who may call: that token of `[web]`, one with scope operate, or a join token of a speaker for
    /// a channel of this name. @param token  empty: the one of the Authorization header
    /// @errors as `visitor`; Unsupported: it may not do this
    [[nodiscard]] base::Result<Visitor> caller(const http::Request& request,
                                               std::string_view endpoint,
                                               std::string_view token = {});
    /// The answer to a failed `caller`, `visitor` or `identify`.
    [[nodiscard]] http::Response refusal(const http::Request& request,
                                         const base::Error& error) const;

    /// How long its address is shut out for wrong tokens; empty: it is not.
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after(
        const http::Request& request) const;
    [[nodiscard]] Client client_of(const http::Request& request) const {
        return proxies_.client_of(request);
    }
    struct Counters {
        std::uint64_t missing = 0, wrong = 0, not_allowed = 0, shut_out = 0;
    };
    [[nodiscard]] const Counters& counters() const { return counters_; }

private:
    /// Of all tokens the one with this digest; all are looked at.
    [[nodiscard]] const Token* find(std::string_view token) const;
    [[nodiscard]] base::Result<Visitor> look_up(const http::Request& request,
                                                std::string_view token,
                                                bool is_token_needed);
    [[nodiscard]] base::Error wrong(const Client& client, base::Error error);

    std::vector<Token> tokens_;
    std::optional<Token> web_;
    KeyringSettings settings_;
    Proxies proxies_;
    Failures failures_;
    Counters counters_;
};

/// The token of `Authorization: Bearer`; empty: there is none.
[[nodiscard]] std::string_view bearer_of(const http::Request& request);

}  // namespace offhook::access
