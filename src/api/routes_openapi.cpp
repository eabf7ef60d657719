// What the API is, for programs and for readers. Nothing of this daemon is in it, so anybody may see it.

#include "api/api.h"
#include "api/openapi_json.h"

namespace offhook::api {

void Api::install_openapi(http::Server& server) {
    server.route("GET", "/openapi.json", [](const http::Request&) {
        return http::Response{200, "application/json", std::string(kOpenApiJson), {}};
    });
}

}  // namespace offhook::api
