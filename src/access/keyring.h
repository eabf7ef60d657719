#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "access/scope.h"
#include "base/error.h"
#include "http/message.h"

namespace offhook::access {

/// One configured token: of 256 bits, known here by its SHA-256 alone.
struct Token {
    std::string name, user;
    std::string sha256;  ///< 64 hex digits
    Scopes scopes;
};

/// Decides who a request comes from and what it may.
///
/// Without tokens a client of this machine may do everything, and nobody else anything. With
/// tokens everybody shows one, `Authorization: Bearer`. An address that showed wrong ones 10 times in
/// a minute gets 429 until the minute is over.
/// @thread control
class Keyring {
public:
    explicit Keyring(std::vector<Token> tokens);
    [[nodiscard]] bool has_tokens() const { return !tokens_.empty(); }

    /// What the request is refused with: 401 no token or a wrong one, 403 it may not do this, 429 too many wrong ones;
    /// or who it is.
    [[nodiscard]] base::Result<Subject> identify(const http::Request& request);
    [[nodiscard]] std::optional<http::Response> refuse(http::Request& request, Scope needed);

private:
    std::vector<Token> tokens_;
};

}  // namespace offhook::access
