#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace offhook::harness {

/// What a web peer does to descriptions as text, since GStreamer 1.22's webrtcbin writes one codec
/// and no telephone-event, and does not read everything that others write.

/// Another hash than the certificate's: what a man in the middle would have to do. Twice: as before.
std::string with_wrong_fingerprint(std::string sdp);

/// a=sendrecv (or what stands there) replaced.
std::string with_direction(std::string sdp, std::string_view direction);

/// o= with another version (RFC 3264 §8).
std::string with_version(std::string sdp, int version);

/// RFC 4733 added to the audio line.
std::string with_telephone_event(std::string sdp, int payload_type, int clock_rate_hz);

/// Payload number of `encoding` ("PCMU", "opus"; by rtpmap, or 0 and 8 without one) at
/// `clock_rate_hz`, -1 when the description has none.
int payload_type_of(const std::string& sdp, std::string_view encoding, int clock_rate_hz);

/// The audio line alone, with one payload type and without header extensions or fmtp: all that
/// webrtcbin 1.22 is sure to understand.
std::string reduced(const std::string& sdp, int payload_type);

/// The description of one audio line as `fragment` (RFC 8840 §9) changes it: ICE credentials,
/// candidates, fingerprint and setup.
std::string with_fragment(const std::string& sdp, const std::string& fragment);

/// Values of all `a=name:` lines, joined by newlines.
std::string attributes(const std::string& sdp, std::string_view name);

/// The first `a=name:` value; empty when there is none.
std::string attribute(const std::string& sdp, std::string_view name);

}  // namespace offhook::harness
