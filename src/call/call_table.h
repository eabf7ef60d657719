#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "call/call.h"
#include "model/call_directory.h"

namespace offhook::call {

/// The calls that are, the last thousand that were, and how many there have been.
/// @thread control
class CallTable {
public:
    Call& add(std::unique_ptr<Call> call);
    /// Out of the live ones; null when it is not among them.
    [[nodiscard]] std::unique_ptr<Call> take(const model::CallId& id);
    /// Live ones only; null when there is none.
    [[nodiscard]] Call* get(const model::CallId& id) const;
    /// Into the history. `info.end` is set.
    void remember(model::CallInfo info);

    [[nodiscard]] bool empty() const { return live_.empty(); }
    [[nodiscard]] std::size_t size() const { return live_.size(); }
    /// For a walk during which calls may come and go.
    [[nodiscard]] std::vector<model::CallId> ids() const;
    [[nodiscard]] const std::map<model::CallId, std::unique_ptr<Call>>& live() const {
        return live_;
    }

    // what CallDirectory asks
    [[nodiscard]] std::vector<model::CallInfo> calls(bool ended) const;
    [[nodiscard]] std::optional<model::CallInfo> find(const model::CallId& id) const;
    [[nodiscard]] model::CallDirectory::Totals totals() const;
    void count_start() { ++started_; }
    void count_answer() { ++answered_; }

    /// With the counters of the leg as they are now.
    [[nodiscard]] static model::CallInfo info_of(const Call& call);

private:
    std::map<model::CallId, std::unique_ptr<Call>> live_;
    std::deque<model::CallInfo> history_;
    std::map<model::EndReason, std::uint64_t> ended_;
    std::uint64_t started_ = 0;
    std::uint64_t answered_ = 0;
};

}  // namespace offhook::call
