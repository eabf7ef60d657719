#include "http/websocket_link.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::http {
namespace {

using base::ErrorCode;

/// Frame headers and control frames beside the message itself, in the bound of unclaimed bytes.
constexpr std::size_t kFramingBytes = 64 * 1024;
constexpr std::size_t kMaxFrameHeaderBytes = 14;
constexpr std::chrono::seconds kTimerSlack{1};
/// How long a goodbye may take once nobody wants to know.
constexpr std::chrono::milliseconds kGoodbye{1'000};

}  // namespace

std::shared_ptr<WebSocketLink> WebSocketLink::begin(Parts parts) {
    auto link = std::make_shared<WebSocketLink>(std::move(parts));
    link->start();
    return link;
}

WebSocketLink::WebSocketLink(Parts parts)
    : parts_(std::move(parts)),
      context_(glib::Ref<GMainContext>::adopt(g_main_context_ref_thread_default())) {}

WebSocketLink::~WebSocketLink() {
    let_go();
}

void WebSocketLink::start() {
    guard_ = std::make_shared<StreamGuard>();
    guard_->early = std::move(parts_.early);
    guard_->max_unclaimed = parts_.max_message_bytes + kFramingBytes;
    const auto stream = guarded_stream(parts_.stream.get(), guard_);
    const glib::Unique<GUri, g_uri_unref> uri(
        g_uri_parse(parts_.url.c_str(), static_cast<GUriFlags>(SOUP_HTTP_URI_FLAGS), nullptr));
    if (!uri)
        return fail(
            WebSocketEnd::Broken, ErrorCode::InvalidArgument, "\"" + parts_.url + "\" is no URL");
    socket_ = glib::Ref<SoupWebsocketConnection>::adopt(soup_websocket_connection_new(
        stream.get(), uri.get(), parts_.side, nullptr, nullptr, nullptr));
    soup_websocket_connection_set_max_incoming_payload_size(socket_.get(),
                                                            parts_.max_message_bytes);
    const auto connect = [this](const char* signal, GCallback callback) {
        g_signal_connect(socket_.get(), signal, callback, this);
    };
    connect("message", G_CALLBACK(&WebSocketLink::on_message));
    connect("error", G_CALLBACK(&WebSocketLink::on_error));
    connect("closed", G_CALLBACK(+[](SoupWebsocketConnection*, gpointer data) {
                static_cast<WebSocketLink*>(data)->on_closed();
            }));
    connect("pong", G_CALLBACK(+[](SoupWebsocketConnection*, GBytes*, gpointer data) {
                auto* self = static_cast<WebSocketLink*>(data);
                self->guard_->claim();
                self->traffic_.last_pong_ns = base::monotonic_ns();
            }));
    if (parts_.ping.count() <= 0) return;
    // GLib may add up to a second to a timer of whole seconds.
    const std::chrono::seconds interval =
        std::max(parts_.ping - kTimerSlack, std::chrono::seconds(1));
    soup_websocket_connection_set_keepalive_interval(socket_.get(),
                                                     static_cast<guint>(interval.count()));
    longest_silence_ = interval + kTimerSlack + parts_.pong_timeout;
    watch_silence();
}

bool WebSocketLink::send(std::string_view message) {
    if (!is_open()) return false;
    // Pings are written and were never queued: what was written counts as queued at least.
    queued_bytes_ = std::max(queued_bytes_, guard_->written_bytes);
    const std::uint64_t waiting = queued_bytes_ - guard_->written_bytes;
    if (waiting + message.size() > parts_.max_queue_bytes) {
        fail(WebSocketEnd::Slow,
             ErrorCode::LimitReached,
             parts_.where + " takes our messages too slowly: its connection was closed");
        return false;
    }
    ++traffic_.sent_messages;
    traffic_.sent_bytes += message.size();
    queued_bytes_ += message.size() + kMaxFrameHeaderBytes;
    const bool is_text = g_utf8_validate_len(message.data(), message.size(), nullptr) == TRUE;
    const auto bytes = glib::Ref<GBytes>::adopt(g_bytes_new(message.data(), message.size()));
    soup_websocket_connection_send_message(
        socket_.get(),
        is_text ? SOUP_WEBSOCKET_DATA_TEXT : SOUP_WEBSOCKET_DATA_BINARY,
        bytes.get());
    return true;
}

bool WebSocketLink::is_open() const {
    return is_told_ && socket_ &&
           soup_websocket_connection_get_state(socket_.get()) == SOUP_WEBSOCKET_STATE_OPEN;
}

void WebSocketLink::abandon(int code, const std::string& reason) {
    const bool was_open = is_open();
    is_told_ = false;
    if (!was_open) return let_go();
    timer_.once(context_.get(), kGoodbye, [self = shared_from_this()] { self->let_go(); });
    if (soup_websocket_connection_get_state(socket_.get()) == SOUP_WEBSOCKET_STATE_OPEN) {
        soup_websocket_connection_close(
            socket_.get(), static_cast<gushort>(code), reason.empty() ? nullptr : reason.c_str());
    }
}

/// libsoup sends pings and never misses a pong: silence longer than a ping and its answer ends the
/// connection.
void WebSocketLink::watch_silence() {
    const std::chrono::milliseconds silence((base::monotonic_ns() - guard_->heard_ns) /
                                            base::kNsPerMs);
    if (silence >= longest_silence_) {
        return fail(WebSocketEnd::Silent,
                    ErrorCode::Timeout,
                    "no answer to a ping from " + parts_.where + " in " +
                        std::to_string(parts_.pong_timeout.count()) +
                        " ms: the path is cut, or the other side stopped");
    }
    timer_.once(context_.get(), longest_silence_ - silence, [this] { watch_silence(); });
}

void WebSocketLink::on_message(SoupWebsocketConnection*, int, GBytes* bytes, gpointer data) {
    const auto self = static_cast<WebSocketLink*>(data)->shared_from_this();
    self->guard_->claim();
    if (!self->is_told_) return;
    gsize size = 0;
    const auto* text = static_cast<const char*>(g_bytes_get_data(bytes, &size));
    if (size > self->parts_.max_message_bytes) return self->too_long();
    ++self->traffic_.received_messages;
    self->traffic_.received_bytes += size;
    try {
        const auto told = self->parts_.events.on_message;  // may drop itself while it runs
        told({text, size});
    } catch (const std::exception& e) {
        log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
    }
}

void WebSocketLink::on_error(SoupWebsocketConnection*, GError* error, gpointer data) {
    const auto self = static_cast<WebSocketLink*>(data)->shared_from_this();
    self->cause_ = error == nullptr ? "" : error->message;
    self->is_cut_ = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) == TRUE;
    if (self->guard_->is_over ||
        g_error_matches(error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_TOO_BIG)) {
        self->too_long();
    }
}

