#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "http/message.h"

namespace offhook::signalling::web {

/// Who may join by HTTP: those with the token or, while none is configured, clients of this machine.
/// A proxy in front makes every client one of this machine; what it forwards is told by its headers.
/// @thread any
class Access {
public:
    explicit Access(base::Secret token) : token_(std::move(token)) {}

    /// What a client is refused with: 401 without the right `Authorization: Bearer`, 403 from
    /// another machine while no token is configured. Empty: it may.
    [[nodiscard]] std::optional<http::Response> refuse(const http::Request& request) const;
    [[nodiscard]] bool needs_token() const { return !token_.empty(); }
    /// Takes the same time wherever they differ.
    [[nodiscard]] bool is_token(std::string_view text) const;
    /// Whether the request shows the token in its Authorization header.
    [[nodiscard]] bool has_token(const http::Request& request) const;

private:
    base::Secret token_;
};

}  // namespace offhook::signalling::web
