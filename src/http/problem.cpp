#include "http/problem.h"

#include "base/escape.h"
#include "base/json_writer.h"

namespace offhook::http {

Response problem_response(const Problem& problem,
                          std::string_view path,
                          std::string_view request_id) {
    base::JsonWriter json;
    json.begin_object();
    json.field("type", "urn:offhook:problem:" + std::string(problem.code));
    json.field("title", problem.title).field("status", problem.status);
    json.field("detail", base::escape_untrusted(problem.detail, 512));
    json.field("instance", base::escape_untrusted(path, 256)).field("code", problem.code);
    if (!problem.field.empty()) json.field("field", base::escape_untrusted(problem.field, 128));
    if (!problem.hint.empty()) json.field("hint", problem.hint);
    json.field("request_id", request_id).end();
    return {problem.status, "application/problem+json", std::move(json).text() + "\n", {}};
}

Problem problem_of(const base::Error& error) {
    const auto with = [&](int status, std::string_view title) {
        return Problem{status, base::name_of(error.code), title, error.text(), {}, {}};
    };
    switch (error.code) {
        case base::ErrorCode::InvalidArgument:
            return with(400, "A value cannot work");
        case base::ErrorCode::Malformed:
            return with(400, "The request cannot be read");
        case base::ErrorCode::NotFound:
            return with(404, "There is no such thing");
        case base::ErrorCode::Unsupported:
            return with(422, "This is not something Offhook does");
        case base::ErrorCode::Denied:
            return with(403, "You may not do this");
        case base::ErrorCode::Conflict:
            return with(409, "Its state does not allow this");
        case base::ErrorCode::LimitReached:
            return with(503, "A limit is reached");
        case base::ErrorCode::Unavailable:
            return with(503, "A part is not available");
        case base::ErrorCode::Timeout:
            return with(504, "It took too long");
        case base::ErrorCode::Io:
        case base::ErrorCode::Internal:
            break;
    }
    return with(500, "Something of ours broke");
}

}  // namespace offhook::http