void WebSocketLink::too_long() {
    if (!is_told_) return;
    fail(WebSocketEnd::TooLarge,
         ErrorCode::LimitReached,
         parts_.where + " sent a message of more than " +
             std::to_string(parts_.max_message_bytes / 1024) + " KiB: its connection was closed");
}

void WebSocketLink::on_closed() {
    const auto keep = shared_from_this();
    if (!is_told_) return let_go();
    const int code = soup_websocket_connection_get_close_code(socket_.get());
    const char* reason = soup_websocket_connection_get_close_data(socket_.get());
    std::string why = parts_.where + " closed the WebSocket";
    const bool has_code = code != 0 && code != SOUP_WEBSOCKET_CLOSE_NO_STATUS &&
                          code != SOUP_WEBSOCKET_CLOSE_ABNORMAL;
    if (is_cut_) {
        why = parts_.where + " does not acknowledge what is sent to it: the path is cut";
    } else if (!cause_.empty()) {
        why = "the WebSocket to " + parts_.where + " broke";
    } else if (has_code) {
        why += " with code " + std::to_string(code);
        if (reason != nullptr && *reason != '\0') {
            why += " \"" + base::escape_untrusted(reason, 128) + "\"";
        }
    }
    ended_ = has_code && cause_.empty() ? WebSocketEnd::Closed : WebSocketEnd::Broken;
    end({ErrorCode::Unavailable, why, cause_}, has_code ? code : 0);
}

void WebSocketLink::fail(WebSocketEnd how, ErrorCode code, const std::string& why) {
    ended_ = how;
    end({code, why, {}}, 0);
}

WebSocketTraffic WebSocketLink::traffic() const {
    WebSocketTraffic traffic = traffic_;
    if (!guard_) return traffic;
    traffic.queue_bytes =
        queued_bytes_ > guard_->written_bytes ? queued_bytes_ - guard_->written_bytes : 0;
    traffic.last_heard_ns = guard_->heard_ns;
    return traffic;
}

void WebSocketLink::end(base::Error why, int code) {
    const auto keep = shared_from_this();
    let_go();
    if (!std::exchange(is_told_, false)) return;
    const auto told = std::move(parts_.events.on_closed);
    told(std::move(why), code);
}

void WebSocketLink::let_go() {
    timer_.cancel();
    if (const auto cut = std::exchange(parts_.cut, nullptr)) {
        if (socket_) g_signal_handlers_disconnect_by_data(socket_.get(), this);
        if (guard_) guard_->is_closed = true;
        cut();  // libsoup would wait for the peer's goodbye
    }
    parts_.stream.reset();
    if (!socket_) return;
    // libsoup goes on with its object after a signal; this must not be the last to hold it.
    GSource* source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_HIGH);
    g_source_set_callback(
        source,
        [](gpointer) -> gboolean { return G_SOURCE_REMOVE; },
        socket_.release(),
        g_object_unref);
    g_source_attach(source, context_.get());
    g_source_unref(source);
}

}  // namespace offhook::http
