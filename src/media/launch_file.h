#pragma once

#include <gst/gst.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "glib/ref.h"
#include "media/launch_rules.h"
#include "media/launch_text.h"
#include "model/codec.h"

namespace offhook::media {

/// One call's elements, made from a file; all at NULL, in two bins that are in no pipeline yet.
struct LaunchBins {
    glib::Ref<GstElement> inbound;   ///< owns `in` and `tap`
    glib::Ref<GstElement> outbound;  ///< owns `voice` and `out`
    GstElement* in = nullptr;        ///< rtpcallsrc, borrowed
    GstElement* tap = nullptr;       ///< aitap, borrowed
    GstElement* voice = nullptr;     ///< linekeeper, borrowed
    GstElement* out = nullptr;       ///< rtpcallsink, borrowed
};

/// A *.launch file that passed every check. Immutable: a running call keeps the one it started
/// with, whatever a reload brings. Needs gst_init and our elements registered.
class LaunchFile {
public:
    /// Reads and checks the file for every codec, one dry instance each; tens of milliseconds.
    /// @errors one sentence "path:line: reason (hint)", all missing elements at once
    /// @thread control
    [[nodiscard]] static base::Result<std::shared_ptr<const LaunchFile>> load(
        const std::string& path, const LaunchRules& rules);
    /// The same for text that is in memory; `path` is used in messages only.
    [[nodiscard]] static base::Result<std::shared_ptr<const LaunchFile>> from_text(
        std::string path, std::string_view text, const LaunchRules& rules);

    /// Makes one call's elements: 0.03 ms for phone.launch, 0.07 for phone-stock.launch.
    /// @errors Unsupported: `supports(values.codec)` is false; InvalidArgument: a number out of its
    /// range
    /// @thread any
    [[nodiscard]] base::Result<LaunchBins> instantiate(const LaunchValues& values) const;

    [[nodiscard]] bool supports(model::Codec codec) const noexcept;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Factories in the order of the text, inbound first; of the first codec that the file
    /// supports.
    [[nodiscard]] const std::vector<std::string>& elements() const noexcept { return elements_; }

private:
    /// The text with everything in it that the codec decides.
    struct Variant {
        std::string inbound;
        std::string outbound;
        bool inbound_open = false;
    };

    LaunchFile() = default;
    static base::Result<std::shared_ptr<const LaunchFile>> check(LaunchSource source,
                                                                 const LaunchRules& rules);
    base::Result<void> check_codec(const LaunchSource& source,
                                   model::Codec codec,
                                   const LaunchRules& rules);

    std::string path_;
    std::array<std::optional<Variant>, model::kCodecs.size()> variants_;
    std::vector<std::string> elements_;
};

}  // namespace offhook::media
