#include "api/call_answers.h"

#include <algorithm>
#include <utility>

#include "api/call_json.h"
#include "http/problem.h"

namespace offhook::api {

std::optional<model::CallId> id_of(const http::Request& request) {
    const std::string& text = request.params.at("id");
    const bool good = text.size() == 14 && text.starts_with("c-") &&
                      std::all_of(text.begin() + 2, text.end(), [](char c) {
                          return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                      });
    if (!good) return std::nullopt;
    return model::CallId{text};
}

http::Response json_response(int status, base::JsonWriter json) {
    return {status, "application/json", std::move(json).text() + "\n", {}};
}

http::Response call_response(int status, const model::CallInfo& call) {
    base::JsonWriter json;
    write_call(json, call);
    return json_response(status, std::move(json));
}

http::Response no_such_call(const http::Request& request) {
    return http::problem_response(
        {.status = 404,
         .code = "not-found",
         .title = "There is no such call",
         .detail = "no live call and none of the last 1,000 has the id " + request.params.at("id"),
         .hint = "GET /api/v1/calls lists them"},
        request.path,
        request.request_id);
}

http::Response refuse(const http::Request& request, const base::Error& error) {
    return http::problem_response(http::problem_of(error), request.path, request.request_id);
}

http::Response refuse(const http::Request& request, const model::OrderRefusal& refusal) {
    using Why = model::OrderRefusal::Why;
    http::Problem problem;
    switch (refusal.why) {
        case Why::BadField:
            problem.status = 400;
            problem.code = "invalid-argument";
            problem.title = "A value cannot work";
            break;
        case Why::NotAllowed:
            problem.status = 403;
            problem.code = "not-allowed";
            problem.title = "The configuration does not allow this";
            break;
        case Why::KeyReused:
            problem.status = 422;
            problem.code = "idempotency-key-reused";
            problem.title = "The key belongs to another order";
            break;
        case Why::TooMany:
            problem.status = 429;
            problem.code = "too-many";
            problem.title = "Too many within a minute";
            break;
        case Why::Unavailable:
            problem.status = 503;
            problem.code = "unavailable";
            problem.title = "A part is not available";
            break;
    }
    problem.detail = refusal.detail;
    problem.field = refusal.field;
    http::Response response = http::problem_response(problem, request.path, request.request_id);
    if (refusal.retry_after.count() > 0)
        response.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after.count()));
    return response;
}

http::Response bad_value(const http::Request& request, std::string detail, std::string field) {
    return refuse(request,
                  model::OrderRefusal{.why = model::OrderRefusal::Why::BadField,
                                      .field = std::move(field),
                                      .detail = std::move(detail)});
}

}  // namespace offhook::api
