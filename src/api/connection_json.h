#pragma once

#include <cstdint>

#include "base/json_writer.h"
#include "connection/registry.h"

namespace offhook::api {

/// The fields of the customer's page, whose names and types stay as they are. @param of_v1  also
/// what /api/v1/connections has beside them: its fence, and how it ended
void write_connection(base::JsonWriter& json, const connection::Entry& entry, bool of_v1);

/// Since it was heard last, at its end if it ended; since it opened when it never was. In seconds.
[[nodiscard]] double last_heard_s(const connection::Entry& entry);

}  // namespace offhook::api
