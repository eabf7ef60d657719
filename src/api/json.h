#pragma once

#include <json-glib/json-glib.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "glib/ref.h"

namespace offhook::api {

inline constexpr int kMaxJsonDepth = 16;

/// A request body that is one JSON object. The edge to json-glib for reading; writing is
/// base::JsonWriter.
class JsonBody {
public:
    /// @errors Malformed: not UTF-8, not JSON, nested deeper than kMaxJsonDepth, or not an object
    [[nodiscard]] static base::Result<JsonBody> parse(std::string_view text);

    /// The member when it is there and a string.
    [[nodiscard]] std::optional<std::string> text(const char* name) const;

private:
    explicit JsonBody(glib::Ref<JsonParser> parser) : parser_(std::move(parser)) {}
    glib::Ref<JsonParser> parser_;
};

}  // namespace offhook::api
