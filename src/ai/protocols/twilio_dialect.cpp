#include "ai/protocols/twilio_dialect.h"

namespace offhook::ai {
namespace {

// clang-format off
constexpr TwilioDialect kTwilio{
    .name = "twilio",
    .connected = R"({"event":"connected","protocol":"Call","version":"1.0.0"})",
    .sequence = "sequenceNumber",
    .stream = "streamSid",
    .account = "accountSid",
    .call = "callSid",
    .parameters = "customParameters",
    .format = "mediaFormat",
    .sample_rate = "sampleRate",
    .start_names_stream = true,
    .start_names_parties = false,
    .start_has_tracks = true,
    .media_has_track = true,
    .digit_has_track = true,
    .digit_has_duration = false,
    .stop_has_reason = false,
    .ids = TwilioDialect::Ids::Sid,
    .format_style = TwilioDialect::FormatStyle::Numbers,
    .encodings = {"audio/l16", "audio/x-mulaw", "audio/x-alaw"},
    .encoding = Encoding::Pcmu,
    .chunk_ms = 20,
    .rate_in_query = "",
};

constexpr TwilioDialect kTelnyx{
    .name = "telnyx",
    .connected = R"({"event":"connected","version":"1.0.0"})",
    .sequence = "sequence_number",
    .stream = "stream_id",
    .account = "user_id",
    .call = "call_control_id",
    .parameters = "custom_parameters",
    .format = "media_format",
    .sample_rate = "sample_rate",
    .start_names_stream = false,
    .start_names_parties = true,
    .start_has_tracks = false,
    .media_has_track = true,
    .digit_has_track = false,
    .digit_has_duration = false,
    .stop_has_reason = false,
    .ids = TwilioDialect::Ids::Uuid,
    .format_style = TwilioDialect::FormatStyle::Numbers,
    .encodings = {"L16", "PCMU", "PCMA"},
    .encoding = Encoding::Pcmu,
    .chunk_ms = 20,
    .rate_in_query = "",
};

constexpr TwilioDialect with_name(TwilioDialect dialect, std::string_view name) {
    dialect.name = name;
    return dialect;
}

constexpr TwilioDialect kExotel{
    .name = "exotel",
    .connected = R"({"event":"connected"})",
    .sequence = "sequence_number",
    .stream = "stream_sid",
    .account = "account_sid",
    .call = "call_sid",
    .parameters = "custom_parameters",
    .format = "media_format",
    .sample_rate = "sample_rate",
    .start_names_stream = true,
    .start_names_parties = true,
    .start_has_tracks = false,
    .media_has_track = false,
    .digit_has_track = false,
    .digit_has_duration = true,
    .stop_has_reason = true,
    .ids = TwilioDialect::Ids::Sid,
    .format_style = TwilioDialect::FormatStyle::Strings,
    .encodings = {"audio/x-raw", "audio/x-mulaw", ""},
    .encoding = Encoding::Pcm,
    .chunk_ms = 100,
    .rate_in_query = "sample-rate",
};
// clang-format on

constexpr std::array kDialects{kTwilio, kTelnyx, with_name(kTwilio, "signalwire"), kExotel};

}  // namespace

std::span<const TwilioDialect> twilio_dialects() noexcept {
    return kDialects;
}

const TwilioDialect& twilio_dialect(std::string_view name) noexcept {
    for (const TwilioDialect& dialect : kDialects)
        if (dialect.name == name) return dialect;
    return kDialects.front();
}

}  // namespace offhook::ai
