#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "caller/endpoint.h"
#include "model/sdp_offer.h"

namespace offhook::caller {

/// What our own SDP says.
struct OwnSdp {
    Endpoint media;  ///< address and port of the RTP socket
    std::uint64_t session_id = 1;
    std::uint64_t version = 1;
    model::Direction direction = model::Direction::SendRecv;
    std::vector<model::SdpFormat> formats;
    std::vector<model::SdpCrypto> crypto;  ///< RTP/SAVP with these keys; empty: RTP/AVP
};

/// Writes one audio stream with ptime 20 (RFC 4566, RFC 3264 §5).
[[nodiscard]] std::string write_sdp(const OwnSdp& sdp);

/// Reads the first audio stream of an answer or a re-offer; at most 64 formats and 512 lines.
/// @errors Malformed; NotFound when it has no audio line
[[nodiscard]] base::Result<model::RemoteAudio> parse_sdp(std::string_view text);

}  // namespace offhook::caller
