#pragma once

#include <memory>
#include <string>

#include "ai/bot_settings.h"
#include "base/error.h"

namespace offhook::ai {

inline constexpr int kMaxPromptS = 600;

/// Reads a prompt: a WAV file of 16-bit PCM, mono or stereo (averaged), at 8, 16, 24 or 48 kHz, at
/// most ten minutes and 64 MiB; resampled here, once, to both rates that a line has.
/// @errors Io (cannot read), Malformed (no WAV, or no sound), Unsupported (another format or rate)
/// @thread any but real-time ones
[[nodiscard]] base::Result<std::shared_ptr<const PromptSound>> load_prompt(const std::string& name,
                                                                           const std::string& path);

}  // namespace offhook::ai
