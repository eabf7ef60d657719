#include "api/api.h"
#include "api/call_answers.h"
#include "base/json_writer.h"
#include "config/reference.h"

namespace offhook::api {
namespace {

std::string_view name_of(config::Origin::Kind kind) {
    switch (kind) {
        case config::Origin::Kind::File:
            return "file";
        case config::Origin::Kind::Environment:
            return "environment";
        case config::Origin::Kind::Set:
            return "command-line";
        case config::Origin::Kind::BuiltIn:
            break;
    }
    return "built-in";
}

}  // namespace

void Api::install_config(http::Server& server) {
    if (!parts_.config) return;
    server.route("GET",
                 "/api/v1/config",
                 [this](const http::Request&) {
                     base::JsonWriter json;
                     json.begin_object().key("items").begin_array();
                     for (const config::EffectiveTable& table : parts_.config()) {
                         json.begin_object().field("section", table.section);
                         json.field("label", table.label).field("listed", table.is_listed);
                         json.key("keys").begin_array();
                         for (const config::EffectiveKey& key : table.keys) {
                             json.begin_object().field("name", key.name).field("value", key.value);
                             json.field("origin", name_of(key.origin.kind));
                             json.field("where", key.origin.where);
                             json.field("description", key.description).end();
                         }
                         json.end().end();
                     }
                     json.end().end();
                     return json_response(200, std::move(json));
                 },
                 {.scope = "admin"});
}

}  // namespace offhook::api
