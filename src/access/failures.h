#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

namespace offhook::access {

/// Who showed wrong tokens, by address; of IPv6 the /64, which is what one customer has. An address
/// with 10 of them within a minute of the first is shut out until that minute is over.
///
/// At most `kMaxAddresses` are remembered; then the one that began first is forgotten.
/// @thread control
class Failures {
public:
    static constexpr int kMaxWrong = 10;
    static constexpr std::chrono::seconds kWindow{60};
    static constexpr std::size_t kMaxAddresses = 4'096;

    /// @param now_ns  CLOCK_MONOTONIC
    explicit Failures(std::function<std::int64_t()> now_ns) : now_ns_(std::move(now_ns)) {}

    /// How long it is shut out from now on; empty: it is not.
    [[nodiscard]] std::optional<std::chrono::seconds> shut_out(const std::string& address) const;
    /// True when this is the one by which it is shut out.
    bool count(const std::string& address);
    [[nodiscard]] std::size_t size() const { return windows_.size(); }

private:
    struct Window {
        std::int64_t began_ns = 0;
        int wrong = 0;
    };
    [[nodiscard]] bool is_over(const Window& window) const;
    void make_room();

    std::function<std::int64_t()> now_ns_;
    std::unordered_map<std::string, Window> windows_;
};

}  // namespace offhook::access
