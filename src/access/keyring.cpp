#include "access/keyring.h"

#include <strings.h>

#include <utility>

#include "access/digest.h"
#include "base/escape.h"
#include "base/log.h"
#include "http/problem.h"

namespace offhook::access {
namespace {

constexpr std::string_view kScheme = "bearer ";
constexpr std::size_t kMaxTokenBytes = 4'096;
constexpr Scope kAllScopes[] = {
    Scope::Read, Scope::Operate, Scope::Listen, Scope::Barge, Scope::Debug, Scope::Admin};

std::vector<std::string> words_of(const Scopes& scopes) {
    std::vector<std::string> words;
    for (const Scope each : kAllScopes) {
        if (scopes.has(each)) words.emplace_back(name_of(each));
    }
    return words;
}

Subject local_subject() {
    return {.user = "local", .scopes = {Scope::Admin}};
}

base::Error denied(std::string why) {
    return {base::ErrorCode::Denied, std::move(why), {}};
}

}  // namespace

std::string_view bearer_of(const http::Request& request) {
    std::string_view value = request.header("authorization");
    if (value.size() < kScheme.size() ||
        strncasecmp(value.data(), kScheme.data(), kScheme.size()) != 0) {
        return {};
    }
    value.remove_prefix(kScheme.size());
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with(' ')) value.remove_suffix(1);
    return value;
}

Keyring::Keyring(std::vector<Token> tokens, KeyringSettings settings)
    : tokens_(std::move(tokens)),
      settings_(std::move(settings)),
      proxies_(settings_.proxies),
      failures_(settings_.monotonic_ns) {
    if (!settings_.web_sha256.empty())
        web_ = Token{.name = "[web]", .user = "web", .sha256 = settings_.web_sha256, .scopes = {}};
}

// No way out before the last one: which token it was, and whether any, is not told by the time.
const Token* Keyring::find(std::string_view token) const {
    const std::string digest = hex(sha256(token));
    const Token* found = nullptr;
    for (const Token& each : tokens_) {
        if (is_same(each.sha256, digest)) found = &each;
    }
    if (web_ && is_same(web_->sha256, digest)) found = &*web_;
    return found;
}

base::Error Keyring::wrong(const Client& client, base::Error error) {
    ++counters_.wrong;
    if (failures_.count(client.address)) {
        log::write(log::Level::Warning,
                   log::Mark::Warning,
                   "access.shut_out",
                   {},
                   "an address showed 10 wrong tokens and gets 429 for the rest of the minute",
                   {{"address", base::escape_untrusted(client.address)}});
    }
    return error;
}

base::Result<Visitor> Keyring::look_up(const http::Request& request,
                                       std::string_view token,
                                       bool is_token_needed) {
    const Client client = client_of(request);
    if (failures_.shut_out(client.address)) {
        ++counters_.shut_out;
        return base::fail(base::ErrorCode::LimitReached,
                          "too many wrong tokens came from this address");
    }
    if (token.starts_with(kJoinTokenPrefix)) {
        if (settings_.join_tokens == nullptr)
            return tl::unexpected(wrong(client, denied("join tokens are not taken here")));
        auto grant = settings_.join_tokens->check(token, settings_.realtime_ns() / base::kNsPerS);
        if (!grant) {
            // One that was good a while ago is no guess.
            if (grant.error().code == base::ErrorCode::Timeout)
                return tl::unexpected(grant.error());
            return tl::unexpected(wrong(client, grant.error()));
        }
        return Visitor{.subject = {.user = grant->user, .scopes = {}},
                       .grant = *std::move(grant),
                       .may_call = false};
    }
    if (!is_token_needed) {
        if (client.is_local)
            return Visitor{.subject = local_subject(), .grant = {}, .may_call = true};
        ++counters_.not_allowed;
        return base::fail(base::ErrorCode::Unavailable,
                          "the request comes from another machine, and there is no token that it "
                          "could show");
    }
    if (token.empty()) {
        ++counters_.missing;
        return tl::unexpected(denied("there is no token"));
    }
    if (settings_.sessions != nullptr && token.starts_with(kSessionTokenPrefix)) {
        auto subject = settings_.sessions->find(token);
        if (!subject)
            return tl::unexpected(wrong(client, denied("this session is over, or never was")));
        const bool may_call = subject->scopes.has(Scope::Operate);
        return Visitor{.subject = *std::move(subject), .grant = {}, .may_call = may_call};
    }
    const Token* known = token.size() > kMaxTokenBytes ? nullptr : find(token);
    if (known == nullptr) return tl::unexpected(wrong(client, denied("nobody has this token")));
    return Visitor{
        .subject = {.user = known->user, .scopes = known->scopes},
        .grant = {},
        .may_call = known == (web_ ? &*web_ : nullptr) || known->scopes.has(Scope::Operate)};
}

