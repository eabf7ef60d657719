#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace offhook::model {

enum class AccountState : std::uint8_t {
    Connecting,    ///< the flow is being opened (also the name is being looked up)
    Registering,   ///< REGISTER is under way, and the account was not registered before it
    Registered,    ///< also while it is being refreshed
    Waiting,       ///< lost or refused; tries again at `next_try_ns`
    Failed,        ///< stopped until the configuration changes: `last_answer` says why
    Unregistered,  ///< at stop
};
/// "connecting", "registering", ... @thread any
[[nodiscard]] std::string_view name_of(AccountState state) noexcept;

/// One `[[account]]` as the outside sees it. Strings from the network are escaped already; no
/// secret is in here.
struct AccountInfo {
    std::string name;
    std::string kind;  ///< "sip", "ringcentral"
    std::string user, domain;
    AccountState state = AccountState::Connecting;
    std::string flow;           ///< "wss:pbx.example.com:8443 (192.0.2.7)"; empty: none is open
    std::string proxy;          ///< "primary" or "backup"
    std::string contact;        ///< the Contact that is registered
    std::string local_address;  ///< numeric, our side of the flow; empty: none is open
    std::int64_t registered_ns = 0, expires_ns = 0, next_try_ns = 0;  ///< CLOCK_REALTIME; 0: none
    int last_status = 0;      ///< of the last REGISTER answered; 0: none yet, 408: no answer
    std::string last_answer;  ///< a sentence: what came last and, if bad, what to do
    std::uint64_t registrations = 0, failures = 0, flow_losses = 0;
    bool is_insecure = false;  ///< certificates are not checked, as configured
};

/// The accounts of this process. Control thread only.
class AccountDirectory {
public:
    virtual ~AccountDirectory() = default;
    /// In the order of the configuration.
    [[nodiscard]] virtual std::vector<AccountInfo> accounts() const = 0;
};

}  // namespace offhook::model
