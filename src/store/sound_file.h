#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::store {

enum class SoundFormat { Opus, Wav };
/// "opus", "wav".
[[nodiscard]] std::string_view name_of(SoundFormat format) noexcept;
/// "ogg", "wav".
[[nodiscard]] std::string_view extension_of(SoundFormat format) noexcept;

/// A stereo sound of 16 kHz on its way into a file: left the caller, right what was said to it.
/// Whatever happens to the process, the file is good up to the last `flush`.
/// @thread one at a time; waits for the disk
class SoundFile {
public:
    static constexpr std::uint32_t kRateHz = 16'000;
    static constexpr std::size_t kFrameSamples = 320;  ///< of one side, 20 ms

    /// Makes `path`, which must not be there, with mode 0600.
    /// @errors Io, LimitReached (the disk is full), Denied (no right), Conflict (it is there)
    [[nodiscard]] static base::Result<std::unique_ptr<SoundFile>> create(const std::string& path,
                                                                         SoundFormat format);
    virtual ~SoundFile() = default;
    SoundFile(const SoundFile&) = delete;
    SoundFile& operator=(const SoundFile&) = delete;

    /// @param frame  20 ms: left, right, left ...  @errors none of it is lost before the next flush
    virtual void add(std::span<const std::int16_t, 2 * kFrameSamples> frame) = 0;
    /// What was added goes into the file, and its head knows. @errors as `create`
    [[nodiscard]] virtual base::Result<void> flush() = 0;
    /// `flush`, and the file says that this is its end.
    [[nodiscard]] virtual base::Result<void> finish() = 0;

protected:
    SoundFile() = default;
};

}  // namespace offhook::store
