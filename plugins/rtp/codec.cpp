#include "rtp/codec.h"

#include "rtp/detail/g711.h"
#include "rtp/detail/g722.h"
#include "rtp/detail/opus_codec.h"

namespace offhook::rtp {

std::unique_ptr<Decoder> make_decoder(model::Codec codec) {
    switch (codec) {
        case model::Codec::Pcma:
            return detail::make_alaw_decoder();
        case model::Codec::G722:
            return detail::make_g722_decoder();
        case model::Codec::Opus:
        case model::Codec::Opus16:
            return detail::make_opus_decoder();
        case model::Codec::Pcmu:
            break;
    }
    return detail::make_ulaw_decoder();
}

std::unique_ptr<Encoder> make_encoder(model::Codec codec, const CodecSettings& settings) {
    switch (codec) {
        case model::Codec::Pcma:
            return detail::make_alaw_encoder();
        case model::Codec::G722:
            return detail::make_g722_encoder();
        case model::Codec::Opus:
        case model::Codec::Opus16:
            return detail::make_opus_encoder(settings);
        case model::Codec::Pcmu:
            break;
    }
    return detail::make_ulaw_encoder();
}

}  // namespace offhook::rtp
