#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/leg_trace.h"
#include "model/wire_tap.h"

namespace offhook::trace {

/// One milestone of a call, as the log told it.
struct TimelineEvent {
    std::int64_t realtime_ns = 0;
    std::string level, event, message;  ///< message: not escaped
    std::vector<std::pair<std::string, std::string>> fields{};
};

/// One second of a leg. -1: not known. Inbound = from the caller.
struct StatsSample {
    std::int64_t at_ms = 0;                          ///< its end, since 1970
    std::uint64_t sent = 0, received = 0, lost = 0;  ///< packets in it
    double jitter_ms = -1, round_trip_ms = -1;
    double level_in_dbov = -127, level_out_dbov = -127;
    double max_gap_ms = 0, concealed_ms = 0, ai_queued_ms = 0, mos = -1;
};

/// All that a black box has of a call, as it was at one moment. Owns what it names, so that any
/// thread may write it out.
struct Dump {
    std::string call_id;
    std::string call_json;     ///< the call as `GET /api/v1/calls/{id}` shows it
    std::int64_t made_ns = 0;  ///< CLOCK_REALTIME
    std::int64_t realtime_offset_ns =
        0;  ///< what makes CLOCK_REALTIME of the CLOCK_MONOTONIC below
    std::vector<model::SipWireMessage> sip;  ///< oldest first; without secrets
    std::uint64_t lost_sip = 0;              ///< older ones that had to go
    std::vector<TimelineEvent> events;
    std::uint64_t lost_events = 0;
    std::vector<StatsSample> stats;
    std::shared_ptr<const model::LegTrace> leg;  ///< null: the call has no leg, or nothing is kept
};

enum class DumpFormat : std::uint8_t { Json, Pcapng, RtcStats };
[[nodiscard]] std::optional<DumpFormat> dump_format_by_name(std::string_view name) noexcept;
/// "application/json", "application/x-pcapng", "text/plain; charset=utf-8".
[[nodiscard]] std::string_view content_type_of(DumpFormat format) noexcept;
/// What a file of it is called: "c-0123456789ab.pcapng".
[[nodiscard]] std::string file_name_of(const Dump& dump, DumpFormat format);

/// @thread any, some milliseconds
[[nodiscard]] std::string write_dump(const Dump& dump, DumpFormat format);

inline constexpr int kDumpVersion = 1;
/// docs/black-box.md has its shape.
[[nodiscard]] std::string write_json(const Dump& dump);
/// A capture of raw IP packets with nanoseconds (draft-ietf-opsawg-pcapng): SIP, the headers of RTP,
/// RTCP. Sockets are made up from what is known: SIP of every transport is one UDP datagram a
/// message, an RTP payload is left out (captured length < length), an address that is not known is
/// one of RFC 5737.
[[nodiscard]] std::string write_pcapng(const Dump& dump);
/// RTCStatsDump, file format 3: descriptions, states and statistics of the call as if it were a
/// peer connection, for the readers of that format (chrome://webrtc-internals, rtcstats.com).
[[nodiscard]] std::string write_rtcstats(const Dump& dump);

}  // namespace offhook::trace
