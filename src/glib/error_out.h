#pragma once

#include <glib.h>

#include <string>
#include <utility>

#include "base/error.h"

namespace offhook::glib {

/// Collects a `GError**` and turns it into a base::Error once: `GErrorOut e; f(..., e); if (e)
/// return e.fail(...)`.
class GErrorOut {
public:
    GErrorOut() = default;
    GErrorOut(const GErrorOut&) = delete;
    GErrorOut& operator=(const GErrorOut&) = delete;
    ~GErrorOut() { g_clear_error(&error_); }

    operator GError**() {
        return &error_;
    }  // NOLINT(google-explicit-constructor): stands where GLib wants one
    explicit operator bool() const { return error_ != nullptr; }
    [[nodiscard]] const GError* get() const { return error_; }
    [[nodiscard]] std::string text() const { return error_ ? error_->message : std::string(); }
    [[nodiscard]] tl::unexpected<base::Error> fail(base::ErrorCode code,
                                                   std::string message) const {
        return base::fail(code, std::move(message), text());
    }

private:
    GError* error_ = nullptr;
};

}  // namespace offhook::glib
