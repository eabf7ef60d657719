#include "glib/json_body.h"

#include <algorithm>
#include <cmath>

#include "glib/error_out.h"

namespace offhook::glib {
namespace {

/// What may stand outside of strings (RFC 8259 §2).
bool is_json_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("{}[]:,+-.E \t\r\n").find(c) != std::string_view::npos;
}

/// Tells `see` each character that stands outside of strings, their quotes left out, and where; until
/// it says false. @return whether it never did
template <class See>
bool walk_outside_strings(std::string_view text, const See& see) {
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string && c == '\\') {
            ++i;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && !see(c, i)) {
            return false;
        }
    }
    return true;
}

// Before the parser sees it: json-glib takes comments, and several values one after another, of
// which it leaks all but the last.
bool is_one_object(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (!text.starts_with('{')) return false;
    int depth = 0;
    bool is_whole = false;
    walk_outside_strings(text, [&](char c, std::size_t at) {
        if (!is_json_character(c)) return false;
        if (c == '{' || c == '[') ++depth;
        if (c != '}' && c != ']') return true;
        if (--depth > 0) return true;
        is_whole = text.find_first_not_of(kSpace, at + 1) == std::string_view::npos;
        return false;
    });
    return is_whole;
}

// Before the parser sees it: json-glib recurses without a limit.
bool is_too_deep(std::string_view text) {
    int depth = 0;
    return !walk_outside_strings(text, [&](char c, std::size_t /*at*/) {
        if (c == '{' || c == '[') return ++depth <= kMaxJsonDepth;
        if (c == '}' || c == ']') --depth;
        return true;
    });
}

std::optional<std::string> text_of(JsonNode* node) {
    if (node == nullptr || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_STRING) {
        return std::nullopt;
    }
    return json_node_get_string(node);
}

}  // namespace

base::Result<JsonBody> JsonBody::parse(std::string_view text, std::string_view what) {
    const auto refuse = [&](std::string_view why) {
        return base::fail(base::ErrorCode::Malformed, std::string(what) + " " + std::string(why));
    };
    const auto length = static_cast<gssize>(text.size());
    if (text.empty()) return refuse("is empty; a JSON object is needed");
    if (g_utf8_validate(text.data(), length, nullptr) == FALSE) return refuse("is not UTF-8");
    if (is_too_deep(text)) return refuse("is nested deeper than 16");
    if (!is_one_object(text)) return refuse("is not a JSON object");
    auto parser = Ref<JsonParser>::adopt(json_parser_new());
    GErrorOut error;
    if (json_parser_load_from_data(parser.get(), text.data(), length, error) == FALSE) {
        return refuse("is not JSON");
    }
    JsonNode* root = json_parser_get_root(parser.get());
    if (root == nullptr || !JSON_NODE_HOLDS_OBJECT(root)) return refuse("is not a JSON object");
    ::JsonObject* object = json_node_get_object(root);
    return JsonBody(std::move(parser), object);
}

JsonNode* JsonBody::member(const char* name) const {
    return json_object_get_member(object_, name);
}

std::optional<std::string> JsonBody::text(const char* name) const {
    return text_of(member(name));
}

std::optional<std::int64_t> JsonBody::whole(const char* name) const {
    constexpr double kMax = 9e15;  // up to here every double is a whole number exactly
    JsonNode* node = member(name);
    if (node == nullptr || !JSON_NODE_HOLDS_VALUE(node)) return std::nullopt;
    const GType type = json_node_get_value_type(node);
    if (type == G_TYPE_INT64) return json_node_get_int(node);
    if (type != G_TYPE_DOUBLE) return std::nullopt;
    const double number = json_node_get_double(node);
    if (!(std::fabs(number) < kMax) || std::trunc(number) != number) return std::nullopt;
    return static_cast<std::int64_t>(number);
}

std::optional<double> JsonBody::number(const char* name) const {
    JsonNode* node = member(name);
    if (node == nullptr || !JSON_NODE_HOLDS_VALUE(node)) return std::nullopt;
    const GType type = json_node_get_value_type(node);
    if (type == G_TYPE_INT64) return static_cast<double>(json_node_get_int(node));
    if (type != G_TYPE_DOUBLE) return std::nullopt;
    const double number = json_node_get_double(node);
    if (!std::isfinite(number)) return std::nullopt;
    return number;
}

std::optional<bool> JsonBody::boolean(const char* name) const {
    JsonNode* node = member(name);
    if (node == nullptr || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
        return std::nullopt;
    }
    return json_node_get_boolean(node) != FALSE;
}

bool JsonBody::is_null(const char* name) const {
    JsonNode* node = member(name);
    return node != nullptr && JSON_NODE_HOLDS_NULL(node);
}

std::optional<JsonBody> JsonBody::object(const char* name) const {
    JsonNode* node = member(name);
    if (node == nullptr || !JSON_NODE_HOLDS_OBJECT(node)) return std::nullopt;
    return JsonBody(parser_, json_node_get_object(node));
}

std::vector<std::string> JsonBody::names() const {
    std::vector<std::string> all;
    GList* const names = json_object_get_members(object_);
    for (const GList* at = names; at != nullptr; at = at->next)
        all.emplace_back(static_cast<const char*>(at->data));
    g_list_free(names);
    return all;
}

std::vector<JsonBody> JsonBody::objects(const char* name) const {
    std::vector<JsonBody> all;
    JsonNode* node = member(name);
    if (node == nullptr || !JSON_NODE_HOLDS_ARRAY(node)) return all;
    ::JsonArray* array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); ++i) {
        JsonNode* element = json_array_get_element(array, i);
        if (JSON_NODE_HOLDS_OBJECT(element)) {
            all.push_back(JsonBody(parser_, json_node_get_object(element)));
        }
    }
    return all;
}

std::vector<std::string> JsonBody::texts(const char* name) const {
    std::vector<std::string> all;
    JsonNode* node = member(name);
    if (node == nullptr || !JSON_NODE_HOLDS_ARRAY(node)) return all;
    ::JsonArray* array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); ++i) {
        if (auto text = text_of(json_array_get_element(array, i))) all.push_back(*std::move(text));
    }
    return all;
}

}  // namespace offhook::glib
