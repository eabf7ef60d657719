#include "http/cors.h"

#include <algorithm>

namespace offhook::http {
namespace {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> cors_headers(std::string_view origin,
                                                              std::string_view methods,
                                                              bool is_preflight) {
    std::vector<std::pair<std::string, std::string>> headers{
        {"Access-Control-Allow-Origin", std::string(origin)},
        {"Access-Control-Expose-Headers",
         "Location, Link, ETag, Accept-Patch, Accept-Post, Retry-After, Request-Id"}};
    if (is_preflight) {
        headers.emplace_back("Access-Control-Allow-Methods", std::string(methods));
        headers.emplace_back("Access-Control-Allow-Headers",
                             "Authorization, Content-Type, Idempotency-Key, If-Match, Request-Id");
        headers.emplace_back("Access-Control-Max-Age", "600");
    }
    return headers;
}

bool is_listed_origin(const std::vector<std::string>& list, std::string_view origin) {
    return std::any_of(list.begin(), list.end(), [&](const std::string& good) {
        return std::equal(
            good.begin(), good.end(), origin.begin(), origin.end(), [](char a, char b) {
                return lower(a) == lower(b);
            });
    });
}

}  // namespace offhook::http
