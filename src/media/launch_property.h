#pragma once

#include <glib-object.h>

#include <optional>
#include <string>
#include <string_view>

#include "media/launch_rules.h"

namespace offhook::media {

/// Judges `property=value` for an element as text, before anything is set: unknown property (with
/// the nearest name), not writable, a value that does not parse as the property's type, a number
/// outside its range, a word that is none of the enum's. GStreamer's parser lets a number out of
/// range pass with a warning and keeps the old value.
/// @param element   any instance of the factory; only its class is read
[[nodiscard]] std::optional<LaunchComplaint> complain_about_value(GObject* element,
                                                                  std::string_view factory,
                                                                  const std::string& property,
                                                                  const std::string& value);

}  // namespace offhook::media
