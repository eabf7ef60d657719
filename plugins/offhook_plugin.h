#pragma once

namespace offhook {

/// Registers the elements in this process, so that the program needs no plugin path. After
/// gst_init.
/// @return false when GStreamer refused (never seen)
[[nodiscard]] bool register_elements();

}  // namespace offhook
