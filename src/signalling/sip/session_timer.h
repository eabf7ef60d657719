#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signalling/sip/osip.h"

namespace offhook::signalling::sip {

// Session timers, RFC 4028: what both sides agree on, as values. Nothing here waits or sends.

/// Who sends the refreshes, seen from the request that negotiates: its sender or its receiver.
enum class Refresher : std::uint8_t { Uac, Uas };

/// A Session-Expires header.
struct SessionExpires {
    std::uint32_t seconds = 0;
    std::optional<Refresher> refresher;
};
/// Empty when it is not a number of seconds (below 2^31).
[[nodiscard]] std::optional<SessionExpires> parse_session_expires(std::string_view text);

/// What an INVITE, UPDATE or its answer says about the session timer.
struct SessionOffer {
    std::optional<SessionExpires> expires;
    std::uint32_t min_se_s = 0;  ///< 0: it names none
    bool supports_timer = false;
};
[[nodiscard]] SessionOffer session_offer_of(const osip_message_t& message);

/// What we want.
struct SessionPolicy {
    std::uint32_t expires_s = 1800;  ///< 0: no timer unless the peer asks
    std::uint32_t min_se_s = 90;
};

/// What is in force. `interval_s` 0: no timer.
struct SessionTerms {
    std::uint32_t interval_s = 0;
    bool we_refresh = false;
};
/// When the refresh is due: half of the interval (RFC 4028 §10).
[[nodiscard]] std::chrono::milliseconds refresh_after(const SessionTerms& terms);
/// When the session counts as dead: the smaller of 32 s and a third before its end (§10).
[[nodiscard]] std::chrono::milliseconds lapse_after(const SessionTerms& terms);

/// How we answer an INVITE or UPDATE (§9).
struct SessionAnswer {
    bool is_too_small = false;  ///< 422 with our Min-SE
    SessionTerms terms;
    std::string header;           ///< value of Session-Expires in the 2xx; empty: none
    bool requires_timer = false;  ///< `Require: timer` in the 2xx: the peer refreshes
};
[[nodiscard]] SessionAnswer answer_session(const SessionOffer& offer, const SessionPolicy& policy);

/// The headers of our 2xx for that answer.
void add_session_headers(const SessionAnswer& answer,
                         std::vector<std::pair<std::string, std::string>>& headers);

/// What the 2xx to a request of ours puts in force (§7.2).
[[nodiscard]] SessionTerms terms_of_answer(const SessionOffer& answer);

}  // namespace offhook::signalling::sip
