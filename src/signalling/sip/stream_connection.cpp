#include "signalling/sip/stream_connection.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/monotonic.h"
#include "glib/error_out.h"
#include "glib/stream_dialer.h"

namespace offhook::signalling::sip {
namespace {

/// Per read, and a whole TLS record: what TLS keeps back would not make the socket readable.
constexpr std::size_t kReadBytes = 16 * 1024;
constexpr int kReadMax = 8;  // reads per wake-up: other connections get their turn
constexpr std::size_t kWriteBytes = 16 * 1024;

void stop(GSource*& source) {
    if (GSource* stopped = std::exchange(source, nullptr)) {
        g_source_destroy(stopped);
        g_source_unref(stopped);
    }
}

template <class Callback>
GSource* watch(GSource* source, GMainContext* context, Callback callback) {
    const GPollableSourceFunc run = [](GObject*, gpointer data) -> gboolean {
        // The callback may stop its own source, which frees it: run a copy.
        const Callback copy = *static_cast<Callback*>(data);
        try {
            copy();
        } catch (const std::exception& e) {
            log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
        }
        return G_SOURCE_CONTINUE;
    };
    g_source_set_callback(
        source, G_SOURCE_FUNC(run), new Callback(std::move(callback)), [](gpointer data) {
            delete static_cast<Callback*>(data);
        });
    g_source_attach(source, context);
    return source;
}

}  // namespace

StreamConnection::StreamConnection(GMainContext* context,
                                   Listener& listener,
                                   std::string peer,
                                   std::size_t max_queue_bytes)
    : context_(context),
      listener_(listener),
      peer_(std::move(peer)),
      max_queue_bytes_(max_queue_bytes),
      heard_ns_(base::monotonic_ns()) {}

StreamConnection::~StreamConnection() {
    close();
}

void StreamConnection::attach(glib::Ref<GIOStream> stream) {
    if (!is_open_) return;
    stream_ = std::move(stream);
    heard_ns_ = base::monotonic_ns();
    GSource* source = g_pollable_input_stream_create_source(
        G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(stream_.get())), nullptr);
    reader_ = watch(source, context_, [this] { on_readable(); });
    if (!queue_.empty()) watch_writable();
}

void StreamConnection::close() {
    is_open_ = false;
    stop(reader_);
    stop(writer_);
    queue_.clear();
    if (stream_) glib::close_at_once(stream_.get());
    stream_.reset();
}

void StreamConnection::lost(base::Error why) {
    if (!is_open_) return;
    close();
    listener_.on_stream_closed(std::move(why));
}

base::Error StreamConnection::broken(const glib::GErrorOut& error) const {
    if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        return {base::ErrorCode::Timeout,
                peer_ + " does not acknowledge what is sent to it: the path is cut",
                error.text()};
    }
    return {base::ErrorCode::Io, "the connection to " + peer_ + " broke", error.text()};
}

bool StreamConnection::send(std::string_view bytes) {
    if (!is_open_) return false;
    if (queue_.size() + bytes.size() > max_queue_bytes_) {
        const auto keep = weak_from_this().lock();
        lost({base::ErrorCode::LimitReached,
              peer_ + " takes our messages too slowly: its connection was closed",
              {}});
        return false;
    }
    const bool was_idle = queue_.empty();
    queue_ += bytes;
    if (!stream_ || !was_idle) return true;
    return flush();
}

bool StreamConnection::ping() {
    awaits_pong_ = true;
    return send("\r\n\r\n");
}

bool StreamConnection::flush() {
    const auto keep = weak_from_this().lock();
    auto* output = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(stream_.get()));
    while (!queue_.empty()) {
        const std::size_t offered =
            refused_bytes_ > 0 ? refused_bytes_ : std::min(queue_.size(), kWriteBytes);
        glib::GErrorOut error;
        const gssize n = g_pollable_output_stream_write_nonblocking(
            output, queue_.data(), offered, nullptr, error);
        if (n < 0 && g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
            refused_bytes_ = offered;
            watch_writable();
            return true;
        }
        if (n < 0) {
            lost(broken(error));
            return false;
        }
        refused_bytes_ = 0;
        queue_.erase(0, static_cast<std::size_t>(n));
    }
    stop(writer_);
    return true;
}

void StreamConnection::watch_writable() {
    if (writer_ != nullptr) return;
    GSource* source = g_pollable_output_stream_create_source(
        G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(stream_.get())), nullptr);
    writer_ = watch(source, context_, [this] { flush(); });
}

void StreamConnection::on_readable() {
    const auto keep = shared_from_this();
    auto* input = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(stream_.get()));
    std::array<char, kReadBytes> bytes{};
    for (int i = 0; i < kReadMax && is_open_; ++i) {
        glib::GErrorOut error;
        const gssize n = g_pollable_input_stream_read_nonblocking(
            input, bytes.data(), bytes.size(), nullptr, error);
        if (n < 0 && g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) return;
        if (n < 0) {
            return lost(broken(error));
        }
        if (n == 0) {
            return lost({base::ErrorCode::Unavailable, peer_ + " closed the connection", {}});
        }
        heard_ns_ = base::monotonic_ns();
        framer_.append({bytes.data(), static_cast<std::size_t>(n)});
        if (awaits_pong_ && framer_.take_pong()) {
            awaits_pong_ = false;
            has_seen_pong_ = true;
        }
        if (!drain()) return;
    }
}

/// False when the connection is gone.
bool StreamConnection::drain() {
    using Kind = StreamFramer::Step::Kind;
    while (is_open_) {
        const StreamFramer::Step step = framer_.next();
        switch (step.kind) {
            case Kind::NeedMore:
                if (!framer_.is_partial()) {
                    partial_since_ns_ = 0;
                } else if (partial_since_ns_ == 0) {
                    partial_since_ns_ = heard_ns_;
                }
                return true;
            case Kind::Message:
                partial_since_ns_ = 0;
                listener_.on_stream_message(step.text);
                break;
            case Kind::Ping:
                send("\r\n");
                break;
            case Kind::Broken: {
                const std::string why(step.text);
                listener_.on_stream_malformed(why);
                lost({base::ErrorCode::Malformed,
                      peer_ + " sent what is no SIP over a stream",
                      why});
                return false;
            }
        }
    }
    return false;
}

}  // namespace offhook::signalling::sip
