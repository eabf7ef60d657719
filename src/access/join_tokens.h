#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "model/channel.h"

namespace offhook::access {

/// What a join token is good for.
struct JoinGrant {
    std::string user, channel;
    std::string name;  ///< that others see; empty: the client says
    model::MemberRole role = model::MemberRole::Speaker;
    std::int64_t expires_s = 0;  ///< since 1970; at most `kMaxJoinLife` from now
};

inline constexpr std::chrono::seconds kMaxJoinLife{300};
inline constexpr std::string_view kJoinTokenPrefix = "ohj1.";
inline constexpr std::size_t kMaxJoinTokenBytes = 2048;
inline constexpr std::size_t kMinJoinKeyBytes = 32;

/// 1 to 128 bytes of UTF-8 without controls: a user, or the name that others see.
[[nodiscard]] bool is_user_name(std::string_view text);

/// Short-lived tokens that let one user into one channel. They carry what they are good for, signed
/// by HMAC-SHA256 (RFC 2104) under a key of 256 bits: of this process, or shared by several daemons.
/// "ohj1.PAYLOAD.MAC", base64url without padding (RFC 4648 §5). The payload is JSON
/// `{"user","channel","name","role","expires"}` and no secret; the MAC is over all before its dot.
/// @thread any
class JoinTokens {
public:
    /// @param key  32 bytes or more; empty: a random one
    explicit JoinTokens(base::Secret key);

    /// @errors InvalidArgument: user, channel, name, role or life
    [[nodiscard]] base::Result<std::string> mint(const JoinGrant& grant) const;
    /// @errors Denied: forged, of another key, not readable; Timeout: expired. The sentence has
    /// nothing of the token.
    [[nodiscard]] base::Result<JoinGrant> check(std::string_view token, std::int64_t now_s) const;

private:
    base::Secret key_;
};

}  // namespace offhook::access
