#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace offhook::access {

/// What somebody may do. `Admin` is all of them.
enum class Scope : std::uint8_t {
    Read = 1,     ///< look at calls, channels, connections, metrics
    Operate = 2,  ///< end, place and change calls, channels and connections; mint join tokens
    Listen = 4,   ///< hear a call
    Barge = 8,    ///< speak in one: whisper, barge, take over
    Debug = 16,   ///< /api/debug
    Admin = 32,
};
[[nodiscard]] std::string_view name_of(Scope scope) noexcept;
[[nodiscard]] std::optional<Scope> scope(std::string_view name) noexcept;

class Scopes {
public:
    Scopes() = default;
    Scopes(std::initializer_list<Scope> list) {
        for (const Scope each : list) add(each);
    }
    void add(Scope scope) {
        bits_ = static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(scope));
    }
    [[nodiscard]] bool has(Scope scope) const {
        constexpr auto kAdmin = static_cast<std::uint8_t>(Scope::Admin);
        return (bits_ & (static_cast<std::uint8_t>(scope) | kAdmin)) != 0;
    }

private:
    std::uint8_t bits_ = 0;
};

/// Who asks.
struct Subject {
    std::string
        user;  ///< of its token; "local" for a client of this machine while there are no tokens
    Scopes scopes;
};

}  // namespace offhook::access
