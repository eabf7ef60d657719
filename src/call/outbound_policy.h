#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/call_control.h"

namespace offhook::call {

/// What one account allows. Off as it stands: calls cost money.
struct OutboundRules {
    bool is_allowed = false;                ///< `allow_outbound`
    std::vector<std::string> destinations;  ///< `outbound_allow`, globs; none: nowhere
    int per_minute = 10;                    ///< `outbound_per_minute`
};

/// Whether a call out may be made, and which orders were made before. Times are CLOCK_MONOTONIC.
/// @thread control
class OutboundPolicy {
public:
    /// Whether `normal` (see destination.h) may be called on the account now. Counts the call when
    /// it may: at most `per_minute` in any 60 s.
    [[nodiscard]] std::optional<model::OrderRefusal> admit(const std::string& account,
                                                           const OutboundRules& rules,
                                                           const std::string& normal,
                                                           std::int64_t now_ns);

    /// The call that was placed under the order's idempotency key; empty when the key is new (or
    /// there is none). KeyReused when the key belongs to an order that was another.
    [[nodiscard]] tl::expected<std::optional<model::CallId>, model::OrderRefusal> placed_before(
        const model::PlaceOrder& order, std::int64_t now_ns);
    /// Keeps the key for a day, the newest 1,000 of them.
    void remember(const model::PlaceOrder& order, const model::CallId& id, std::int64_t now_ns);

private:
    struct Kept {
        std::string order;  ///< what was ordered, to compare with
        model::CallId id;
        std::int64_t at_ns = 0;
    };
    void forget_old(std::int64_t now_ns);

    std::map<std::string, std::deque<std::int64_t>> recent_;  ///< by account: when calls were made
    std::map<std::string, Kept> kept_;                        ///< by key
    std::deque<std::pair<std::int64_t, std::string>> ages_;   ///< keys, oldest first
};

/// Whether headers given by a client may go into an INVITE or MESSAGE: at most 16, names out of
/// X-*, P-*, Subject, Call-Info, Alert-Info, Priority, Privacy, Diversion, User-to-User,
/// Answer-Mode; values of 1 to 256 bytes of UTF-8 without control characters. Otherwise which one
/// is wrong.
[[nodiscard]] std::optional<model::OrderRefusal> check_headers(
    const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace offhook::call
