#pragma once

#include <gio/gio.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "glib/ref.h"
#include "glib/timer.h"

namespace offhook::media::detail {

/// Looks up the names behind which browsers hide their addresses ("1f4712db-....local", mDNS). GIO
/// asks on its threads; nobody waits, and what is not known within the limit is left alone: such a
/// peer reaches us, and its checks tell its address.
///
/// webrtcbin 1.22 would ask as well, with a reference to its ICE agent that nothing takes back: it
/// is shown no names.
/// @thread control
class WebNames {
public:
    /// Of one peer, all its candidates together.
    static constexpr std::chrono::milliseconds kLimit{2'000};

    /// @param found  the candidate with a numeric address; not after destruction
    WebNames(GMainContext* context, std::function<void(std::string)> found);
    ~WebNames();
    WebNames(const WebNames&) = delete;
    WebNames& operator=(const WebNames&) = delete;

    /// Whether the address of this candidate is a name.
    [[nodiscard]] static bool is_hidden(std::string_view candidate);
    void look_up(const std::string& candidate);

private:
    GMainContext* context_;
    std::function<void(std::string)> found_;
    glib::Ref<GCancellable> cancellable_;
    glib::Timer limit_;
};

}  // namespace offhook::media::detail
