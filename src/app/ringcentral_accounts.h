#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "model/account.h"
#include "signalling/ringcentral/rc_provisioner.h"
#include "signalling/sip/account_settings.h"
#include "state/state_directory.h"

namespace offhook::app {

/// The accounts of kind "ringcentral": asks RingCentral what it takes to register, hands that to
/// the SIP room, and asks anew when the registrar no longer takes it.
///
///     Provisioner: ready -> set_account -> SIP room -> on_account -> seen
///                  ^                                                  |
///                  +-- on_refused: three times 401, remove_account <--+
///
/// @thread control, whose context must be thread-default
class RingCentralAccounts {
public:
    struct Hooks {
        std::function<void(signalling::sip::AccountSettings)> set_account;
        std::function<void(std::string name)> remove_account;
        /// How an account fares that the SIP room does not have yet.
        std::function<void(model::AccountInfo)> tell;
    };
    /// @param directory must outlive this
    RingCentralAccounts(const state::StateDirectory& directory, Hooks hooks);

    /// Reads the account's secrets and begins to ask.
    /// @errors InvalidArgument, Io: a secret, the CA file, the state directory
    [[nodiscard]] base::Result<void> add(const config::Account& account);

    /// What the SIP room reports of any account, completed by what a status means at RingCentral;
    /// empty when it is of credentials that are no longer used.
    [[nodiscard]] std::optional<model::AccountInfo> seen(model::AccountInfo info);

private:
    struct One {
        config::Account config;
        signalling::sip::AccountSettings settings;  ///< without what RingCentral says
        std::unique_ptr<signalling::ringcentral::Provisioner> provisioner;
        /// New settings are on their way to the SIP room: reports of the old ones still come.
        bool is_starting = false;
    };
    void on_changed(One& one);
    [[nodiscard]] static signalling::sip::AccountSettings complete(
        const One& one, const signalling::ringcentral::SipCredentials& sip);

    const state::StateDirectory& directory_;
    Hooks hooks_;
    std::vector<std::unique_ptr<One>> all_;
};

}  // namespace offhook::app
