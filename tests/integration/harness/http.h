#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/process.h"

typedef struct _JsonNode JsonNode;

namespace offhook::harness {

struct HttpAnswer {
    int status = 0;  ///< 0: nobody answered
    std::string headers, body;
};

/// One request over a socket of its own, so that no client library of ours is part of the test.
/// @param address  `127.0.0.1:5000`
/// @param headers  "Name: value" lines; without a Content-Type among them a body is JSON
HttpAnswer http(const std::string& method,
                const std::string& address,
                const std::string& path,
                const std::string& body = {},
                milliseconds limit = seconds(5),
                const std::vector<std::string>& headers = {});

/// Value of a header of the answer; empty when there is none.
std::string header_of(const HttpAnswer& answer, const std::string& name);

/// A JSON text to look into: `json.number("items.0.stats.sent_packets")`.
class Json {
public:
    explicit Json(const std::string& text);
    [[nodiscard]] bool is_valid() const { return root_ != nullptr; }
    [[nodiscard]] bool has(const std::string& path) const { return find(path) != nullptr; }
    /// NaN when absent or not a number.
    [[nodiscard]] double number(const std::string& path) const;
    /// Empty when absent or not a string.
    [[nodiscard]] std::string text(const std::string& path) const;
    /// Members of an array; 0 when absent.
    [[nodiscard]] std::size_t size(const std::string& path) const;

private:
    [[nodiscard]] JsonNode* find(const std::string& path) const;
    std::shared_ptr<JsonNode> root_;
};

}  // namespace offhook::harness
