#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"

namespace offhook::linekeeper {

/// What the caller hears while the AI says nothing. Endless and continuous from call to call of
/// `fill`.
/// @thread one; nothing allocates after construction
class Filler {
public:
    virtual ~Filler() = default;
    virtual void fill(std::span<std::int16_t> pcm) noexcept = 0;
};

/// @param spec "silence", "comfort-noise" (about -65 dBov), "tone" (440 Hz, -30 dBov) or
/// "file:PATH" (PCM WAV, looped;
///        read once per path and rate and shared by all calls)
/// @errors InvalidArgument for another word; Io or Malformed when the file cannot be read
/// @thread control (reads files)
[[nodiscard]] base::Result<std::unique_ptr<Filler>> make_filler(const std::string& spec,
                                                                std::uint32_t sample_rate_hz);

}  // namespace offhook::linekeeper
