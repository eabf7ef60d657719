#pragma once

#include <array>
#include <span>
#include <string_view>

#include "ai/protocols/encoding.h"

namespace offhook::ai {

/// How one vendor writes Twilio's Media Streams: what differs, as data. The order of messages, and
/// what they mean, is the same for all (docs/ai.md).
struct TwilioDialect {
    enum class Ids : std::uint8_t {
        Sid,   ///< two letters and 32 hex digits: "MZ...", "CA...", "AC..."
        Uuid,  ///< Telnyx
    };
    /// How a bot is told of an encoding: in numbers, or all in strings with the bits of a sample.
    enum class FormatStyle : std::uint8_t { Numbers, Strings };

    std::string_view name;
    std::string_view connected;  ///< the first message, whole

    // names of members
    std::string_view sequence, stream, account, call, parameters, format, sample_rate;

    bool start_names_stream;   ///< start.streamSid beside the one outside
    bool start_names_parties;  ///< start.from, start.to
    bool start_has_tracks;     ///< start.tracks
    bool media_has_track;      ///< media.track
    bool digit_has_track;      ///< dtmf.track
    bool digit_has_duration;   ///< dtmf.duration, in ms
    bool stop_has_reason;      ///< stop.reason
    Ids ids;
    FormatStyle format_style;
    /// What encoding is called, in the order of Encoding; empty: the dialect has none.
    std::array<std::string_view, 3> encodings;
    Encoding encoding;  ///< unless the settings name another
    int chunk_ms;       ///< of sound in a message; longer than a frame: several of them
    std::string_view rate_in_query;  ///< of the URL, when the rate is not 8000; empty: none

    [[nodiscard]] std::string_view encoding_name(Encoding which) const noexcept {
        return encodings[static_cast<std::size_t>(which)];
    }
};

/// All of them, Twilio's own first.
[[nodiscard]] std::span<const TwilioDialect> twilio_dialects() noexcept;
/// @return Twilio's own for a name that is none
[[nodiscard]] const TwilioDialect& twilio_dialect(std::string_view name) noexcept;

}  // namespace offhook::ai
