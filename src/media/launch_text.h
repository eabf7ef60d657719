#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "media/launch_rules.h"
#include "model/codec.h"

namespace offhook::media {

inline constexpr std::size_t kMaxLaunchBytes = 64 * 1024;

/// What changes from call to call in a *.launch file.
struct LaunchValues {
    model::Codec codec = model::Codec::Pcmu;
    int payload_type = 0;          ///< 0-127, the negotiated one
    int opus_complexity = 2;       ///< 0-10
    int opus_bitrate_bps = 24000;  ///< 6000-64000
};

/// One section's text: comments blanked out, newlines kept, so that line numbers still hold.
struct LaunchSection {
    int header_line = 0;  ///< where "[inbound]" stands, from 1
    std::string body;     ///< begins on the line after the header
};

/// A *.launch file cut into its two sections; nothing substituted, nothing known about GStreamer
/// yet.
struct LaunchSource {
    std::string path;
    LaunchSection inbound;
    LaunchSection outbound;

    [[nodiscard]] const LaunchSection& section(LaunchSide side) const {
        return side == LaunchSide::Inbound ? inbound : outbound;
    }
};

/// The one shape of every refusal: "path:line: reason (hint)".
[[nodiscard]] tl::unexpected<base::Error> refuse(const LaunchSource& source,
                                                 int line,
                                                 LaunchComplaint complaint);

/// Reads the file, at most `kMaxLaunchBytes`.
/// @errors NotFound, Io, or as `split_launch_text`
[[nodiscard]] base::Result<LaunchSource> read_launch_source(const std::string& path);

/// Strips `#` comments (not inside quotes), finds [inbound] and [outbound], checks the names of all
/// `${placeholders}`.
/// @errors Malformed: control characters, invalid UTF-8, too large, unknown or doubled or missing
/// section, text
///         outside a section, unknown or unfinished placeholder
[[nodiscard]] base::Result<LaunchSource> split_launch_text(std::string path, std::string_view text);

/// True when the text asks for elements of the negotiated codec (`${encoder}` and its three
/// companions).
[[nodiscard]] bool uses_codec_elements(std::string_view body);

/// Replaces what the codec decides: `${depayloader} ${decoder} ${encoder} ${payloader}
/// ${sample_rate} ${clock_rate}`. The rest (`${payload_type} ${opus_bitrate} ${opus_complexity}`)
/// stays for `expand_values`.
/// @errors Unsupported: the codec has no stock elements (G722)
[[nodiscard]] base::Result<std::string> expand_codec(std::string_view body, model::Codec codec);

/// Replaces what is left after `expand_codec`. Cheap: called for each call.
[[nodiscard]] std::string expand_values(std::string_view text, const LaunchValues& values);

}  // namespace offhook::media
