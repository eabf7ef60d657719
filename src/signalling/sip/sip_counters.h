#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "model/call_end.h"

namespace offhook::signalling::sip {

/// Written by the sip thread only (relaxed), read by anybody.
struct SipCounters {
    using Cell = std::atomic<std::uint64_t>;
    Cell malformed{0}, refused_sources{0}, retransmissions{0}, dropped{0}, requests{0};
    Cell invites{0}, invites_answered{0}, invites_rejected{0}, invites_cancelled{0},
        ack_timeouts{0};
    /// New INVITEs that never became a call, by `model::EndReason`.
    std::array<Cell, static_cast<std::size_t>(model::EndReason::InternalError) + 1> refused{};
    Cell dialogs{0}, transactions{0}, connections{0};

    static void count(Cell& cell) noexcept { set(cell, cell.load(std::memory_order_relaxed) + 1); }
    static void set(Cell& cell, std::uint64_t value) noexcept {
        cell.store(value, std::memory_order_relaxed);
    }
};

}  // namespace offhook::signalling::sip
