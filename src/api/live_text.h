#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/verdict.h"
#include "base/json_writer.h"
#include "model/call_directory.h"

namespace offhook::api {

// What the live feed says of calls. docs/http-api.md, "GET /api/v1/live"

/// What of a call changes rarely, as one JSON object. @param n  stands for its id in rows
[[nodiscard]] std::string live_facts(std::uint64_t n,
                                     const model::CallInfo& call,
                                     const std::optional<CallTrouble>& trouble);

/// The names of what is in a row.
void write_live_columns(base::JsonWriter& json);
/// What of a call changes all the time, as one array, `n` first.
/// @param is_clipped  its sound was cut off at the peaks within the last second
void write_live_row(base::JsonWriter& json,
                    std::uint64_t n,
                    const model::CallInfo& call,
                    bool is_clipped);

}  // namespace offhook::api
