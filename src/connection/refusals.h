#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace offhook::connection {

/// Who was refused, counted by reason, and logged at most once a second for each.
/// @thread control
class Refusals {
public:
    /// @param why  word of a fixed set; beyond 32 of them they count as "other"
    /// @param who  for the log: address or user; may be empty
    void add(std::string_view why, std::string_view who, std::string_view detail);
    [[nodiscard]] std::uint64_t total() const { return total_; }
    [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> by_reason() const;

private:
    struct Reason {
        std::uint64_t count = 0, logged = 0;
        std::int64_t logged_ns = 0;
    };
    std::map<std::string, Reason, std::less<>> reasons_;
    std::uint64_t total_ = 0;
};

}  // namespace offhook::connection
