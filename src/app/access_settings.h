#pragma once

#include <memory>
#include <vector>

#include "access/join_tokens.h"
#include "access/keyring.h"
#include "access/sessions.h"
#include "base/error.h"
#include "config/config.h"

namespace offhook::app {

/// What decides who gets in, with the secrets that it takes.
struct Locks {
    std::unique_ptr<access::JoinTokens> join_tokens;
    std::unique_ptr<access::Sessions> sessions;
    std::unique_ptr<access::Keyring> keyring;
};

/// @errors InvalidArgument: a token or the key cannot be had, or is too short
[[nodiscard]] base::Result<Locks> make_locks(const config::Config& config);

}  // namespace offhook::app
