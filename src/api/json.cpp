#include "api/json.h"

#include "glib/error_out.h"

namespace offhook::api {
namespace {

// Before the parser sees it: json-glib recurses without a limit.
bool is_too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > kMaxJsonDepth) return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

base::Result<JsonBody> refuse(const char* why) {
    return base::fail(base::ErrorCode::Malformed, why);
}

}  // namespace

base::Result<JsonBody> JsonBody::parse(std::string_view text) {
    const auto length = static_cast<gssize>(text.size());
    if (text.empty()) return refuse("the body is empty; a JSON object is needed");
    if (g_utf8_validate(text.data(), length, nullptr) == FALSE)
        return refuse("the body is not UTF-8");
    if (is_too_deep(text)) return refuse("the body is nested deeper than 16");
    auto parser = glib::Ref<JsonParser>::adopt(json_parser_new());
    glib::GErrorOut error;
    if (json_parser_load_from_data(parser.get(), text.data(), length, error) == FALSE) {
        return refuse("the body is not JSON");
    }
    JsonNode* root = json_parser_get_root(parser.get());
    if (root == nullptr || !JSON_NODE_HOLDS_OBJECT(root))
        return refuse("the body is not a JSON object");
    return JsonBody(std::move(parser));
}

std::optional<std::string> JsonBody::text(const char* name) const {
    JsonObject* object = json_node_get_object(json_parser_get_root(parser_.get()));
    JsonNode* node = json_object_get_member(object, name);
    if (node == nullptr || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_STRING) {
        return std::nullopt;
    }
    return json_node_get_string(node);
}

}  // namespace offhook::api
