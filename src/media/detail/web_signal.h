#pragma once

#include <glib-object.h>

#include <exception>
#include <utility>

#include "base/log.h"

namespace offhook::media::detail {

/// The wall of GObject callbacks that have no element to report to: an exception ends in the log.
template <class Fn>
void walled(Fn&& fn) noexcept {
    try {
        fn();
    } catch (const std::exception& e) {
        log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
    }
}

/// Connects a C callback whose user data is a copy of `data`, deleted with the connection.
template <class Data>
gulong connect(gpointer object, const char* signal, GCallback callback, Data data) {
    return g_signal_connect_data(
        object,
        signal,
        callback,
        new Data(std::move(data)),
        [](gpointer mine, GClosure*) { delete static_cast<Data*>(mine); },
        static_cast<GConnectFlags>(0));
}

}  // namespace offhook::media::detail
