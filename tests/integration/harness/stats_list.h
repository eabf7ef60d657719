#pragma once

#include <string>
#include <utility>

#include "harness/http.h"

namespace offhook::harness {

/// A list of W3C statistics objects under "stats", the daemon's or a browser's.
class StatsList {
public:
    explicit StatsList(Json list) : list_(std::move(list)) {}

    /// The id of the first object of this type; empty when there is none.
    [[nodiscard]] std::string id_of(const std::string& type) const;
    /// The id of the only one of this type whose `member` is `value`.
    [[nodiscard]] std::string id_where(const std::string& type,
                                       const std::string& member,
                                       double value) const;
    /// A member of the object with this id. NaN, empty: there is none.
    [[nodiscard]] double number(const std::string& id, const std::string& member) const;
    [[nodiscard]] std::string text(const std::string& id, const std::string& member) const;
    /// The same of the first object of a type.
    [[nodiscard]] double number_of(const std::string& type, const std::string& member) const {
        return number(id_of(type), member);
    }
    [[nodiscard]] std::string text_of(const std::string& type, const std::string& member) const {
        return text(id_of(type), member);
    }
    [[nodiscard]] const Json& json() const { return list_; }

private:
    [[nodiscard]] std::string path_of(const std::string& id) const;
    Json list_;
};

}  // namespace offhook::harness
