#pragma once

#include <gst/gst.h>

#include <string>

#include "base/error.h"
#include "glib/ref.h"
#include "media/launch_syntax.h"

namespace offhook::media {

/// Parses a checked section into a fresh bin, everything in it at NULL.
/// @errors Unsupported: two neighbours cannot be linked; Internal: anything else; both with the
/// parser's words
[[nodiscard]] base::Result<glib::Ref<GstElement>> parse_bin(const std::string& text);

/// The direct child of that name, borrowed from the bin; null when there is none.
[[nodiscard]] GstElement* child_named(GstElement* bin, std::string_view name);

/// Gives the one free src pad of the bin (not an aitap's) a fakesink that neither waits nor delays
/// the start.
[[nodiscard]] base::Result<void> close_open_end(GstElement* bin);

/// Builds the section once from the graph, finds links that GStreamer refuses, pads left dangling,
/// elements that do not reach READY and neighbours that then have no format in common. Everything
/// is torn down on return.
/// @errors Malformed with "path:line: reason (hint)"
[[nodiscard]] base::Result<void> check_instance(const LaunchSource& source,
                                                const LaunchGraph& graph);

}  // namespace offhook::media
