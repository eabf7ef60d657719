#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "glib/error_out.h"
#include "glib/ref.h"
#include "signalling/sip/stream_framer.h"

namespace offhook::signalling::sip {

/// The bytes of one connection, TCP or TLS: cuts them into messages, answers pings, and queues what
/// the kernel does not take at once. Who accepts or dials, and when a silent one goes, is its
/// owner's business.
/// @thread sip
class StreamConnection final : public std::enable_shared_from_this<StreamConnection> {
public:
    /// The owner. Its methods may close the connection and let go of it.
    class Listener {
    public:
        virtual void on_stream_message(std::string_view text) = 0;
        virtual void on_stream_malformed(std::string_view why) = 0;
        /// The connection is gone, and not by `close`. Told from inside `send`, too.
        virtual void on_stream_closed(base::Error why) = 0;

    protected:
        ~Listener() = default;
    };

    /// @param peer             for sentences: "192.0.2.1:5061"
    /// @param max_queue_bytes  unsent bytes it may hold before it is closed
    StreamConnection(GMainContext* context,
                     Listener& listener,
                     std::string peer,
                     std::size_t max_queue_bytes);
    ~StreamConnection();
    StreamConnection(const StreamConnection&) = delete;
    StreamConnection& operator=(const StreamConnection&) = delete;

    /// Takes a connected stream with pollable ends and sends what was queued before.
    void attach(glib::Ref<GIOStream> stream);
    /// Hands over or queues all of `bytes`. False when the connection is closed, or has just been
    /// because of it.
    bool send(std::string_view bytes);
    void close();

    [[nodiscard]] bool is_open() const { return is_open_; }
    /// When a byte of the peer came last; the start, before the first. `monotonic_ns`.
    [[nodiscard]] std::int64_t heard_ns() const { return heard_ns_; }
    /// Since when a message waits for its rest; 0: none does.
    [[nodiscard]] std::int64_t partial_since_ns() const { return partial_since_ns_; }
    /// Sends CRLF CRLF (RFC 5626 §4.4.1).
    bool ping();
    /// True once the peer answered a ping.
    [[nodiscard]] bool has_seen_pong() const { return has_seen_pong_; }

private:
    void on_readable();
    bool drain();
    bool flush();
    void watch_writable();
    void lost(base::Error why);
    [[nodiscard]] base::Error broken(const glib::GErrorOut& error) const;

    GMainContext* context_;
    Listener& listener_;
    std::string peer_;
    std::size_t max_queue_bytes_;
    bool is_open_ = true;
    glib::Ref<GIOStream> stream_;
    GSource* reader_ = nullptr;
    GSource* writer_ = nullptr;
    StreamFramer framer_;
    std::string queue_;
    /// Bytes of `queue_` that TLS refused to take and wants to see again as they were; 0: none.
    std::size_t refused_bytes_ = 0;
    std::int64_t heard_ns_ = 0;
    std::int64_t partial_since_ns_ = 0;
    bool awaits_pong_ = false;
    bool has_seen_pong_ = false;
};

}  // namespace offhook::signalling::sip
