#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/leg_trace.h"
#include "model/wire_tap.h"

namespace offhook::trace {

/// What one HEP packet is about. Protocol types as HEP3 numbers them.
enum class HepType : std::uint8_t { Sip = 1, RtcpJson = 5 };

struct HepPacket {
    HepType type = HepType::Sip;
    std::int64_t realtime_ns = 0;
    bool is_tcp = false;  ///< the protocol it went over; TLS and WebSockets count as TCP
    model::WireAddress from{}, to{};
    std::string correlation_id{};  ///< the SIP Call-ID
    std::string payload{};
};

/// The bytes of a HEP3 packet: "HEP3", length, chunks of vendor 0.
/// @param key  of the capture agent; empty: none
[[nodiscard]] std::string write_hep(const HepPacket& packet,
                                    std::uint32_t capture_id,
                                    std::string_view key);

/// @param message  without secrets
[[nodiscard]] HepPacket hep_of(model::SipWireMessage message);

/// An RTCP compound packet (RFC 3550 §6) as the JSON that Homer's agents send: the first report's
/// sender information and blocks. Empty when there is no report in it.
/// @param packet  untrusted; may be cut
[[nodiscard]] std::string rtcp_json(std::string_view packet);

}  // namespace offhook::trace
