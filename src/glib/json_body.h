#pragma once

#include <json-glib/json-glib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "glib/ref.h"

namespace offhook::glib {

inline constexpr int kMaxJsonDepth = 16;

/// A JSON object of somebody else's: the body of a request or of an answer, or an object inside
/// one. The edge to json-glib for reading; writing is base::JsonWriter.
///
/// A member that is missing and one of another type are the same: empty.
class JsonBody {
public:
    /// @param what names the text in errors
    /// @errors Malformed: not UTF-8, not JSON, nested deeper than kMaxJsonDepth, or not an object
    [[nodiscard]] static base::Result<JsonBody> parse(std::string_view text,
                                                      std::string_view what = "the body");

    [[nodiscard]] std::optional<std::string> text(const char* name) const;
    /// Also of a number that is written with a fraction of zero.
    [[nodiscard]] std::optional<std::int64_t> whole(const char* name) const;
    [[nodiscard]] std::optional<double> number(const char* name) const;
    [[nodiscard]] std::optional<bool> boolean(const char* name) const;
    [[nodiscard]] bool is_null(const char* name) const;  ///< it is there, and is null
    [[nodiscard]] std::optional<JsonBody> object(const char* name) const;
    /// The names of all members, in order.
    [[nodiscard]] std::vector<std::string> names() const;
    /// The objects in an array, others left out.
    [[nodiscard]] std::vector<JsonBody> objects(const char* name) const;
    /// The strings in an array, others left out.
    [[nodiscard]] std::vector<std::string> texts(const char* name) const;

private:
    JsonBody(Ref<JsonParser> parser, ::JsonObject* object)
        : parser_(std::move(parser)), object_(object) {}
    [[nodiscard]] JsonNode* member(const char* name) const;

    Ref<JsonParser> parser_;  ///< owns the whole text, and so `object_`
    ::JsonObject* object_;
};

}  // namespace offhook::glib
