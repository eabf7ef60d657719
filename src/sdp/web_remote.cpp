#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace {

/// The next line of `rest` without its end, which may be CRLF or LF.
std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

bool is_web(std::string_view text) {
    bool has_session_fingerprint = false;
    bool is_audio = false;
    bool has_fingerprint = false;
    bool has_crypto = false;
    const auto would_do = [&] { return is_audio && has_fingerprint && !has_crypto; };
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (line.starts_with("m=")) {
            if (would_do()) return true;
            is_audio = line.starts_with("m=audio ") && line.find("RTP/SAVP") != line.npos;
            has_fingerprint = has_session_fingerprint;
            has_crypto = false;
        } else if (line.starts_with("a=fingerprint:")) {
            (is_audio ? has_fingerprint : has_session_fingerprint) = true;
        } else if (line.starts_with("a=crypto:")) {
            has_crypto = true;
        }
    }
    return would_do();
}

}  // namespace offhook::sdp
