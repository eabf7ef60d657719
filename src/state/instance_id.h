#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "state/state_directory.h"

namespace offhook::state {

/// A random UUID, version 4 (RFC 4122 §4.4), as "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx" in lower
/// case.
/// @thread any
[[nodiscard]] std::string make_uuid();

[[nodiscard]] bool is_uuid(std::string_view text) noexcept;

/// The instance id (RFC 5626 §4.1) of `account`: made once and kept as `instance-ACCOUNT`. A kept
/// one that is no UUID is replaced, with a warning in the log: registrars see a new phone then.
/// @param account a configured name; 1 to 64 letters, digits, dots, underscores, dashes
/// @return the bare UUID, without `urn:uuid:`
/// @errors those of StateDirectory::read and write
[[nodiscard]] base::Result<std::string> kept_instance_id(const StateDirectory& directory,
                                                         std::string_view account);

}  // namespace offhook::state
