#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/sdp_offer.h"

namespace offhook::signalling::sip {

/// The largest session description we read.
inline constexpr std::size_t kMaxSdpBytes = 32 * 1024;

/// Reads an offer or an answer (RFC 8866, RFC 3264) with our own bounded line parser.
///
/// Each `m=audio` line with RTP/AVP(F), or RTP/SAVP(F) and an a=crypto that we speak, a port, a
/// numeric address and at least one known format is one of `audio_lines`; the first becomes `audio`
/// and its line has `is_chosen` until `model::agree_on_offer` decides. Without such a line `audio.rtp_port` is
/// 0 and the rest is still filled in, so that the caller can answer 488. `c=` of 0.0.0.0 or ::
/// (hold of RFC 2543) reads as *sendonly*, or *inactive* when they did not send either. Formats
/// without rtpmap get their static meaning (RFC 3551 §6) or are left out. A description without a
/// line for us that a web leg may take (sdp::is_web) comes with its text in `web_text`.
/// @errors Malformed: no v=, o= or m= line, a broken m= line, or a bound exceeded
[[nodiscard]] base::Result<model::RemoteSdp> parse_sdp(std::string_view text);

/// Whether somebody can make something of it: a phone leg of `audio`, or a web leg of the text.
[[nodiscard]] bool is_usable(const model::RemoteSdp& remote) noexcept;

/// Writes our side, if it is not there as text already (of a web leg). With `lines` (an answer)
/// every line of the offer comes back in place, all but the chosen one with port 0 (RFC 3264 §6); without, a single audio line under `protocol`. ptime, direction
/// and the fmtp of telephone-event are always there.
[[nodiscard]] std::string write_sdp(const model::LocalSdp& local);

}  // namespace offhook::signalling::sip
