#pragma once

#include <gio/gio.h>

#include <functional>
#include <memory>

#include "glib/fd_watch.h"
#include "glib/ref.h"

namespace offhook::http {

/// Calls back while a stream can be read, and on request while it can be written. A plain socket is
/// watched through the one epoll descriptor of its context, so that thousands cost a turn of the
/// loop nothing; a TLS stream has sources of its own.
/// @thread the one that runs the context; the callback may stop the watch
class StreamWatch {
public:
    /// @param stream  pollable both ways  @param socket  below a stream without TLS; null: TLS
    /// @param ready  told whether it may be written
    StreamWatch(GMainContext* context,
                glib::Ref<GIOStream> stream,
                glib::Ref<GSocket> socket,
                std::function<void(bool writable)> ready);
    ~StreamWatch() { stop(); }
    StreamWatch(const StreamWatch&) = delete;
    StreamWatch& operator=(const StreamWatch&) = delete;

    void start();
    /// Whether the callback also comes while the stream can be written.
    void want_write(bool wanted);
    /// There may be more to read: a poll does not tell of what TLS has decrypted already.
    void again();
    /// Before the stream is closed.
    void stop();

private:
    void watch_socket();
    [[nodiscard]] GSource* attach(GSource* source, bool writes);

    glib::Ref<GMainContext> context_;
    glib::Ref<GIOStream> stream_;
    glib::Ref<GSocket> socket_;
    std::function<void(bool)> ready_;
    bool is_started_ = false, wants_write_ = false;
    glib::FdWatch fd_;
    GSource* input_ = nullptr;
    GSource* output_ = nullptr;
};

}  // namespace offhook::http
