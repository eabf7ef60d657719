#include "media/launch_rules.h"

#include <algorithm>
#include <array>

namespace offhook::media {
namespace {

enum class Where { Both, InboundOnly, OutboundOnly };

struct Allowed {
    std::string_view factory;
    Where where;
};

// Both sides: as many samples out as in, buffer by buffer, no thread, no waiting. Inbound only:
// elements that hold samples back or cut buffers anew; behind them a tick no longer yields exactly
// one 20 ms frame, which the tap does not mind and the line does.
constexpr std::array kAllowed{
    Allowed{"rtpcallsrc", Where::InboundOnly},
    Allowed{"aitap", Where::InboundOnly},
    Allowed{"linekeeper", Where::OutboundOnly},
    Allowed{"rtpcallsink", Where::OutboundOnly},
    Allowed{"callstats", Where::Both},
    Allowed{"rtppcmudepay", Where::InboundOnly},
    Allowed{"rtppcmadepay", Where::InboundOnly},
    Allowed{"rtpopusdepay", Where::InboundOnly},
    Allowed{"mulawdec", Where::InboundOnly},
    Allowed{"alawdec", Where::InboundOnly},
    Allowed{"opusdec", Where::InboundOnly},
    Allowed{"mulawenc", Where::OutboundOnly},
    Allowed{"alawenc", Where::OutboundOnly},
    Allowed{"opusenc", Where::OutboundOnly},
    Allowed{"rtppcmupay", Where::OutboundOnly},
    Allowed{"rtppcmapay", Where::OutboundOnly},
    Allowed{"rtpopuspay", Where::OutboundOnly},
    Allowed{"audioconvert", Where::Both},
    Allowed{"audioresample", Where::InboundOnly},
    Allowed{"audiofirfilter", Where::InboundOnly},
    Allowed{"webrtcdsp", Where::InboundOnly},
    Allowed{"volume", Where::Both},
    Allowed{"level", Where::Both},
    Allowed{"spectrum", Where::Both},
    Allowed{"identity", Where::Both},
    Allowed{"capsfilter", Where::Both},
    Allowed{"audiocheblimit", Where::Both},
    Allowed{"audiochebband", Where::Both},
    Allowed{"audioiirfilter", Where::Both},
    Allowed{"audiodynamic", Where::Both},
    Allowed{"audioamplify", Where::Both},
    Allowed{"audioinvert", Where::Both},
    Allowed{"audioecho", Where::Both},
    Allowed{"equalizer-3bands", Where::Both},
    Allowed{"equalizer-10bands", Where::Both},
    Allowed{"tee", Where::Both},
    Allowed{"fakesink", Where::Both},
};

constexpr std::string_view kThread = "starts a thread of its own, and a call has none";
constexpr std::string_view kBuffers = "holds buffers back for another thread, and a call has none";
constexpr std::string_view kAutoplug = "chooses its parts from what the network sends";
constexpr std::string_view kDrops = "drops frames, and the line needs one every 20 ms";

struct Refused {
    std::string_view factory;
    std::string_view why;
};

constexpr std::array kRefused{
    Refused{"queue", kThread},
    Refused{"queue2", kThread},
    Refused{"multiqueue", kThread},
    Refused{"downloadbuffer", kThread},
    Refused{"udpsrc", kThread},
    Refused{"multiudpsrc", kThread},
    Refused{"tcpclientsrc", kThread},
    Refused{"tcpserversrc", kThread},
    Refused{"filesrc", kThread},
    Refused{"fdsrc", kThread},
    Refused{"appsrc", kThread},
    Refused{"appsink", kBuffers},
    Refused{"audiotestsrc", kThread},
    Refused{"fakesrc", kThread},
    Refused{"alsasrc", kThread},
    Refused{"pulsesrc", kThread},
    Refused{"autoaudiosrc", kThread},
    Refused{"alsasink", kThread},
    Refused{"pulsesink", kThread},
    Refused{"autoaudiosink", kThread},
    Refused{"rtpjitterbuffer", kThread},
    Refused{"rtpbin", kThread},
    Refused{"rtpsession", kThread},
    Refused{"rtpsrc", kThread},
    Refused{"rtpsink", kThread},
    Refused{"webrtcbin", kThread},
    Refused{"nicesrc", kThread},
    Refused{"audiomixer", kThread},
    Refused{"liveadder", kThread},
    Refused{"interleave", kThread},
    Refused{"audiointerleave", kThread},
    Refused{"interaudiosrc", kThread},
    Refused{"input-selector", kBuffers},
    Refused{"concat", kBuffers},
    Refused{"clocksync", "waits for the clock, and the worker's tick is the only pace"},
    Refused{"decodebin", kAutoplug},
    Refused{"decodebin3", kAutoplug},
    Refused{"parsebin", kAutoplug},
    Refused{"uridecodebin", kAutoplug},
    Refused{"uridecodebin3", kAutoplug},
    Refused{"playbin", kAutoplug},
    Refused{"playbin3", kAutoplug},
    Refused{"removesilence", kDrops},
    Refused{"valve", kDrops},
    Refused{"cutter", kDrops},
};

struct OneValue {
    std::string_view factory;
    std::string_view property;
    std::string_view value;  ///< the only one allowed; empty: none
    std::string_view why;
};

constexpr std::string_view kBreaksPace = "breaks one packet every 20 ms";
constexpr std::string_view kSetByCall = "is set for each call";

constexpr std::array kFixed{
    OneValue{"opusenc", "dtx", "false", kBreaksPace},
    OneValue{"opusenc", "frame-size", "20", kBreaksPace},
    OneValue{"rtpopuspay", "dtx", "false", kBreaksPace},
    OneValue{"", "min-ptime", "20000000", kBreaksPace},
    OneValue{"", "max-ptime", "20000000", kBreaksPace},
    OneValue{"", "perfect-rtptime", "true", "breaks the timestamps of the line"},
    OneValue{
        "identity", "sync", "false", "waits for the clock, and the worker's tick is the only pace"},
    OneValue{"identity", "sleep-time", "0", "makes the worker sleep, and with it every other call"},
    OneValue{"identity", "drop-probability", "0", kDrops},
    OneValue{"identity", "drop-buffer-flags", "", kDrops},
    OneValue{"identity", "eos-after", "-1", "ends the stream of a call that goes on"},
    OneValue{"identity", "error-after", "-1", "ends the stream of a call that goes on"},
    OneValue{"rtpcallsrc", "context", "", kSetByCall},
    OneValue{"rtpcallsrc", "session", "", kSetByCall},
    OneValue{"rtpcallsrc", "address", "", kSetByCall},
    OneValue{"rtpcallsrc", "port", "", kSetByCall},
    OneValue{"rtpcallsrc", "remote-address", "", kSetByCall},
    OneValue{"rtpcallsrc", "remote-port", "", kSetByCall},
    OneValue{"rtpcallsrc", "codec", "", kSetByCall},
    OneValue{"rtpcallsrc", "payload-type", "", kSetByCall},
    OneValue{"rtpcallsrc", "telephone-event-type", "", kSetByCall},
    OneValue{"linekeeper", "context", "", kSetByCall},
    OneValue{"linekeeper", "rate", "", kSetByCall},
    OneValue{"rtpcallsink", "context", "", kSetByCall},
    OneValue{"rtpcallsink", "session", "", kSetByCall},
    OneValue{"rtpcallsink", "address", "", kSetByCall},
    OneValue{"rtpcallsink", "port", "", kSetByCall},
    OneValue{"rtpcallsink", "remote-address", "", kSetByCall},
    OneValue{"rtpcallsink", "remote-port", "", kSetByCall},
    OneValue{"rtpcallsink", "codec", "", kSetByCall},
    OneValue{"rtpcallsink", "payload-type", "", kSetByCall},
    OneValue{"rtpcallsink", "telephone-event-type", "", kSetByCall},
};

constexpr std::string_view kCore = "libgstreamer1.0-0";
constexpr std::string_view kBase = "gstreamer1.0-plugins-base";
constexpr std::string_view kGood = "gstreamer1.0-plugins-good";
constexpr std::string_view kBad = "gstreamer1.0-plugins-bad";
constexpr std::string_view kUgly = "gstreamer1.0-plugins-ugly";
constexpr std::string_view kLibav = "gstreamer1.0-libav";

struct Packaged {
    std::string_view factory;
    std::string_view package;
};

constexpr std::array kPackages{
    Packaged{"capsfilter", kCore},
    Packaged{"fakesink", kCore},
    Packaged{"filesink", kCore},
    Packaged{"identity", kCore},
    Packaged{"queue", kCore},
    Packaged{"tee", kCore},
    Packaged{"audioconvert", kBase},
    Packaged{"audiomixer", kBase},
    Packaged{"audiorate", kBase},
    Packaged{"audioresample", kBase},
    Packaged{"opusdec", kBase},
    Packaged{"opusenc", kBase},
    Packaged{"vorbisenc", kBase},
    Packaged{"oggmux", kBase},
    Packaged{"volume", kBase},
    Packaged{"alawdec", kGood},
    Packaged{"alawenc", kGood},
    Packaged{"audioamplify", kGood},
    Packaged{"audiochebband", kGood},
    Packaged{"audiocheblimit", kGood},
    Packaged{"audiodynamic", kGood},
    Packaged{"audioecho", kGood},
    Packaged{"audiofirfilter", kGood},
    Packaged{"audioiirfilter", kGood},
    Packaged{"audioinvert", kGood},
    Packaged{"audiokaraoke", kGood},
    Packaged{"audiopanorama", kGood},
    Packaged{"audiowsincband", kGood},
    Packaged{"audiowsinclimit", kGood},
    Packaged{"cutter", kGood},
    Packaged{"equalizer-10bands", kGood},
    Packaged{"equalizer-3bands", kGood},
    Packaged{"equalizer-nbands", kGood},
    Packaged{"flacenc", kGood},
    Packaged{"lamemp3enc", kGood},
    Packaged{"level", kGood},
    Packaged{"mulawdec", kGood},
    Packaged{"mulawenc", kGood},
    Packaged{"rganalysis", kGood},
    Packaged{"rgvolume", kGood},
    Packaged{"rtpg722depay", kGood},
    Packaged{"rtpg722pay", kGood},
    Packaged{"rtpopusdepay", kGood},
    Packaged{"rtpopuspay", kGood},
    Packaged{"rtppcmadepay", kGood},
    Packaged{"rtppcmapay", kGood},
    Packaged{"rtppcmudepay", kGood},
    Packaged{"rtppcmupay", kGood},
    Packaged{"scaletempo", kGood},
    Packaged{"spectrum", kGood},
    Packaged{"wavenc", kGood},
    Packaged{"audiobuffersplit", kBad},
    Packaged{"audiomixmatrix", kBad},
    Packaged{"bs2b", kBad},
    Packaged{"removesilence", kBad},
    Packaged{"webrtcdsp", kBad},
    Packaged{"webrtcechoprobe", kBad},
    Packaged{"a52dec", kUgly},
    Packaged{"amrnbdec", kUgly},
    Packaged{"amrnbenc", kUgly},
    Packaged{"amrwbdec", kUgly},
};

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

bool is_extra(std::string_view factory, const LaunchRules& rules) {
    return std::find(rules.extra_elements.begin(), rules.extra_elements.end(), factory) !=
           rules.extra_elements.end();
}

}  // namespace

std::string_view name_of(LaunchSide side) noexcept {
    return side == LaunchSide::Inbound ? "inbound" : "outbound";
}

std::optional<LaunchComplaint> complain_about_factory(std::string_view factory,
                                                      LaunchSide side,
                                                      const LaunchRules& rules) {
    const auto* entry = std::find_if(kAllowed.begin(), kAllowed.end(), [&](const Allowed& allowed) {
        return allowed.factory == factory;
    });
    if (entry == kAllowed.end()) {
        if (is_extra(factory, rules)) return std::nullopt;
        return LaunchComplaint{
            "element " + quoted(factory) + " is not on the list of allowed elements",
            "if you trust it on the media worker, add it to [media] allow_elements"};
    }
    const Where here = side == LaunchSide::Inbound ? Where::InboundOnly : Where::OutboundOnly;
    if (entry->where == Where::Both || entry->where == here || is_extra(factory, rules))
        return std::nullopt;
    return LaunchComplaint{
        "element " + quoted(factory) + " does not belong in [" + std::string(name_of(side)) + "]",
        side == LaunchSide::Outbound
            ? "it does not give one 20 ms frame for each it gets, or works on received sound"
            : "it works on sound that is sent"};
}

std::optional<LaunchComplaint> complain_about_thread(std::string_view factory,
                                                     const LaunchRules& rules) {
    if (rules.allow_threads) return std::nullopt;
    const auto* entry = std::find_if(kRefused.begin(), kRefused.end(), [&](const Refused& refused) {
        return refused.factory == factory;
    });
    if (entry == kRefused.end()) return std::nullopt;
    return LaunchComplaint{
        "element " + quoted(factory) + " is refused: it " + std::string(entry->why),
        "the media worker drives the whole chain; allow_elements does not change this"};
}

std::optional<LaunchComplaint> complain_about_property(std::string_view factory,
                                                       std::string_view property,
                                                       std::string_view value) {
    for (const OneValue& fixed : kFixed) {
        const bool payloader = fixed.factory.empty() && factory.starts_with("rtp") &&
                               factory.ends_with("pay") && !factory.ends_with("depay");
        if ((fixed.factory != factory && !payloader) || fixed.property != property) continue;
        if (!fixed.value.empty() && value == fixed.value) continue;
        std::string reason = std::string(factory) + " " + std::string(property) + "=" +
                             std::string(value) + " " + std::string(fixed.why);
        std::string hint = fixed.value.empty() ? "leave it out"
                                               : "only " + std::string(fixed.value) + " is allowed";
        return LaunchComplaint{std::move(reason), std::move(hint)};
    }
    return std::nullopt;
}

std::string_view debian_package_of(std::string_view factory) noexcept {
    for (const Packaged& packaged : kPackages) {
        if (packaged.factory == factory) return packaged.package;
    }
    if (factory.starts_with("avenc_") || factory.starts_with("avdec_")) return kLibav;
    if (factory.starts_with("ladspa-")) return kBad;
    return {};
}

std::vector<std::string_view> allowed_factories(const LaunchRules& rules) {
    std::vector<std::string_view> names;
    for (const Allowed& allowed : kAllowed) names.push_back(allowed.factory);
    for (const std::string& extra : rules.extra_elements) names.push_back(extra);
    return names;
}

}  // namespace offhook::media
