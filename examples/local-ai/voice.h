#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace offhook::local_ai {

/// espeak-ng inside this process. It keeps its state in globals: there is one Voice, and sentences
/// are spoken one after another.
class Voice {
public:
    /// @param name             as `espeak-ng --voices` has them: "en-us", "en-gb+f3"
    /// @param words_per_minute 80 to 450
    /// @errors Unavailable: espeak-ng's data are missing; NotFound: no voice of this name;
    ///         Conflict: there is one already
    [[nodiscard]] static base::Result<std::unique_ptr<Voice>> create(const std::string& name,
                                                                     int words_per_minute);
    ~Voice();
    Voice(const Voice&) = delete;
    Voice& operator=(const Voice&) = delete;

    /// Mono S16 of the sentence; some milliseconds of work. @thread any
    [[nodiscard]] std::vector<std::int16_t> speak(const std::string& words,
                                                  std::uint32_t sample_rate_hz);

private:
    explicit Voice(std::uint32_t sample_rate_hz) : sample_rate_hz_(sample_rate_hz) {}
    const std::uint32_t sample_rate_hz_;
};

}  // namespace offhook::local_ai
