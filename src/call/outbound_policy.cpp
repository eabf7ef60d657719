#include "call/outbound_policy.h"

#include <strings.h>

#include <algorithm>
#include <array>

#include "base/monotonic.h"
#include "base/utf8.h"
#include "call/destination.h"

namespace offhook::call {
namespace {

using model::OrderRefusal;
using Why = OrderRefusal::Why;

constexpr std::int64_t kMinuteNs = 60 * base::kNsPerS;
constexpr std::int64_t kKeyLifeNs = 24 * 3600 * base::kNsPerS;
constexpr std::size_t kMaxKeys = 1000;
constexpr std::size_t kMaxHeaders = 16;
constexpr std::size_t kMaxHeaderBytes = 256;
constexpr std::size_t kMaxNameBytes = 64;

// Lengths in front, so that no value can pretend to be two.
std::string text_of(const model::PlaceOrder& order) {
    std::string text;
    const auto add = [&](const std::string& part) {
        text += std::to_string(part.size()) + ":" + part;
    };
    for (const std::string* part : {&order.account, &order.to, &order.ai, &order.route}) add(*part);
    add(order.ring_timeout_s ? std::to_string(*order.ring_timeout_s) : "");
    for (const auto& [name, value] : order.headers) {
        add(name);
        add(value);
    }
    return text;
}

bool is_allowed_name(const std::string& name) {
    constexpr std::array kNames{"Subject",
                                "Call-Info",
                                "Alert-Info",
                                "Priority",
                                "Privacy",
                                "Diversion",
                                "User-to-User",
                                "Answer-Mode"};
    const bool is_token = !name.empty() && name.size() <= kMaxNameBytes &&
                          std::all_of(name.begin(), name.end(), [](char c) {
                              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                     (c >= 'A' && c <= 'Z') || c == '-';
                          });
    if (!is_token) return false;
    const bool has_prefix = name.size() > 2 && (strncasecmp(name.c_str(), "X-", 2) == 0 ||
                                                strncasecmp(name.c_str(), "P-", 2) == 0);
    return has_prefix || std::any_of(kNames.begin(), kNames.end(), [&](const char* known) {
               return strcasecmp(known, name.c_str()) == 0;
           });
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = base::decode_utf8(text).length;
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

bool is_value(const std::string& value) {
    return !value.empty() && value.size() <= kMaxHeaderBytes && is_utf8(value) &&
           std::none_of(value.begin(), value.end(), [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
           });
}

}  // namespace

std::optional<OrderRefusal> OutboundPolicy::admit(const std::string& account,
                                                  const OutboundRules& rules,
                                                  const std::string& normal,
                                                  std::int64_t now_ns) {
    if (!rules.is_allowed) {
        return OrderRefusal{Why::NotAllowed,
                            "account",
                            "account \"" + account +
                                "\" places no calls: set allow_outbound = true in its [[account]]"};
    }
    if (!is_destination_allowed(normal, rules.destinations)) {
        return OrderRefusal{
            Why::NotAllowed,
            "to",
            "\"" + normal + "\" matches nothing in outbound_allow of account \"" + account + "\""};
    }
    std::deque<std::int64_t>& recent = recent_[account];
    while (!recent.empty() && now_ns - recent.front() >= kMinuteNs) recent.pop_front();
    if (recent.size() >= static_cast<std::size_t>(rules.per_minute)) {
        const std::int64_t wait_ns =
            recent.empty() ? kMinuteNs : recent.front() + kMinuteNs - now_ns;
        return OrderRefusal{Why::TooMany,
                            "",
                            "account \"" + account + "\" has placed " +
                                std::to_string(recent.size()) +
                                " calls within a minute (outbound_per_minute)",
                            std::chrono::seconds((wait_ns + base::kNsPerS - 1) / base::kNsPerS)};
    }
    recent.push_back(now_ns);
    return std::nullopt;
}

tl::expected<std::optional<model::CallId>, OrderRefusal> OutboundPolicy::placed_before(
    const model::PlaceOrder& order, std::int64_t now_ns) {
    forget_old(now_ns);
    const auto it = order.idempotency_key.empty() ? kept_.end() : kept_.find(order.idempotency_key);
    if (it == kept_.end()) return std::nullopt;
    if (it->second.order != text_of(order)) {
        return tl::unexpected(
            OrderRefusal{Why::KeyReused,
                         "Idempotency-Key",
                         "this Idempotency-Key was used for another order, call " +
                             it->second.id.text + "; give each order a key of its own"});
    }
    return it->second.id;
}

void OutboundPolicy::remember(const model::PlaceOrder& order,
                              const model::CallId& id,
                              std::int64_t now_ns) {
    if (order.idempotency_key.empty()) return;
    forget_old(now_ns);
    if (kept_.size() >= kMaxKeys) {
        kept_.erase(ages_.front().second);
        ages_.pop_front();
    }
    if (kept_.try_emplace(order.idempotency_key, Kept{text_of(order), id, now_ns}).second)
        ages_.emplace_back(now_ns, order.idempotency_key);
}

void OutboundPolicy::forget_old(std::int64_t now_ns) {
    while (!ages_.empty() && now_ns - ages_.front().first >= kKeyLifeNs) {
        kept_.erase(ages_.front().second);
        ages_.pop_front();
    }
}

std::optional<OrderRefusal> check_headers(
    const std::vector<std::pair<std::string, std::string>>& headers) {
    if (headers.size() > kMaxHeaders)
        return OrderRefusal{Why::BadField, "headers", "headers may have 16 entries at most"};
    for (const auto& [name, value] : headers) {
        if (!is_allowed_name(name)) {
            return OrderRefusal{Why::BadField,
                                "headers",
                                "header \"" + name +
                                    "\" cannot be given: X-*, P-*, Subject, Call-Info, "
                                    "Alert-Info, Priority, Privacy, Diversion, User-to-User and "
                                    "Answer-Mode can"};
        }
        if (!is_value(value)) {
            return OrderRefusal{
                Why::BadField,
                "headers",
                "the value of header \"" + name +
                    "\" must be 1 to 256 bytes of UTF-8 without control characters"};
        }
    }
    return std::nullopt;
}

}  // namespace offhook::call
