#pragma once

#include <memory>

#include "rtp/codec.h"

namespace offhook::rtp::detail {

/// Opus (RFC 6716, RFC 7587), mono, decoded to and encoded from 16 kHz whatever the far end's rate
/// and channels.
[[nodiscard]] std::unique_ptr<Decoder> make_opus_decoder();
[[nodiscard]] std::unique_ptr<Encoder> make_opus_encoder(const CodecSettings& settings);

}  // namespace offhook::rtp::detail
