#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/json_writer.h"
#include "http/message.h"
#include "model/call_control.h"
#include "model/call_directory.h"

namespace offhook::api {

// What the routes of calls have in common: which call a path means, and how they answer.

/// Of the path's `{id}`: "c-" and 12 hex digits. Anything else cannot be a call of ours and goes no
/// further.
[[nodiscard]] std::optional<model::CallId> id_of(const http::Request& request);

[[nodiscard]] http::Response json_response(int status, base::JsonWriter json);
[[nodiscard]] http::Response call_response(int status, const model::CallInfo& call);

/// 404. @pre the path has an `{id}`
[[nodiscard]] http::Response no_such_call(const http::Request& request);
[[nodiscard]] http::Response refuse(const http::Request& request, const base::Error& error);
/// With Retry-After where the refusal has one.
[[nodiscard]] http::Response refuse(const http::Request& request,
                                    const model::OrderRefusal& refusal);
/// 400; `field` may be empty.
[[nodiscard]] http::Response bad_value(const http::Request& request,
                                       std::string detail,
                                       std::string field = {});

}  // namespace offhook::api
