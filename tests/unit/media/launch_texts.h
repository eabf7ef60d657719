#pragma once

#include <string>

namespace offhook::media::testing {

inline const std::string kInbound = "[inbound]\nrtpcallsrc name=in ! aitap name=tap\n";
inline const std::string kOutbound = "[outbound]\nlinekeeper name=voice ! rtpcallsink name=out\n";
inline const std::string kPhone = kInbound + kOutbound;
inline const std::string kStock =
    "[inbound]\nrtpcallsrc name=in output=rtp ! ${depayloader} ! ${decoder} ! aitap name=tap\n"
    "[outbound]\nlinekeeper name=voice ! ${encoder} ! ${payloader} ! rtpcallsink name=out\n";

/// A file whose [inbound] is `text` and whose [outbound] is fine; `text` begins on line 2.
inline std::string inbound(const std::string& text) {
    return "[inbound]\n" + text + "\n" + kOutbound;
}
/// A file whose [outbound] is `text`, which begins on line 4.
inline std::string outbound(const std::string& text) {
    return kInbound + "[outbound]\n" + text + "\n";
}

}  // namespace offhook::media::testing
