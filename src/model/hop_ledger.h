#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace offhook::model {

/// Where a call's sound passes, from the caller to the AI and back, in the order of its way.
enum class Hop : std::uint8_t {
    CallerRtpIn,   ///< whatever comes where the caller's RTP is due
    Accepted,      ///< genuine, of the caller, with a payload type that was agreed
    Decoded,       ///< made sound
    HandedToAi,    ///< taken by the AI's socket, or by a built-in AI
    TakenFromAi,   ///< what the AI said
    Queued,        ///< on its way to the line
    Encoded,       ///< frames of the line, the AI's sound and filler alike
    Sent,          ///< left to the caller
    Acknowledged,  ///< of those, what the far end's RTCP says that it has
};
inline constexpr std::size_t kHops = 9;
/// "caller-rtp-in", "accepted", "decoded", "handed-to-ai", "taken-from-ai", "queued", "encoded",
/// "sent", "acknowledged"
[[nodiscard]] std::string_view name_of(Hop hop) noexcept;

/// Idle: nothing passes, and nothing should. Unknown: nobody can tell, or not yet.
enum class HopState : std::uint8_t { Ok, Idle, Broken, Unknown };
/// "ok", "idle", "broken", "unknown"
[[nodiscard]] std::string_view name_of(HopState state) noexcept;

/// What passed one hop since the answer.
struct HopFigures {
    Hop hop = Hop::CallerRtpIn;
    HopState state = HopState::Unknown;
    std::uint64_t packets = 0;  ///< RTP packets; frames of 20 ms between decoder and encoder
    double ms = 0;              ///< of sound in them
    double since_last_ms = -1;  ///< since the last of them; -1: there was none
    std::string detail{};       ///< why it is so, unless it is ok; escaped
};

/// All hops of a call, and the first that is broken.
struct HopLedger {
    std::array<HopFigures, kHops> hops{};  ///< by Hop
    std::optional<Hop> broken{};
};

}  // namespace offhook::model
