#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "model/call_control.h"

namespace offhook::call {

/// The last 200 texts, sent and received, so that memory stays bounded whatever a peer sends.
/// @thread control
class MessageLog {
public:
    static constexpr std::size_t kMost = 200;
    static constexpr std::size_t kBodyBytes = 2048;

    /// Escapes nothing; cuts the body. @return its number, from 1
    std::uint64_t add(model::MessageRecord record);
    /// The final status of one we sent; nothing when it is forgotten.
    void settle(std::uint64_t number, int status);
    /// Oldest first; all of them when `call` is empty.
    [[nodiscard]] std::vector<model::MessageRecord> of(const model::CallId& call) const;
    [[nodiscard]] const model::MessageRecord* find(std::uint64_t number) const;

private:
    std::deque<model::MessageRecord> records_;
    std::uint64_t last_ = 0;
};

}  // namespace offhook::call
