#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/scope.h"
#include "base/monotonic.h"
#include "base/secret.h"

namespace offhook::access {

inline constexpr std::string_view kSessionTokenPrefix = "ohs1.";
inline constexpr std::string_view kOnceTokenPrefix = "oho1.";

/// Tokens that are made while the process runs and die with it: a page that an operator opens shows
/// a one-time secret, and gets a bearer token for it that goes by no URL.
///
///     offer() -> secret of 256 bits, good once and for 10 minutes -> exchange() -> bearer token of
///     256 bits, good until it was not shown for 12 hours
///
/// Both are kept as SHA-256 and compared in a time that depends on their number alone. Of too many
/// the oldest goes.
/// @thread control
class Sessions {
public:
    static constexpr std::chrono::minutes kOnceLife{10};
    static constexpr std::chrono::hours kIdleLife{12};
    static constexpr std::size_t kMaxOffers = 16;
    static constexpr std::size_t kMaxSessions = 64;

    /// @param scopes  what a session may do
    explicit Sessions(Scopes scopes,
                      std::function<std::int64_t()> monotonic_ns = &base::monotonic_ns)
        : scopes_(scopes), now_ns_(std::move(monotonic_ns)) {}

    /// A new one-time secret, "oho1." and base64url.
    [[nodiscard]] base::Secret offer();
    /// The bearer token for it, "ohs1." and base64url; empty: nobody offered it, it was used, or
    /// it is too old.
    [[nodiscard]] std::optional<base::Secret> exchange(std::string_view once);
    /// Who shows this bearer token, which so stays good; empty: nobody has it.
    [[nodiscard]] std::optional<Subject> find(std::string_view token);

    [[nodiscard]] const Scopes& scopes() const { return scopes_; }
    [[nodiscard]] std::size_t size() const { return sessions_.size(); }

private:
    struct Entry {
        std::string sha256;  ///< 64 hex digits
        std::int64_t seen_ns = 0;
    };
    void drop_old(std::vector<Entry>& entries, std::int64_t life_ns) const;

    Scopes scopes_;
    std::function<std::int64_t()> now_ns_;
    std::vector<Entry> offers_, sessions_;  ///< oldest first
};

}  // namespace offhook::access
