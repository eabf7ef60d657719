#include "call/diversion.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

namespace offhook::call {
namespace {

using model::LegStats;
using model::PeerReason;

constexpr double kFirstS = 20;
constexpr double kLastS = 40;
constexpr double kSilentMs = 10'000;
/// Three missing packets are no pause that a PBX would act on; a second is.
constexpr double kPauseMs = 1000;

bool is_protocol(const PeerReason& reason, const char* name) {
    return strcasecmp(reason.protocol.c_str(), name) == 0;
}

bool speaks_of_session_timer(const PeerReason& reason) {
    std::string text = reason.text;
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return text.find("session") != std::string::npos &&
           (text.find("timer") != std::string::npos || text.find("expire") != std::string::npos);
}

bool says_nobody_answered(const PeerReason& reason) {
    constexpr std::array kSip{408, 480, 504};
    constexpr std::array kQ850{18, 19, 102};
    const auto has = [&](const auto& causes) {
        return std::find(causes.begin(), causes.end(), reason.cause) != causes.end();
    };
    if (speaks_of_session_timer(reason)) return false;
    return is_protocol(reason, "SIP") ? has(kSip) : is_protocol(reason, "Q.850") && has(kQ850);
}

bool says_unspecified(const PeerReason& reason) {
    return is_protocol(reason, "Q.850") && reason.cause == 31;
}

// -1 stands for "never".
bool is_silent(double since_last_ms) {
    return since_last_ms < 0 || since_last_ms >= kSilentMs;
}

std::string number(std::uint64_t value) {
    std::string text = std::to_string(value);
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
    return text;
}

std::string seconds(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f s", value);
    return text.data();
}

std::string reason_text(const std::vector<PeerReason>& reasons) {
    if (reasons.empty()) return "no Reason header";
    std::string text = "Reason ";
    for (const PeerReason& reason : reasons) {
        if (text.size() > 7) text += ", ";
        text += reason.protocol;
        if (reason.cause != 0) text += ";cause=" + std::to_string(reason.cause);
        if (!reason.text.empty()) text += " '" + reason.text + "'";
    }
    return text;
}

std::string sent_text(const LegStats& s) {
    if (s.sent_packets == 0) return "We sent no RTP packet";
    std::string text = "We sent " + number(s.sent_packets) + " packets";
    if (s.max_gap_ms < kPauseMs) {
        text += " without a pause (longest gap " + std::to_string(static_cast<int>(s.max_gap_ms)) +
                " ms)";
    } else {
        text += " with a pause of " + seconds(s.max_gap_ms / 1000);
    }
    if (is_silent(s.since_last_sent_ms))
        text += ", the last one " + seconds(s.since_last_sent_ms / 1000) + " before the end";
    return text;
}

std::string received_text(const LegStats& s) {
    if (s.received_packets == 0) return "received none";
    std::string text = "received " + number(s.received_packets);
    if (is_silent(s.since_last_received_ms))
        text += ", the last one " + seconds(s.since_last_received_ms / 1000) + " before the end";
    return text;
}

bool has_report(const LegStats& s) {
    return s.remote_jitter_ms >= 0;
}

std::string report_text(const LegStats& s) {
    if (has_report(s)) {
        return "the PBX's RTCP reports say that ours arrived (" +
               std::to_string(std::max<std::int64_t>(0, s.remote_lost_packets)) + " lost)";
    }
    return s.rtcp_received > 0 ? "the PBX's RTCP has no report on our stream"
                               : "no RTCP came, so nothing says that ours arrived";
}

std::string advice(const LegStats& s) {
    if (s.sent_packets == 0 || is_silent(s.since_last_sent_ms)) {
        return "look for rtp.stopped in the log, and at the media workers in /health";
    }
    if (s.max_gap_ms >= kPauseMs) return "look at what paused us: the media workers in /health";
    if (!has_report(s)) {
        return "look whether the address in our SDP ([rtp] advertise) is one that the PBX can "
               "reach, and for a firewall or NAT on the way out";
    }
    if (is_silent(s.since_last_received_ms)) {
        return "ours arrived; look for a firewall or NAT between the PBX and [rtp] ports, since "
               "nothing came back";
    }
    return "sound went both ways; the log of the PBX says what it missed";
}

}  // namespace

std::optional<std::string> diversion_of(const TakenCall& call) {
    const LegStats& s = call.stats;
    const bool has_silence =
        !call.is_held && call.answered_s * 1000 >= kSilentMs &&
        (is_silent(s.since_last_sent_ms) || (!s.is_paused && is_silent(s.since_last_received_ms)));
    const bool by_reason =
        std::any_of(call.reasons.begin(), call.reasons.end(), says_nobody_answered);
    const bool by_vague_reason =
        has_silence && std::any_of(call.reasons.begin(), call.reasons.end(), says_unspecified);
    const bool by_time = has_silence && call.answered_s >= kFirstS && call.answered_s <= kLastS;
    if (!by_reason && !by_vague_reason && !by_time) return std::nullopt;
    return "the PBX took the call away " + seconds(call.answered_s) + " after the answer (" +
           reason_text(call.reasons) + "), as with a call that has no media. " + sent_text(s) +
           ", " + received_text(s) + "; " + report_text(s) + ": " + advice(s);
}

}  // namespace offhook::call
