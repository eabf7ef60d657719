#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/sdp_offer.h"
#include "sdp/detail/description.h"

namespace offhook::sdp::detail {

/// The formats of an audio line with their rtpmap and fmtp, <= 64; static types without rtpmap get
/// their meaning of RFC 3551 §6, others without are left out.
[[nodiscard]] std::vector<model::SdpFormat> read_formats(const Section& section);

/// "a=rtpmap:..." and "a=fmtp:..." lines of `formats`.
[[nodiscard]] std::string write_formats(const std::vector<model::SdpFormat>& formats);

/// a=sendrecv ..., as `section` says it itself.
[[nodiscard]] std::optional<model::Direction> read_direction(const Section& section);

}  // namespace offhook::sdp::detail
