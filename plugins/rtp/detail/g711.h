#pragma once

#include <memory>

#include "rtp/codec.h"

namespace offhook::rtp::detail {

/// ITU-T G.711 mu-law (PCMU) and A-law (PCMA), 8 kHz, one byte a sample.
[[nodiscard]] std::unique_ptr<Decoder> make_ulaw_decoder();
[[nodiscard]] std::unique_ptr<Decoder> make_alaw_decoder();
[[nodiscard]] std::unique_ptr<Encoder> make_ulaw_encoder();
[[nodiscard]] std::unique_ptr<Encoder> make_alaw_encoder();

}  // namespace offhook::rtp::detail
