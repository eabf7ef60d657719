#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace offhook::media {

/// The two halves of a *.launch file, named from the caller's point of view.
enum class LaunchSide {
    Inbound,   ///< [inbound]: caller -> channel
    Outbound,  ///< [outbound]: channel -> caller
};

/// "inbound" or "outbound".
[[nodiscard]] std::string_view name_of(LaunchSide side) noexcept;

/// What an operator may change about the checks of *.launch files.
struct LaunchRules {
    std::vector<std::string>
        extra_elements;  ///< factories allowed beside the built-in list ([media] allow_elements)
    bool allow_threads = false;  ///< accept elements that start a thread of their own
};

/// An element that every file must have exactly once, so that the leg finds it.
struct LaunchAnchor {
    std::string_view name;
    std::string_view factory;
    LaunchSide side;
};

inline constexpr LaunchAnchor kLaunchAnchors[] = {
    {"in", "rtpcallsrc", LaunchSide::Inbound},
    {"tap", "aitap", LaunchSide::Inbound},
    {"voice", "linekeeper", LaunchSide::Outbound},
    {"out", "rtpcallsink", LaunchSide::Outbound},
};

/// Why an element or a property is refused, and what to do instead. Printed as "reason (hint)".
struct LaunchComplaint {
    std::string reason;
    std::string hint;
};

/// Whether the factory may stand on this side: the built-in list, then `rules.extra_elements`.
[[nodiscard]] std::optional<LaunchComplaint> complain_about_factory(std::string_view factory,
                                                                    LaunchSide side,
                                                                    const LaunchRules& rules);

/// Factories that bring a thread, a clock wait or autoplugging into the worker's tick; refused
/// whatever the allow-list says, unless `rules.allow_threads`. Works for factories that are not
/// installed as well.
[[nodiscard]] std::optional<LaunchComplaint> complain_about_thread(std::string_view factory,
                                                                   const LaunchRules& rules);

/// Properties that the leg sets itself, or that would break "one packet every 20 ms" (dtx,
/// sleep-time, other ptimes).
[[nodiscard]] std::optional<LaunchComplaint> complain_about_property(std::string_view factory,
                                                                     std::string_view property,
                                                                     std::string_view value);

/// The Debian 12 package that has the factory; empty when this table does not know it.
[[nodiscard]] std::string_view debian_package_of(std::string_view factory) noexcept;

/// The built-in allow-list, for "did you mean" and for the documentation test.
[[nodiscard]] std::vector<std::string_view> allowed_factories(const LaunchRules& rules);

}  // namespace offhook::media
