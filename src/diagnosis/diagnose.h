#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "diagnosis/findings.h"
#include "model/call_directory.h"
#include "model/channel.h"
#include "model/hop_ledger.h"
#include "model/stats_snapshot.h"

namespace offhook::diagnosis {

/// What the daemon knows of a call, or of a member of a channel and its leg.
struct Facts {
    std::int64_t now_ns = 0;  ///< CLOCK_REALTIME
    std::optional<model::CallInfo> call{};
    std::optional<model::MemberInfo> member{};
    std::optional<model::ChannelInfo> channel{};
    std::optional<model::HopLedger> hops{};      ///< of the call
    std::optional<model::WorkerStats> worker{};  ///< that moves its sound
    double gap_limit_ms = 60;                    ///< between two packets of ours
};

/// From which values on something is wrong; those that browsers judge by are the same there.
namespace limit {
inline constexpr double kLossShare = 0.02;
inline constexpr double kConcealedShare = 0.03;
inline constexpr double kJitterMs = 40;
inline constexpr double kRoundTripMs = 400;
inline constexpr std::uint64_t kPackets = 50;  ///< shares are not judged by fewer
inline constexpr double kFlowMs = 2'500;       ///< sound may take so long to begin
inline constexpr double kStoppedMs = 1'000;    ///< of what we send
inline constexpr double kDigitalSilenceDbov = -90;
inline constexpr double kClippedShare = 0.001;  ///< of samples
inline constexpr double kConnectMs = 5'000;     ///< ICE and DTLS
inline constexpr double kNoLegMs = 10'000;
inline constexpr double kAiMs = 2'500;           ///< an AI may take so long to come
inline constexpr double kAiSilentMs = 10'000;    ///< and to say something
inline constexpr std::uint64_t kAiHoles = 3;     ///< in what it says
inline constexpr double kAiHoleEveryMs = 5'000;  ///< of its speech
inline constexpr std::uint64_t kFrames = 250;    ///< 5 s: shares are not judged by fewer
inline constexpr double kFrameShare = 0.01;
inline constexpr double kCallerMs = 2'000;        ///< without a packet of the caller
inline constexpr std::uint64_t kRefused = 10;     ///< packets, while none is accepted
inline constexpr double kLateShare = 0.05;        ///< of the caller's packets
inline constexpr std::uint64_t kBadMessages = 3;  ///< of an AI
inline constexpr double kNoiseDbov = -9;          ///< random samples have -5, speech never as much
inline constexpr double kOverflowMs = 100;        ///< of an AI's sound
inline constexpr double kPausedMs = 2'000;        ///< of an AI's sound, since the caller speaks
inline constexpr double kTickMs = 10;             ///< lateness of a worker's tick, p99
}  // namespace limit

/// All that is wrong with the sound, errors first. Nothing is looked up: the same facts give the
/// same findings.
/// @thread any
[[nodiscard]] std::vector<Finding> diagnose(const Facts& facts);

}  // namespace offhook::diagnosis
