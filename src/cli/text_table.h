#pragma once

#include <string>
#include <vector>

#include "glib/json_body.h"

namespace offhook::cli {

/// Lines with columns; two spaces between, nothing behind the last one.
class TextTable {
public:
    explicit TextTable(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
    /// @param row  as many as the head has; escaped already
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// A member as text for people, escaped: "-" when it is missing, null or empty.
[[nodiscard]] std::string shown(const glib::JsonBody& object,
                                const char* name,
                                std::size_t max_bytes = 64);
/// "0:07", "1:02:03". @param ms  negative: "-"
[[nodiscard]] std::string duration_text(double ms);
/// With at most `decimals`; "-" when it is missing.
[[nodiscard]] std::string number_text(const glib::JsonBody& object, const char* name, int decimals);

/// Every member of an object and of those inside as lines "name  value", deeper ones indented.
/// Arrays of objects are numbered.
[[nodiscard]] std::string members_text(const glib::JsonBody& object, int indent = 0);

}  // namespace offhook::cli
