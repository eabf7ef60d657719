#include "http/websocket_client.h"

#include <libsoup/soup.h>

#include <algorithm>
#include <array>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "glib/error_out.h"
#include "glib/timer.h"
#include "http/websocket_key.h"
#include "http/websocket_link.h"

namespace offhook::http {
namespace {

using base::ErrorCode;

constexpr std::size_t kMaxAnswerBytes = 16 * 1024;
/// For the request and its answer, however late the connection came.
constexpr std::chrono::milliseconds kShortest{250};

std::string random_key() {
    std::array<guint32, 4> bits{};
    std::generate(bits.begin(), bits.end(), g_random_int);
    const glib::UniqueString text(
        g_base64_encode(reinterpret_cast<const guchar*>(bits.data()), sizeof(bits)));
    return text.get();
}

bool fits_request(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return c > 0x20 && c < 0x7f;
    });
}

std::string header(SoupMessageHeaders* headers, const char* name) {
    const char* value = soup_message_headers_get_one(headers, name);
    return value == nullptr ? "" : value;
}

}  // namespace

/// Held by the client and by what GIO still has to call back. `listener_` is null once nobody wants
/// to know.
class WebSocketClient::Impl : public std::enable_shared_from_this<Impl> {
public:
    explicit Impl(Listener& listener) : listener_(&listener) {}
    ~Impl() { let_go(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    void open(const WebSocketOptions& options) {
        options_ = options;
        context_ = glib::Ref<GMainContext>::adopt(g_main_context_ref_thread_default());
        cancellable_ = glib::Ref<GCancellable>::adopt(g_cancellable_new());
        where_ = glib::address_text(options.dial.address, options.dial.length);
        if (!fits_request(options_.host) || !fits_request(options_.path) ||
            options_.path.front() != '/') {
            timer_.once(context_.get(), std::chrono::milliseconds(0), [this] {
                fail(ErrorCode::InvalidArgument,
                     "a WebSocket needs a path that begins with / and, like its host, has only "
                     "printable ASCII without spaces");
            });
            return;
        }
        dialer_.dial(options_.dial, [this](base::Result<glib::DialledStream> made) {
            if (!made) return end(std::move(made.error()), 0);
            connection_ = std::move(*made);
            ask();
        });
        deadline_ns_ = base::monotonic_ns() + options_.dial.timeout.count() * base::kNsPerMs;
    }

    bool send(std::string_view message) { return is_open() && link_->send(message); }

    /// False from the peer's Close frame on, though TCP may take a moment longer.
    [[nodiscard]] bool is_open() const { return listener_ != nullptr && link_ && link_->is_open(); }
    [[nodiscard]] const glib::DialledStream& connection() const { return connection_; }
    [[nodiscard]] WebSocketTraffic traffic() const {
        return link_ ? link_->traffic() : WebSocketTraffic{};
    }
    [[nodiscard]] WebSocketEnd ended() const { return link_ ? link_->ended() : WebSocketEnd::None; }

    /// The client goes: an open peer is told, and the link lives until it is, or a moment.
    void abandon() {
        listener_ = nullptr;
        let_go();
    }

private:
    using Held = std::unique_ptr<std::shared_ptr<Impl>>;

    // The opening handshake (RFC 6455 §4)

    void ask() {
        const std::chrono::milliseconds left((deadline_ns_ - base::monotonic_ns()) /
                                             base::kNsPerMs);
        timer_.once(context_.get(), std::max(left, kShortest), [this] {
            fail(ErrorCode::Timeout,
                 where_ +
                     " took the connection and gave no answer to the WebSocket request: check "
                     "that this port speaks WebSocket");
        });
        key_ = random_key();
        request_ = "GET " + options_.path + " HTTP/1.1\r\nHost: " + options_.host +
                   "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + key_ +
                   "\r\nSec-WebSocket-Version: 13\r\n";
        if (!options_.subprotocols.empty()) {
            request_ += "Sec-WebSocket-Protocol: " + options_.subprotocols.front();
            for (std::size_t i = 1; i < options_.subprotocols.size(); ++i) {
                request_ += ", " + options_.subprotocols[i];
            }
            request_ += "\r\n";
        }
        request_ += "User-Agent: " + options_.user_agent + "\r\n\r\n";
        const GAsyncReadyCallback done = [](GObject* stream, GAsyncResult* result, gpointer data) {
            const Held self(static_cast<std::shared_ptr<Impl>*>(data));
            glib::GErrorOut error;
            const bool ok = g_output_stream_write_all_finish(
                                G_OUTPUT_STREAM(stream), result, nullptr, error) == TRUE;
            if ((*self)->listener_ == nullptr) return;
            if (!ok) return (*self)->broken(error);
            (*self)->read_answer();
        };
        g_output_stream_write_all_async(g_io_stream_get_output_stream(connection_.stream.get()),
                                        request_.data(),
                                        request_.size(),
                                        G_PRIORITY_DEFAULT,
                                        cancellable_.get(),
                                        done,
                                        new std::shared_ptr<Impl>(shared_from_this()));
    }

    void read_answer() {
        const GAsyncReadyCallback done = [](GObject* stream, GAsyncResult* result, gpointer data) {
            const Held self(static_cast<std::shared_ptr<Impl>*>(data));
            glib::GErrorOut error;
            const gssize n = g_input_stream_read_finish(G_INPUT_STREAM(stream), result, error);
            if ((*self)->listener_ != nullptr) (*self)->on_answer(n, error);
        };
        g_input_stream_read_async(g_io_stream_get_input_stream(connection_.stream.get()),
                                  bytes_.data(),
                                  bytes_.size(),
                                  G_PRIORITY_DEFAULT,
                                  cancellable_.get(),
                                  done,
                                  new std::shared_ptr<Impl>(shared_from_this()));
    }

    void on_answer(gssize n, const glib::GErrorOut& error) {
        if (n < 0) return broken(error);
        if (n == 0) {
            return fail(ErrorCode::Unavailable,
                        where_ +
                            " closed the connection instead of answering the WebSocket "
                            "request: check port and transport");
        }
        answer_.append(bytes_.data(), static_cast<std::size_t>(n));
        const auto end_of_headers = answer_.find("\r\n\r\n");
        if (end_of_headers == std::string::npos) {
            if (answer_.size() > kMaxAnswerBytes || !looks_like_http()) {
                return fail(ErrorCode::Unavailable,
                            where_ + " does not speak HTTP: check port and transport");
            }
            return read_answer();
        }
        const std::string head = answer_.substr(0, end_of_headers + 2);
        if (auto agreed = check(head); !agreed) return end(std::move(agreed.error()), 0);
        begin(answer_.substr(end_of_headers + 4));
    }

    [[nodiscard]] bool looks_like_http() const {
        constexpr std::string_view kStart = "HTTP/1.";
        return answer_.compare(
                   0, kStart.size(), kStart, 0, std::min(answer_.size(), kStart.size())) == 0;
    }

    [[nodiscard]] base::Result<void> check(const std::string& head) {
        const auto refused = [this](const std::string& why) {
            return base::fail(ErrorCode::Unavailable, where_ + " " + why);
        };
        const glib::Unique<SoupMessageHeaders, soup_message_headers_unref> headers(
            soup_message_headers_new(SOUP_MESSAGE_HEADERS_RESPONSE));
        SoupHTTPVersion version{};
        guint status = 0;
        char* raw_reason = nullptr;
        const bool parsed = soup_headers_parse_response(head.data(),
                                                        static_cast<int>(head.size()),
                                                        headers.get(),
                                                        &version,
                                                        &status,
                                                        &raw_reason) == TRUE;
        const glib::UniqueString reason(raw_reason);
        if (!parsed) return refused("does not speak HTTP: check port and transport");
        if (status != SOUP_STATUS_SWITCHING_PROTOCOLS) {
            return refused(
                "answered the WebSocket request for \"" + base::escape_untrusted(options_.path) +
                "\" with HTTP " + std::to_string(status) + " " +
                base::escape_untrusted(reason ? reason.get() : "", 64) + ": " + advice(status));
        }
        if (header(headers.get(), "Sec-WebSocket-Accept") != websocket_accept(key_) ||
            !soup_message_headers_header_contains(headers.get(), "Upgrade", "websocket")) {
            return refused(
                "answered the WebSocket request wrongly: something on the way is no "
                "WebSocket server");
        }
        if (!header(headers.get(), "Sec-WebSocket-Extensions").empty()) {
            return refused("wants a WebSocket extension that was not offered");
        }
        const std::string chosen = header(headers.get(), "Sec-WebSocket-Protocol");
        const auto& ours = options_.subprotocols;
        if (ours.empty() ? !chosen.empty()
                         : std::find(ours.begin(), ours.end(), chosen) == ours.end()) {
            return refused(chosen.empty()
                               ? "did not accept the subprotocol \"" + ours.front() +
                                     "\": check the path, and that it serves this over WebSocket"
                               : "chose the subprotocol \"" + base::escape_untrusted(chosen, 64) +
                                     "\", which was not offered");
        }
        return {};
    }

    static std::string advice(guint status) {
        if (status == SOUP_STATUS_NOT_FOUND) return "check the WebSocket path";
        if (status == SOUP_STATUS_UNAUTHORIZED || status == SOUP_STATUS_FORBIDDEN) {
            return "the server does not let us in here; check the path and its access rules";
        }
        if (SOUP_STATUS_IS_REDIRECTION(status)) {
            return "redirections are not followed; check host and path";
        }
        if (SOUP_STATUS_IS_SERVER_ERROR(status)) return "the server is in trouble, see its log";
        return "check the path, and that the server speaks WebSocket there";
    }

    // The open connection

    void begin(std::string early) {
        timer_.cancel();
        const bool is_secure = options_.dial.tls.has_value();
        link_ = WebSocketLink::begin(
            {.stream = connection_.stream,
             .socket = is_secure ? glib::Ref<GSocket>() : connection_.socket,
             .early = std::move(early),
             .side = socket::Role::Client,
             .where = where_,
             .limits = {.max_message_bytes = options_.max_message_bytes,
                        .max_queue_bytes = options_.max_queue_bytes,
                        .ping = options_.ping,
                        .pong_timeout = options_.pong_timeout,
                        .max_frames_per_s = 0},
             .cut = [stream = connection_.stream] { glib::close_at_once(stream.get()); },
             .events = {
                 .on_message =
                     [this](std::string_view message) {
                         const auto keep = shared_from_this();
                         if (listener_ != nullptr) listener_->on_websocket_message(message);
                     },
                 .on_closed = [this](base::Error why, int code) { end(std::move(why), code); }}});
        if (listener_ != nullptr) listener_->on_websocket_open();
    }

    // The end

    void broken(const glib::GErrorOut& error) {
        end({ErrorCode::Io, "the connection to " + where_ + " broke", error.text()}, 0);
    }

    void fail(ErrorCode code, const std::string& why) { end({code, why, {}}, 0); }

    void end(base::Error why, int code) {
        const auto keep = shared_from_this();
        let_go();
        if (Listener* listener = std::exchange(listener_, nullptr)) {
            listener->on_websocket_closed(std::move(why), code);
        }
    }

    void let_go() {
        timer_.cancel();
        if (cancellable_) g_cancellable_cancel(cancellable_.get());
        if (link_) {
            link_->abandon(SOUP_WEBSOCKET_CLOSE_NORMAL, {});
        } else if (connection_.stream) {
            glib::close_at_once(connection_.stream.get());
        }
        connection_.stream.reset();
        connection_.socket.reset();
    }

    Listener* listener_;
    WebSocketOptions options_;
    std::string where_;
    glib::Ref<GMainContext> context_;
    glib::Ref<GCancellable> cancellable_;
    glib::StreamDialer dialer_;
    glib::DialledStream connection_;
    std::int64_t deadline_ns_ = 0;  ///< of the opening
    std::string key_;
    std::string request_;
    std::string answer_;
    std::array<char, 4096> bytes_{};
    std::shared_ptr<WebSocketLink> link_;  ///< from the end of the handshake on
    glib::Timer timer_;                    ///< the deadline of the opening
};

WebSocketClient::WebSocketClient(Listener& listener) : impl_(std::make_shared<Impl>(listener)) {}

WebSocketClient::~WebSocketClient() {
    impl_->abandon();
}

void WebSocketClient::open(const WebSocketOptions& options) {
    impl_->open(options);
}

bool WebSocketClient::send(std::string_view message) {
    return impl_->send(message);
}

bool WebSocketClient::is_open() const {
    return impl_->is_open();
}

WebSocketTraffic WebSocketClient::traffic() const {
    return impl_->traffic();
}

WebSocketEnd WebSocketClient::ended() const {
    return impl_->ended();
}

const glib::DialledStream& WebSocketClient::connection() const {
    return impl_->connection();
}

}  // namespace offhook::http
