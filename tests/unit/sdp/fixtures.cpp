#include "fixtures.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace offhook::sdp::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (line.ends_with('\r')) line.pop_back();
        lines.push_back(line);
    }
    return lines;
}

}  // namespace

std::string offer(const std::string& name) {
    std::ifstream file(std::string(OFFHOOK_SDP_OFFERS) + '/' + name + ".sdp");
    if (!file) throw std::runtime_error("no fixture " + name);
    std::string text;
    for (std::string line; std::getline(file, line);) text += line + "\r\n";
    return text;
}

const std::vector<std::string>& taken_offers() {
    static const std::vector<std::string> kNames{"chromium-audio",
                                                 "chromium-audio-video-data",
                                                 "chromium-video-first",
                                                 "firefox",
                                                 "jssip",
                                                 "ringcentral",
                                                 "freeswitch",
                                                 "asterisk",
                                                 "janus",
                                                 "linphone",
                                                 "baresip",
                                                 "session-level",
                                                 "no-bundle",
                                                 "telephone-event-odd",
                                                 "sprop-stereo",
                                                 "several-audio",
                                                 "rejected-lines",
                                                 "ice-lite",
                                                 "crypto-and-fingerprint"};
    return kNames;
}

const std::vector<model::Codec>& web_codecs() {
    static const std::vector<model::Codec> kCodecs{
        model::Codec::Opus, model::Codec::Pcmu, model::Codec::Pcma, model::Codec::Opus16};
    return kCodecs;
}

WebLocal local_end() {
    WebLocal local;
    local.ice_ufrag = "oH1oH2";
    local.ice_pwd = "oHpwdoHpwdoHpwdoHpwdoHpwd";
    local.fingerprint =
        "sha-256 01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:"
        "1C:1D:1E:1F:20";
    local.setup = Setup::Active;
    local.candidates = {"candidate:9 1 UDP 2130706433 127.0.0.1 40002 typ host",
                        "candidate:1 1 UDP 2015363327 192.0.2.2 40000 typ host",
                        "candidate:2 1 UDP 2015363071 2001:db8::2 40001 typ host"};
    return local;
}

WebIdentity identity() {
    return {"4711", 3, 305419896, "offhook-cname"};
}

std::vector<std::string> lines_with(const std::string& text, const std::string& start) {
    auto lines = lines_of(text);
    std::erase_if(lines, [&](const std::string& line) { return !line.starts_with(start); });
    return lines;
}

bool has_line(const std::string& text, const std::string& line) {
    const auto lines = lines_of(text);
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

std::string what_is_wrong(const WebRemote& offer, const std::string& answer) {
    const CandidateRules rules;
    const auto read = read_web(answer, rules);
    if (!read) return read.error().text();
    if (answer.size() > kMaxBytes) return "too long";
    if (read->sdp.lines.size() != offer.sdp.lines.size()) return "another number of lines";
    for (std::size_t at = 0; at < read->sdp.lines.size(); ++at) {
        const auto& ours = read->sdp.lines[at];
        const auto& theirs = offer.sdp.lines[at];
        const std::string where = "line " + std::to_string(at);
        if (ours.media != theirs.media || ours.protocol != theirs.protocol)
            return where + ": another medium or protocol";
        if (ours.is_chosen != theirs.is_chosen) return where + ": not the one that is used";
        if (read->line_mids[at] != offer.line_mids[at]) return where + ": another mid";
    }
    const auto m_lines = lines_with(answer, "m=");
    for (std::size_t at = 0; at < m_lines.size(); ++at) {
        const bool is_zero = m_lines[at].find(" 0 ") == m_lines[at].find(' ');
        if (is_zero == offer.sdp.lines[at].is_chosen)
            return "port of line " + std::to_string(at) + ": " + m_lines[at];
    }
    const bool wants_group = !offer.bundle.empty();
    const auto groups = lines_with(answer, "a=group:");
    if (wants_group != !groups.empty()) return "BUNDLE where none was offered, or the reverse";
    if (wants_group && groups != std::vector{"a=group:BUNDLE " + *offer.mid})
        return "a group of other than the used line: " + groups.front();
    const auto theirs = offer.sdp.audio.direction;
    const auto ours = read->sdp.audio.direction;
    if ((model::sends(ours) && !model::receives(theirs)) ||
        (model::receives(ours) && !model::sends(theirs)))
        return "a direction that was not offered";
    if (read->setup != Setup::Active && read->setup != Setup::Passive) return "no role in DTLS";
    for (const model::SdpFormat& format : read->sdp.audio.formats) {
        if (std::none_of(offer.sdp.audio.formats.begin(),
                         offer.sdp.audio.formats.end(),
                         [&](const model::SdpFormat& offered) {
                             return offered.payload_type == format.payload_type &&
                                    offered.clock_hz == format.clock_hz;
                         }))
            return "a format that was not offered";
    }
    return {};
}

}  // namespace offhook::sdp::test
