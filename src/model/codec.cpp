#include "model/codec.h"

#include <strings.h>

namespace offhook::model {

std::optional<Codec> codec_by_name(std::string_view name) noexcept {
    for (const CodecFacts& facts : kCodecs) {
        if (facts.name.size() == name.size() &&
            strncasecmp(facts.name.data(), name.data(), name.size()) == 0) {
            return facts.codec;
        }
    }
    return std::nullopt;
}

}  // namespace offhook::model
