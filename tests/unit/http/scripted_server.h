#pragma once

#include <gio/gio.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "glib/ref.h"

namespace offhook::testing {

/// An HTTP server on 127.0.0.1 that says exactly the bytes it is told, over TLS or not, on threads
/// of its own.
class ScriptedServer {
public:
    struct Reply {
        std::string bytes;       ///< status line, headers and body as they go out
        bool hold_open = false;  ///< then nothing, until the client closes
    };
    /// @param request head and body as they came in
    using Script = std::function<Reply(const std::string& request)>;

    /// @param pem key and certificate; empty: no TLS
    ScriptedServer(const std::string& pem, Script script);
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    [[nodiscard]] unsigned port() const;
    /// Waits up to 10 s until a client closed a connection that was held open.
    [[nodiscard]] bool saw_close();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
    glib::Ref<GMainContext> context_;
    glib::Ref<GMainLoop> loop_;
    glib::Ref<GSocketService> service_;
    unsigned port_ = 0;
    std::thread thread_;
};

}  // namespace offhook::testing
