#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/call_answers.h"
#include "glib/json_body.h"

namespace offhook::api {

/// The JSON object of an order, read member by member. The first thing that is wrong is kept and
/// names its field; whoever reads on gets empty values.
class OrderBody {
public:
    /// @param known every member there may be: a misspelt one is an error, not a silent default
    OrderBody(const http::Request& request, std::initializer_list<std::string_view> known);

    [[nodiscard]] std::string needed(const char* name);
    [[nodiscard]] std::string optional(const char* name);
    /// Empty when there is none.
    [[nodiscard]] std::optional<std::string> given(const char* name);
    [[nodiscard]] std::optional<bool> boolean(const char* name);
    [[nodiscard]] std::optional<int> whole(const char* name);
    /// Needed, as is the next.
    [[nodiscard]] double number(const char* name);
    [[nodiscard]] bool yes_no(const char* name);
    /// An object of texts.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> texts(const char* name);

    /// What the order is answered with when it cannot be read; empty when all is well.
    [[nodiscard]] const std::optional<http::Response>& problem() const { return problem_; }

private:
    [[nodiscard]] bool has(const char* name) const;
    void complain(std::string detail, std::string field);

    const http::Request& request_;
    std::optional<glib::JsonBody> body_;
    std::vector<std::string> names_;
    std::optional<http::Response> problem_;
};

}  // namespace offhook::api
