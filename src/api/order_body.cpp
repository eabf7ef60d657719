#include "api/order_body.h"

#include <algorithm>
#include <limits>

namespace offhook::api {

OrderBody::OrderBody(const http::Request& request, std::initializer_list<std::string_view> known)
    : request_(request) {
    auto body = glib::JsonBody::parse(request.body);
    if (!body) {
        problem_ = refuse(request, body.error());
        return;
    }
    body_ = std::move(*body);
    names_ = body_->names();
    for (const std::string& name : names_) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        std::string all;
        for (const std::string_view word : known) all.append(all.empty() ? "" : ", ").append(word);
        complain("there is no member \"" + name + "\"; there are " + all, name);
    }
}

bool OrderBody::has(const char* name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
}

void OrderBody::complain(std::string detail, std::string field) {
    if (!problem_) problem_ = bad_value(request_, std::move(detail), std::move(field));
}

std::string OrderBody::needed(const char* name) {
    std::string text = optional(name);
    if (text.empty()) complain(std::string(name) + " is missing or empty", name);
    return text;
}

std::string OrderBody::optional(const char* name) {
    if (!has(name)) return {};
    auto text = body_->text(name);
    if (!text) complain(std::string(name) + " must be a text", name);
    return std::move(text).value_or(std::string());
}

std::optional<std::string> OrderBody::given(const char* name) {
    if (!has(name)) return std::nullopt;
    return optional(name);
}

std::optional<bool> OrderBody::boolean(const char* name) {
    if (!has(name)) return std::nullopt;
    const auto is_so = body_->boolean(name);
    if (!is_so) complain(std::string(name) + " must be true or false", name);
    return is_so;
}

std::optional<int> OrderBody::whole(const char* name) {
    if (!has(name)) return std::nullopt;
    const auto number = body_->whole(name);
    if (!number || *number < std::numeric_limits<int>::min() ||
        *number > std::numeric_limits<int>::max()) {
        complain(std::string(name) + " must be a whole number", name);
        return std::nullopt;
    }
    return static_cast<int>(*number);
}

double OrderBody::number(const char* name) {
    const auto given = has(name) ? body_->number(name) : std::nullopt;
    if (!given) complain(std::string(name) + " must be a number", name);
    return given.value_or(0);
}

bool OrderBody::yes_no(const char* name) {
    const auto given = has(name) ? body_->boolean(name) : std::nullopt;
    if (!given) complain(std::string(name) + " must be true or false", name);
    return given.value_or(false);
}

std::vector<std::pair<std::string, std::string>> OrderBody::texts(const char* name) {
    std::vector<std::pair<std::string, std::string>> all;
    if (!has(name)) return all;
    const auto object = body_->object(name);
    if (!object) {
        complain(std::string(name) + " must be an object of texts", name);
        return all;
    }
    for (const std::string& key : object->names()) {
        auto text = object->text(key.c_str());
        if (!text) complain(std::string(name) + "." + key + " must be a text", name);
        all.emplace_back(key, std::move(text).value_or(std::string()));
    }
    return all;
}

}  // namespace offhook::api
