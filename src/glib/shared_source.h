#pragma once

#include <glib.h>

#include <memory>
#include <mutex>
#include <unordered_map>

namespace offhook::glib::detail {

/// Finds what all users of one context share, and makes it for the first of them. It goes with its
/// last user.
/// @tparam T  made from a GMainContext*; `is_usable` says whether its GSource still is attached: a
/// new context may have the address of one that is gone
template <class T>
[[nodiscard]] std::shared_ptr<T> shared_by_users_of(GMainContext* context) {
    static std::mutex mutex;
    static std::unordered_map<GMainContext*, std::weak_ptr<T>> all;
    if (context == nullptr) context = g_main_context_default();
    const std::scoped_lock lock(mutex);
    std::weak_ptr<T>& known = all[context];
    if (auto found = known.lock(); found && found->is_usable()) return found;
    std::erase_if(
        all, [&](const auto& entry) { return entry.first != context && entry.second.expired(); });
    auto made = std::make_shared<T>(context);
    all[context] = made;
    return made;
}

}  // namespace offhook::glib::detail