base::Result<base::Secret> Keyring::open_session(const http::Request& request,
                                                 std::string_view once) {
    const Client client = client_of(request);
    if (failures_.shut_out(client.address)) {
        ++counters_.shut_out;
        return base::fail(base::ErrorCode::LimitReached,
                          "too many wrong tokens came from this address");
    }
    auto token = settings_.sessions == nullptr ? std::nullopt : settings_.sessions->exchange(once);
    if (token) return *std::move(token);
    return tl::unexpected(wrong(client,
                                denied("the one-time secret is wrong, was used before, or is older "
                                       "than 10 minutes")));
}

std::optional<base::Secret> Keyring::offer_session() {
    if (settings_.sessions == nullptr) return std::nullopt;
    return settings_.sessions->offer();
}

base::Result<Subject> Keyring::identify(const http::Request& request) {
    auto visitor = look_up(request, has_tokens() ? bearer_of(request) : "", has_tokens());
    if (!visitor) return tl::unexpected(visitor.error());
    return std::move(visitor->subject);
}

base::Result<Visitor> Keyring::visitor(const http::Request& request, std::string_view token) {
    return look_up(request, token, has_tokens());
}

std::optional<http::Response> Keyring::refuse(http::Request& request, Scope needed) {
    request.forwarded_for = client_of(request).forwarded_for;
    request.scopes.emplace();
    auto subject = identify(request);
    if (!subject) return refusal(request, subject.error());
    request.user = subject->user;
    request.scopes = words_of(subject->scopes);
    if (subject->scopes.has(needed)) return std::nullopt;
    ++counters_.not_allowed;
    const std::string word(name_of(needed));
    return http::problem_response({403,
                                   "scope",
                                   "The token may not do this",
                                   "it takes the scope \"" + word + "\"",
                                   "add it to scopes of this [[token]], or show another token"},
                                  request.path,
                                  request.request_id);
}

std::optional<http::Response> Keyring::gate(http::Request& request, std::string_view scope) {
    const bool is_open = scope.ends_with('?');
    if (is_open) scope.remove_suffix(1);
    if (scope.empty()) {
        request.forwarded_for = client_of(request).forwarded_for;
        request.scopes.emplace();
        return std::nullopt;
    }
    // A word that is none is a slip of ours: closed to all but the mightiest.
    const Scope needed = access::scope(scope).value_or(Scope::Admin);
    if (!is_open) return refuse(request, needed);
    if (client_of(request).is_local && bearer_of(request).empty()) {
        request.scopes = {std::string(name_of(needed))};
    } else if (refuse(request, needed)) {
        request.user.clear();
        request.scopes.emplace();
    }
    return std::nullopt;
}

std::optional<http::Response> Keyring::refuse_socket(const http::Request& request, bool is_door) {
    const bool is_browser = !request.header("origin").empty();
    const bool is_needed = is_door ? has_door_tokens() : has_tokens();
    const std::string_view bearer = bearer_of(request);
    if (is_browser && is_needed && bearer.empty() && !retry_after(request)) return std::nullopt;
    auto visitor = look_up(request, bearer, is_needed);
    if (visitor) return std::nullopt;
    return refusal(request, visitor.error());
}

base::Result<Visitor> Keyring::caller(const http::Request& request,
                                      std::string_view endpoint,
                                      std::string_view token) {
    const std::string_view shown = token.empty() ? bearer_of(request) : token;
    auto visitor = look_up(request, shown, has_door_tokens());
    if (!visitor) return visitor;
    const auto no = [&](std::string why) {
        ++counters_.not_allowed;
        return base::fail(base::ErrorCode::Unsupported, std::move(why));
    };
    if (visitor->grant) {
        if (visitor->grant->channel != endpoint) return no("the join token is for another channel");
        if (visitor->grant->role != model::MemberRole::Speaker)
            return no("the join token is not for a speaker");
        return visitor;
    }
    if (!visitor->may_call) return no("the token lacks the scope \"operate\"");
    return visitor;
}

std::optional<std::chrono::seconds> Keyring::retry_after(const http::Request& request) const {
    return failures_.shut_out(client_of(request).address);
}

http::Response Keyring::refusal(const http::Request& request, const base::Error& error) const {
    const auto problem = [&](const http::Problem& what) {
        return http::problem_response(what, request.path, request.request_id);
    };
    if (error.code == base::ErrorCode::LimitReached) {
        const auto left = retry_after(request).value_or(std::chrono::seconds(1));
        const std::string seconds = std::to_string(left.count());
        http::Response response = problem({429,
                                           "too-many",
                                           "Too many wrong tokens",
                                           error.message,
                                           "wait " + seconds + " s, then show a right one"});
        response.headers.emplace_back("Retry-After", seconds);
        return response;
    }
    if (error.code == base::ErrorCode::Unsupported) {
        return problem(
            {403, "scope", "The token may not do this", error.message, "show another token"});
    }
    if (error.code == base::ErrorCode::Unavailable) {
        return problem({403,
                        "not-allowed",
                        "Only clients of this machine may come",
                        error.message,
                        "configure a [[token]]: `offhook token new` makes one"});
    }
    http::Response response = problem({401,
                                       "unauthorized",
                                       "The token is missing or wrong",
                                       error.message,
                                       "send Authorization: Bearer with a token of this daemon",
                                       "Authorization"});
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

}  // namespace offhook::access
