#pragma once

#include <gst/gst.h>

#include <exception>

namespace offhook::glib {

/// The wall between C++ and C: runs `fn`; an exception becomes an element error and `fallback`.
template <class Fallback, class Fn>
Fallback guarded(GstElement* element, Fallback fallback, Fn&& fn) noexcept {
    try {
        return fn();
    } catch (const std::exception& e) {
        GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("Internal error"), ("%s", e.what()));
        return fallback;
    }
}

}  // namespace offhook::glib
