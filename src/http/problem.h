#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace offhook::http {

/// An error as RFC 9457 has it. `code` is stable and bounded: it makes the type
/// `urn:offhook:problem:<code>`.
struct Problem {
    int status = 500;
    std::string_view code = "internal";
    std::string_view title = "Something of ours broke";
    std::string detail{};  ///< what was wrong with this request
    std::string hint{};    ///< what to do; left out when empty
    std::string field{};   ///< the member of the body, or the header, to blame; as `hint`
};

/// `application/problem+json` with type, title, status, detail, instance (the path), code, field,
/// hint, request_id. Everything that came from the client is escaped.
[[nodiscard]] Response problem_response(const Problem& problem,
                                        std::string_view path,
                                        std::string_view request_id);

/// The one table from our errors to HTTP: NotFound 404, Conflict 409, LimitReached 503 ...
[[nodiscard]] Problem problem_of(const base::Error& error);

}  // namespace offhook::http
