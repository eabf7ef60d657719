#pragma once

#include <string_view>

namespace offhook::api {

/// docs/openapi bundled: OpenAPI 3.1 of every route, JSON with a newline at its end.
extern const std::string_view kOpenApiJson;

}  // namespace offhook::api
