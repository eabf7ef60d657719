#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "call/account_rules.h"
#include "config/config.h"
#include "model/account.h"
#include "signalling/sip/account_settings.h"
#include "state/state_directory.h"

namespace offhook::app {

/// The state directory that `[state]` or the environment names.
/// @errors NotFound: none is named; those of StateDirectory::open
[[nodiscard]] base::Result<state::StateDirectory> open_state(const config::State& state);

/// What the SIP room needs to register one account of kind "sip": password read, instance id kept
/// or, without a state directory, made up for this run.
/// @param state  null: there is none
/// @errors InvalidArgument, Io: the password; those of kept_instance_id
[[nodiscard]] base::Result<signalling::sip::AccountSettings> account_settings(
    const config::Account& account, const state::StateDirectory* state);

/// What the call room has to know of an account.
/// @param info  as signalling reported it last; null: not yet
[[nodiscard]] call::AccountRules account_rules(const config::Account& account,
                                               const model::AccountInfo* info);

}  // namespace offhook::app
