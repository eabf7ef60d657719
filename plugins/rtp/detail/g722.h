#pragma once

#include <memory>

#include "rtp/codec.h"

namespace offhook::rtp::detail {

/// ITU-T G.722 at 64 kbit/s: 16 kHz sound, two samples a byte (low band in the low six bits).
[[nodiscard]] std::unique_ptr<Decoder> make_g722_decoder();
[[nodiscard]] std::unique_ptr<Encoder> make_g722_encoder();

}  // namespace offhook::rtp::detail
