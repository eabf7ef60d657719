#include "signalling/web/access.h"

#include "http/problem.h"

namespace offhook::signalling::web {
namespace {

constexpr std::string_view kScheme = "bearer ";

bool starts_with_scheme(std::string_view value) {
    if (value.size() < kScheme.size()) return false;
    for (std::size_t i = 0; i < kScheme.size(); ++i) {
        const char c = value[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != kScheme[i]) return false;
    }
    return true;
}

bool is_of_this_machine(const http::Request& request) {
    const std::string_view remote = request.remote;
    const bool is_loopback = remote.starts_with("127.") || remote.starts_with("[::1]") ||
                             remote.starts_with("[::ffff:127.");
    return is_loopback && request.header("forwarded").empty() &&
           request.header("x-forwarded-for").empty() && request.header("x-real-ip").empty();
}

}  // namespace

bool Access::is_token(std::string_view text) const {
    const std::string& token = token_.reveal();
    if (token.empty() || text.empty()) return false;
    unsigned difference = text.size() == token.size() ? 0 : 1;
    for (std::size_t i = 0; i < token.size(); ++i)
        difference |= static_cast<unsigned char>(token[i] ^ text[i % text.size()]);
    return difference == 0;
}

bool Access::has_token(const http::Request& request) const {
    std::string_view value = request.header("authorization");
    if (!starts_with_scheme(value)) return false;
    value.remove_prefix(kScheme.size());
    while (value.starts_with(' ')) value.remove_prefix(1);
    return is_token(value);
}

std::optional<http::Response> Access::refuse(const http::Request& request) const {
    if (needs_token()) {
        if (has_token(request)) return std::nullopt;
        http::Response response =
            http::problem_response({401,
                                    "unauthorized",
                                    "The token is missing or wrong",
                                    "",
                                    "send Authorization: Bearer with the token of [web] token_file",
                                    "Authorization"},
                                   request.path,
                                   request.request_id);
        response.headers.emplace_back("WWW-Authenticate", "Bearer");
        return response;
    }
    if (is_of_this_machine(request)) return std::nullopt;
    return http::problem_response(
        {403,
         "not-allowed",
         "Only clients of this machine may join",
         "the request comes from another machine, and there is no token that it could show",
         "set [web] token_file"},
        request.path,
        request.request_id);
}

}  // namespace offhook::signalling::web
