#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace offhook::model {

/// How the recording of a call fares.
enum class RecordingState : std::uint8_t {
    Off,        ///< there is none
    Announced,  ///< the caller hears that it comes
    Recording,
    Paused,  ///< silence is written in the place of the sound
    Kept,    ///< it is over, and the file is there
    Failed,  ///< it is over before its time; what there is of the file is good
};

[[nodiscard]] constexpr std::string_view name_of(RecordingState state) noexcept {
    switch (state) {
        case RecordingState::Announced:
            return "announced";
        case RecordingState::Recording:
            return "recording";
        case RecordingState::Paused:
            return "paused";
        case RecordingState::Kept:
            return "kept";
        case RecordingState::Failed:
            return "failed";
        case RecordingState::Off:
            break;
    }
    return "off";
}

/// What may be asked of it.
enum class RecordingVerb : std::uint8_t { Start, Pause, Resume, Stop };

}  // namespace offhook::model
