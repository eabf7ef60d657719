#pragma once

#include <memory>

#include "base/error.h"
#include "config/config.h"
#include "connection/lease_store.h"
#include "glib/ref.h"

namespace offhook::app {

/// Who keeps the users' places: `[redis]` when it has a url, else this process.
/// @errors InvalidArgument: its password cannot be had
[[nodiscard]] base::Result<std::unique_ptr<connection::LeaseStore>> make_leases(
    const config::Redis& redis, GMainContext* context);

}  // namespace offhook::app
