#pragma once

#include <atomic>
#include <cstdint>

namespace offhook::session {

/// Loss on purpose, for demonstrations and tests: a share of what callers send is dropped by every
/// leg of the process as it comes in, before it is counted, so that it is lost as a network would
/// lose it. Nothing that is sent is touched.
/// @thread set: any; `drops`: media workers. Off, it costs one relaxed load a packet.
class InboundLoss {
public:
    /// @param share  0 (off) to 1
    static void set(double share) noexcept;
    [[nodiscard]] static bool drops() noexcept {
        const std::uint32_t limit = limit_.load(std::memory_order_relaxed);
        return limit != 0 && draw() < limit;
    }

private:
    [[nodiscard]] static std::uint32_t draw() noexcept;
    static inline std::atomic<std::uint32_t> limit_{0};  ///< of 2^32 - 1
};

}  // namespace offhook::session
