#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "media/launch_text.h"

namespace offhook::media {

struct LaunchProperty {
    std::string name;
    std::string value;  ///< without its quotes
    int line = 0;
};

/// One station of a chain.
struct LaunchNode {
    enum class Kind {
        Element,  ///< `word` is the factory
        Caps,     ///< `word` is the caps text between two `!`
        Branch,   ///< `word` is the name of an element above: `t. ! ...`
    };
    Kind kind = Kind::Element;
    std::string word;
    std::vector<LaunchProperty> properties;
    int line = 0;

    /// The value of `name=`; empty when there is none.
    [[nodiscard]] std::string_view name() const;
};

/// Nodes joined by `!`, in the order of the text.
using LaunchChain = std::vector<LaunchNode>;
using LaunchGraph = std::vector<LaunchChain>;

/// Reads the part of the gst-launch syntax that a leg needs: `element prop=value ! caps ! element`,
/// `name.` to branch from a tee. Refused with a reason: bins in parentheses, pads by name, `:`
/// links, URIs, child properties, presets, backslashes. What this accepts has one meaning only,
/// which GStreamer's own parser shares (docs/decisions).
/// @param text   the section with every placeholder replaced; its first line is `first_line` of the
/// file
[[nodiscard]] base::Result<LaunchGraph> parse_launch(const LaunchSource& source,
                                                     std::string_view text,
                                                     int first_line);

}  // namespace offhook::media
