#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "media/launch_rules.h"
#include "media/launch_syntax.h"
#include "model/codec.h"

namespace offhook::media {

/// What one section turned out to be.
struct LaunchFindings {
    bool open_end = false;              ///< the last element's src pad is free: it gets a fakesink
    std::vector<std::string> elements;  ///< factories in the order of the text
};

/// Names seen so far in a file; both sections share one name space.
using LaunchNames = std::set<std::string, std::less<>>;

/// Judges one section against GStreamer's registry and our rules, then builds it once and takes it
/// to READY: the whole of facts that GStreamer's parser does not check. Opens nothing remote; the
/// instance is gone on return.
/// @param graph  the section as text says it, every placeholder replaced
/// @thread control; needs gst_init and our elements registered. Milliseconds.
/// @errors Malformed with "path:line: reason (hint)"
[[nodiscard]] base::Result<LaunchFindings> check_section(const LaunchSource& source,
                                                         LaunchSide side,
                                                         const LaunchGraph& graph,
                                                         const LaunchRules& rules,
                                                         LaunchNames& names);

/// False when the section names another codec's stock elements outright (`mulawenc` in a file for
/// PCMA).
[[nodiscard]] bool fits_codec(const LaunchGraph& graph, model::Codec codec);

}  // namespace offhook::media
