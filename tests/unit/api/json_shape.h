#pragma once

#include <json-glib/json-glib.h>

#include <string>

#include "glib/ref.h"

namespace offhook::testing {

/// Names in order and types of a JSON value, without what is in it: `{id:text, n:number, e:[text]}`. An
/// array is as its first element.
inline std::string shape(JsonNode* node) {
    if (node == nullptr || JSON_NODE_HOLDS_NULL(node)) return "null";
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        std::string text;
        JsonObject* object = json_node_get_object(node);
        GList* const names = json_object_get_members(object);
        for (GList* each = names; each != nullptr; each = each->next) {
            const auto* name = static_cast<const char*>(each->data);
            text += (text.empty() ? "" : ", ") + std::string(name) + ":" +
                    shape(json_object_get_member(object, name));
        }
        g_list_free(names);
        return "{" + text + "}";
    }
    if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray* array = json_node_get_array(node);
        return json_array_get_length(array) == 0
                   ? "[]"
                   : "[" + shape(json_array_get_element(array, 0)) + "]";
    }
    const GType type = json_node_get_value_type(node);
    return type == G_TYPE_STRING ? "text" : type == G_TYPE_BOOLEAN ? "boolean" : "number";
}

/// "not JSON" when it is not.
inline std::string shape(const std::string& text) {
    const auto parser = glib::Ref<JsonParser>::adopt(json_parser_new());
    if (json_parser_load_from_data(
            parser.get(), text.data(), static_cast<gssize>(text.size()), nullptr) == FALSE) {
        return "not JSON";
    }
    return shape(json_parser_get_root(parser.get()));
}

}  // namespace offhook::testing
