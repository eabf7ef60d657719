#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <memory>
#include <string>

#include "glib/ref.h"

namespace offhook::http {

/// What passes through a guarded stream. Shared by the stream, which counts, and its owner, who
/// looks.
struct StreamGuard {
    std::string early;              ///< read already; given out before what the stream has
    std::size_t max_unclaimed = 0;  ///< bytes that may come without a `claim`
    std::size_t unclaimed = 0;      ///< bytes since the last `claim`
    bool is_over = false;           ///< more came: reading failed with G_IO_ERROR_MESSAGE_TOO_LARGE
    bool is_closed = false;         ///< the base is: it must not be polled any more
    std::uint64_t written_bytes = 0;
    std::int64_t heard_ns = 0;  ///< when a byte came last, `monotonic_ns`

    /// What came until now made a message, or was allowed for another reason.
    void claim() { unclaimed = 0; }
};

/// A stream over `base` for libsoup 3.2's WebSocket, which joins fragments without a bound, says
/// nothing about bytes that are no message yet, and does not tell how much waits to be written.
/// Both ends of `base` have to be pollable, and both of the result are.
[[nodiscard]] glib::Ref<GIOStream> guarded_stream(GIOStream* base,
                                                  std::shared_ptr<StreamGuard> guard);

}  // namespace offhook::http
