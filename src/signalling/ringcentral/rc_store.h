#pragma once

#include <optional>
#include <string>

#include "signalling/ringcentral/rc_types.h"
#include "state/state_directory.h"

namespace offhook::signalling::ringcentral {

/// Keeps what was provisioned for one account, as `ringcentral-ACCOUNT` in the state directory, so
/// that a restart needs no request and keeps its authorization id.
/// @thread one; waits for the disk
class CredentialStore {
public:
    /// @param owner  what the credentials were asked with; others are not used
    CredentialStore(const state::StateDirectory& directory,
                    const std::string& account,
                    std::string owner);

    /// `owner` of an account: server, app, user, device and kind; the JWT only as a hash.
    [[nodiscard]] static std::string owner_of(const AppCredentials& app,
                                              Kind kind,
                                              const std::string& device_id,
                                              const std::string& region);

    /// Empty when nothing is kept, or it was asked with another configuration, or it is broken (a
    /// warning in the log).
    [[nodiscard]] std::optional<SipCredentials> load() const;
    /// A failure is a warning in the log: the phone works, but asks again after a restart.
    void save(const SipCredentials& sip) const;
    void forget() const;

private:
    const state::StateDirectory& directory_;
    std::string name_;
    std::string owner_;
};

}  // namespace offhook::signalling::ringcentral
