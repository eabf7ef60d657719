#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/codec.h"
#include "model/sdp_crypto.h"

namespace offhook::model {

/// RFC 3264 §5.1 direction, as written by whoever wrote the SDP.
enum class Direction : std::uint8_t { SendRecv, SendOnly, RecvOnly, Inactive };

[[nodiscard]] constexpr bool sends(Direction d) noexcept {
    return d == Direction::SendRecv || d == Direction::SendOnly;
}
[[nodiscard]] constexpr bool receives(Direction d) noexcept {
    return d == Direction::SendRecv || d == Direction::RecvOnly;
}
/// What we answer to an offered direction when we ourselves would do both (RFC 3264 §6.1).
[[nodiscard]] constexpr Direction mirrored(Direction d) noexcept {
    return d == Direction::SendOnly   ? Direction::RecvOnly
           : d == Direction::RecvOnly ? Direction::SendOnly
                                      : d;
}

/// "sendrecv", "sendonly", "recvonly", "inactive": the attribute that says it (RFC 8866 §6.7).
[[nodiscard]] std::string_view name_of(Direction direction) noexcept;
/// Without regard to case; empty when it is none of them.
[[nodiscard]] std::optional<Direction> direction_named(std::string_view name) noexcept;

/// One format of an m=audio line with its rtpmap and fmtp (static types filled in from RFC 3551).
struct SdpFormat {
    std::uint8_t payload_type = 0;  ///< 0-127
    std::string encoding;           ///< as written; compare without case
    std::uint32_t clock_hz = 0;
    std::uint8_t channels = 1;
    std::string fmtp;  ///< text after the payload number, may be empty
};

/// The remote end's audio, from its offer or its answer; everything bounded by the parser (<= 64
/// formats, strings <= 256 bytes). `m_line` is its index, so that an answer can reject the others
/// in place.
struct RemoteAudio {
    std::string address;          ///< numeric IPv4 or IPv6 ("0.0.0.0" is old-style hold)
    std::uint16_t rtp_port = 0;   ///< 0: rejected or absent
    std::uint16_t rtcp_port = 0;  ///< from a=rtcp, else rtp_port + 1; equals rtp_port with rtcp-mux
    bool rtcp_mux = false;
    Direction direction = Direction::SendRecv;
    std::vector<SdpFormat> formats;
    std::optional<int> ptime_ms;
    bool is_savp = false;           ///< RTP/SAVP or RTP/SAVPF: protected or not at all
    std::vector<SdpCrypto> crypto;  ///< those of its a=crypto lines that we speak, <= 8
    std::size_t line = 0;           ///< index of its m-line
};

/// An m-line of an offer as the answer has to echo it.
struct SdpMediaLine {
    std::string media;       ///< "audio", "video", "application", ...
    std::string protocol;    ///< "RTP/AVP", ...
    std::string formats;     ///< as written
    bool is_chosen = false;  ///< the one audio line `audio` describes
};

/// A whole remote session description, reduced to what we use.
struct RemoteSdp {
    std::string origin_session_id;
    std::uint64_t origin_version = 0;
    RemoteAudio audio;  ///< the line that is used: the first of `audio_lines` unless chosen anew
    std::vector<RemoteAudio> audio_lines;  ///< every usable one, in order
    std::vector<SdpMediaLine> lines;       ///< in order, <= 16
    /// The text itself, <= 32 KiB, when it can only be meant for a web leg (ICE, DTLS-SRTP); that
    /// reads it by itself (sdp::read_web) and nothing above is of use then. Empty otherwise.
    std::string web_text;
};

/// What one call speaks after offer and answer met.
struct ChosenAudio {
    Codec codec = Codec::Pcmu;
    std::uint8_t payload_type = 0;                     ///< the offerer's number
    std::optional<std::uint8_t> telephone_event_type;  ///< RFC 4733
    std::string fmtp;                                  ///< the remote's fmtp of the codec
    bool rtcp_mux = false;
    /// Unit of the events' durations; their timestamps are the stream's. 0: the codec's clock.
    std::uint32_t telephone_event_clock_hz = 0;
    /// RFC 3389, received only: the number of the remote's own list, or the static 13.
    std::optional<std::uint8_t> comfort_noise_type;
};

/// Our own side, from which the SDP text of an offer or answer is written.
struct LocalSdp {
    std::string session_id;     ///< decimal, the same for the whole dialog
    std::uint64_t version = 1;  ///< rises when the text changes
    std::string address;        ///< the advertised one
    std::uint16_t rtp_port = 0;
    Direction direction = Direction::SendRecv;
    std::vector<SdpFormat>
        formats;  ///< one codec and telephone-event in an answer; all ours in an offer
    bool rtcp_mux = false;
    std::vector<SdpCrypto> crypto;     ///< a=crypto lines: one in an answer under SRTP
    std::string protocol = "RTP/AVP";  ///< of the audio line when `lines` is empty
    std::vector<SdpMediaLine> lines;   ///< echo of the offer's lines; empty: a single audio line
    std::string web_text;              ///< of a web leg: the whole text, sent as it is
};

/// Chooses the first of `ours` that the remote has; empty when nothing fits. telephone-event comes
/// along at that codec's RTP clock (RFC 4733 §2.1), else at 8000 Hz, which is all that many phones
/// list beside Opus. For answers to our own offer as well (the remote then lists what it took).
[[nodiscard]] std::optional<ChosenAudio> choose_codec(const RemoteAudio& remote,
                                                      const std::vector<Codec>& ours);

/// Formats of an answer: the chosen codec under the remote's number, and telephone-event. Comfort
/// noise is understood but not asked for: who hears an AI's caller wants all of the sound.
[[nodiscard]] std::vector<SdpFormat> answer_formats(const ChosenAudio& chosen);

/// Formats of an offer of ours: each of `ours` under its default number, and telephone-event 101
/// (8000 Hz) and, with Opus, 102 (48000 Hz), with opus16 103 (16000 Hz).
[[nodiscard]] std::vector<SdpFormat> offer_formats(const std::vector<Codec>& ours);

}  // namespace offhook::model
