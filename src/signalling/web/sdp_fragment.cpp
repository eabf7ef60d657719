#include "signalling/web/sdp_fragment.h"

#include <algorithm>
#include <optional>

namespace offhook::signalling::web {
namespace {

constexpr std::size_t kMaxCandidateBytes = 512;
// RFC 8839 §5.4.
constexpr std::size_t kMinUfrag = 4, kMinPwd = 22, kMaxCredential = 256;

/// The next line of `rest` without its end, which may be CRLF or LF.
std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::optional<std::string_view> value_after(std::string_view line, std::string_view start) {
    if (!line.starts_with(start)) return std::nullopt;
    return line.substr(start.size());
}

bool is_ice_text(std::string_view text, std::size_t shortest) {
    return text.size() >= shortest && text.size() <= kMaxCredential &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      c == '+' || c == '/';
           });
}

std::optional<model::Direction> read_direction(std::string_view line) {
    if (line == "a=sendrecv") return model::Direction::SendRecv;
    if (line == "a=sendonly") return model::Direction::SendOnly;
    if (line == "a=recvonly") return model::Direction::RecvOnly;
    if (line == "a=inactive") return model::Direction::Inactive;
    return std::nullopt;
}

bool is_live_audio(std::string_view line) {
    return line.starts_with("m=audio ") && !line.starts_with("m=audio 0 ");
}

bool is_candidate_line(std::string_view line) {
    return line.starts_with("a=candidate:") || line == "a=end-of-candidates";
}

/// Calls `see(line, is_in_session)` with every line of the session's part and of the audio line that
/// is used, its m= line first; what stands behind that is not read.
template <class See>
void each_line_of_ours(std::string_view description, See see) {
    bool is_in_session = true;
    bool is_in_audio = false;
    while (!description.empty()) {
        const std::string_view line = take_line(description);
        if (line.starts_with("m=")) {
            if (is_in_audio) return;
            is_in_session = false;
            is_in_audio = is_live_audio(line);
        }
        if (is_in_session || is_in_audio) see(line, is_in_session);
    }
}

}  // namespace

base::Result<SdpFragment> read_fragment(std::string_view text) {
    const auto malformed = [](const char* why) {
        return base::fail(base::ErrorCode::Malformed, why);
    };
    SdpFragment fragment;
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (line.empty()) continue;
        if (line.size() < 2 || line[1] != '=') return malformed("a line is not of SDP");
        if (const auto ufrag = value_after(line, "a=ice-ufrag:")) {
            if (!is_ice_text(*ufrag, kMinUfrag)) return malformed("a=ice-ufrag cannot be used");
            fragment.ice.ufrag = *ufrag;
        } else if (const auto pwd = value_after(line, "a=ice-pwd:")) {
            if (!is_ice_text(*pwd, kMinPwd)) return malformed("a=ice-pwd cannot be used");
            fragment.ice.pwd = *pwd;
        } else if (line == "a=end-of-candidates") {
            fragment.is_end = true;
        } else if (line.starts_with("a=candidate:")) {
            if (line.size() > kMaxCandidateBytes) return malformed("a candidate is too long");
            if (fragment.candidates.size() >= kMaxFragmentCandidates)
                return malformed("there are too many candidates");
            fragment.candidates.emplace_back(line.substr(2));
        }
    }
    if (fragment.ice.ufrag.empty() != fragment.ice.pwd.empty())
        return malformed("a=ice-ufrag and a=ice-pwd go together");
    return fragment;
}

model::Direction direction_of(std::string_view description) {
    auto session = model::Direction::SendRecv;
    std::optional<model::Direction> audio;
    each_line_of_ours(description, [&](std::string_view line, bool is_in_session) {
        const auto direction = read_direction(line);
        if (!direction) return;
        if (is_in_session) {
            session = *direction;
        } else {
            audio = direction;
        }
    });
    return audio.value_or(session);
}

IceCredentials ice_of(std::string_view description) {
    IceCredentials session, audio;
    each_line_of_ours(description, [&](std::string_view line, bool is_in_session) {
        IceCredentials& ice = is_in_session ? session : audio;
        if (const auto ufrag = value_after(line, "a=ice-ufrag:")) ice.ufrag = *ufrag;
        if (const auto pwd = value_after(line, "a=ice-pwd:")) ice.pwd = *pwd;
    });
    return {audio.ufrag.empty() ? session.ufrag : audio.ufrag,
            audio.pwd.empty() ? session.pwd : audio.pwd};
}

std::string with_ice_of(std::string_view description, const SdpFragment& fragment) {
    std::string text;
    bool is_in_audio = false;
    bool has_put = false;
    const auto put_candidates = [&] {
        for (const std::string& candidate : fragment.candidates) text += "a=" + candidate + "\r\n";
        if (fragment.is_end) text += "a=end-of-candidates\r\n";
        has_put = true;
    };
    while (!description.empty()) {
        const std::string_view line = take_line(description);
        if (line.empty() || is_candidate_line(line)) continue;
        if (line.starts_with("m=")) {
            if (is_in_audio && !has_put) put_candidates();
            is_in_audio = is_live_audio(line);
        }
        if (line.starts_with("a=ice-ufrag:")) {
            text += "a=ice-ufrag:" + fragment.ice.ufrag;
        } else if (line.starts_with("a=ice-pwd:")) {
            text += "a=ice-pwd:" + fragment.ice.pwd;
        } else {
            text += line;
        }
        text += "\r\n";
    }
    if (is_in_audio && !has_put) put_candidates();
    return text;
}

std::string fragment_of(std::string_view description) {
    std::string session, audio;
    each_line_of_ours(description, [&](std::string_view line, bool is_in_session) {
        const bool is_wanted = line.starts_with("m=") || is_candidate_line(line) ||
                               line.starts_with("a=ice-") || line.starts_with("a=fingerprint:") ||
                               line.starts_with("a=setup:") || line.starts_with("a=mid:");
        if (is_wanted) (is_in_session ? session : audio).append(line).append("\r\n");
    });
    return session + audio;
}

}  // namespace offhook::signalling::web
