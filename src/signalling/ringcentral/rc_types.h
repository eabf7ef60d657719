#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

namespace offhook::signalling::ringcentral {

/// The two ways to be a phone at RingCentral.
enum class Kind : std::uint8_t {
    Tls,  ///< a device of type Existing Phone: SIP over TLS, SDES-SRTP
    Wss,  ///< a WebPhone: SIP over WebSocket, DTLS-SRTP
};
/// "tls", "wss".
[[nodiscard]] std::string_view name_of(Kind kind) noexcept;

/// Who asks: an app of their developer portal and the user it acts for.
struct AppCredentials {
    std::string server = "https://platform.ringcentral.com";  ///< without a slash at the end
    std::string client_id;
    base::Secret client_secret;
    base::Secret jwt;  ///< says which extension
};

/// What it takes to register. Strings were checked: they have no blanks and no control characters.
struct SipCredentials {
    Kind kind = Kind::Tls;
    std::string user;              ///< of From and To, such as "17205550100*115"
    std::string domain;            ///< without a port; also the digest realm
    std::string authorization_id;  ///< digest user; new with every sip-provision
    base::Secret password;
    std::string proxy;         ///< "host:port"
    std::string backup_proxy;  ///< empty: none
    /// How long to stay on the backup before the primary is tried again; empty: until the next
    /// provisioning.
    std::optional<std::chrono::seconds> switch_back;
    std::optional<std::chrono::seconds> polling;  ///< how often they suggest to provision anew
    std::vector<std::string> stun_servers;        ///< "host:port"
    std::string device_id;                        ///< for their call-control API
    bool may_call_out = true;

    [[nodiscard]] bool operator==(const SipCredentials&) const = default;
};

/// Why there are no credentials, and what becomes of it.
struct Refusal {
    base::Error error;                                  ///< says what to do
    bool is_permanent = false;                          ///< the same request would be refused again
    bool is_token_refused = false;                      ///< another token may do
    std::optional<std::chrono::seconds> retry_after{};  ///< theirs, 1 s to 1 h
};

template <class T>
using Outcome = tl::expected<T, Refusal>;

}  // namespace offhook::signalling::ringcentral
