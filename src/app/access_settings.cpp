#include "app/access_settings.h"

#include <string>
#include <utility>

#include "access/digest.h"
#include "base/secret.h"

namespace offhook::app {
namespace {

constexpr std::size_t kMinTokenBytes = 32;

base::Result<base::Secret> secret_of(const base::SecretSource& source,
                                     const std::string& what,
                                     std::size_t min_bytes,
                                     const std::string& how_to_make_one) {
    auto secret = base::load_secret(source, what);
    if (!secret) {
        // Wherever it is: the configuration has to change, or what it names.
        secret.error().code = base::ErrorCode::InvalidArgument;
        return secret;
    }
    if (secret->reveal().size() < min_bytes) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          what + " has less than " + std::to_string(min_bytes) +
                              " characters and could be guessed: " + how_to_make_one);
    }
    return secret;
}

access::Scopes scopes_of(const std::vector<std::string>& words) {
    access::Scopes scopes;
    for (const std::string& word : words) {
        if (const auto scope = access::scope(word)) scopes.add(*scope);
    }
    return scopes;
}

base::Result<access::Token> token_of(const config::Token& given) {
    access::Token token{.name = given.name,
                        .user = given.user.empty() ? given.name : given.user,
                        .sha256 = given.sha256,
                        .scopes = scopes_of(given.scopes)};
    if (!token.sha256.empty()) return token;
    const auto secret = secret_of({.file = given.token_file,
                                   .environment = given.token_env,
                                   .credential = given.token_credential},
                                  "the token of [[token]] \"" + given.name + "\"",
                                  kMinTokenBytes,
                                  "`offhook token new` makes a good one");
    if (!secret) return tl::unexpected(secret.error());
    token.sha256 = access::hex(access::sha256(secret->reveal()));
    return token;
}

bool is_named(const base::SecretSource& source) {
    return !source.file.empty() || !source.environment.empty() || !source.credential.empty();
}

}  // namespace

base::Result<Locks> make_locks(const config::Config& config) {
    std::vector<access::Token> tokens;
    for (const config::Token& given : config.token) {
        auto token = token_of(given);
        if (!token) return tl::unexpected(token.error());
        tokens.push_back(*std::move(token));
    }
    access::KeyringSettings settings;
    const base::SecretSource web{.file = config.web.token_file,
                                 .environment = config.web.token_env,
                                 .credential = config.web.token_credential};
    if (is_named(web)) {
        const auto secret = secret_of(web, "the token of [web]", 1, {});
        if (!secret) return tl::unexpected(secret.error());
        settings.web_sha256 = access::hex(access::sha256(secret->reveal()));
    }
    for (const std::string& text : config.http.proxies) {
        auto block = config::Cidr::parse(text);
        if (!block) return tl::unexpected(block.error());
        settings.proxies.push_back(*std::move(block));
    }
    base::Secret key;
    const base::SecretSource join_key{.file = config.http.join_key_file,
                                      .environment = config.http.join_key_env,
                                      .credential = config.http.join_key_credential};
    if (is_named(join_key)) {
        auto secret = secret_of(join_key,
                                "the join key of [http]",
                                access::kMinJoinKeyBytes,
                                "`openssl rand -base64 32` makes a good one");
        if (!secret) return tl::unexpected(secret.error());
        key = *std::move(secret);
    }
    Locks locks;
    locks.join_tokens = std::make_unique<access::JoinTokens>(std::move(key));
    settings.join_tokens = locks.join_tokens.get();
    locks.sessions = std::make_unique<access::Sessions>(scopes_of(config.http.session_scopes));
    settings.sessions = locks.sessions.get();
    locks.keyring = std::make_unique<access::Keyring>(std::move(tokens), std::move(settings));
    return locks;
}

}  // namespace offhook::app
