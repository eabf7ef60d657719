#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "model/stats_snapshot.h"

namespace offhook::call {

/// Whether one more call may come. What is running goes before what would be new: when the media
/// workers run late, new calls are refused until they are in time again.
/// @thread control
class Admission {
public:
    explicit Admission(const config::Admission& limits) : limits_(limits) {}

    /// Once a second: looks at the workers. A breach that lasts 3 s closes the door; the worker
    /// figures themselves look back 3 s, so it opens as gently.
    void observe(const std::vector<model::WorkerStats>& workers, std::int64_t now_ns);
    void set_draining(bool draining) { draining_ = draining; }
    [[nodiscard]] bool is_draining() const { return draining_; }

    /// Empty: come in. Otherwise the reason, a sentence with numbers.
    [[nodiscard]] std::optional<std::string> refuse(std::uint64_t active_calls) const;
    /// Empty while nothing is wrong with the workers.
    [[nodiscard]] const std::string& overload() const { return overload_; }

private:
    config::Admission limits_;
    bool draining_ = false;
    std::optional<std::int64_t> breach_since_ns_;
    std::string overload_;
};

}  // namespace offhook::call
