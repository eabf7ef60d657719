#include "http/websocket_link.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "glib/error_out.h"

namespace offhook::http {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using Kind = socket::FrameReader::Event::Kind;

constexpr std::size_t kReadBytes = 16 * 1024;
/// Of one link, before the others have their turn.
constexpr int kReadsAtOnce = 4;
/// A queue or a message that was larger gives its memory back.
constexpr std::size_t kKeptBytes = 4 * 1024;
constexpr std::size_t kMaxReasonBytes = 123;
constexpr std::size_t kMaxControlBytes = 2 + 4 + 125;
constexpr int kNoStatus = 1005;
constexpr int kProtocolError = 1002;
constexpr int kPolicy = 1008;
constexpr int kTooBig = 1009;
/// How long a goodbye may take.
constexpr milliseconds kGoodbye{1'000};
/// Frames that may come at once, in seconds of the rate.
constexpr double kBurstSeconds = 5;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// At most `max` bytes, cut between characters.
std::string_view cut_text(std::string_view text, std::size_t max) {
    if (text.size() <= max) return text;
    while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0U) == 0x80U) --max;
    return text.substr(0, max);
}

socket::MaskKey random_mask() {
    const guint32 bits = g_random_int();
    socket::MaskKey key{};
    std::memcpy(key.data(), &bits, sizeof(bits));
    return key;
}

/// Bytes of the frame of ours that begins at `at`, header and all.
std::size_t frame_bytes(const std::vector<std::byte>& queue, std::size_t at) {
    const auto octet = [&](std::size_t i) { return static_cast<std::size_t>(queue[at + i]); };
    std::size_t length = octet(1) & 0x7FU;
    std::size_t header = 2 + ((octet(1) & 0x80U) != 0 ? 4U : 0U);
    const std::size_t extended = length == 126 ? 2U : length == 127 ? 8U : 0U;
    if (extended > 0) {
        length = 0;
        for (std::size_t i = 0; i < extended; ++i) length = (length << 8U) | octet(2 + i);
    }
    return header + extended + length;
}

bool would_block(const GError* error) {
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) == TRUE;
}

std::int64_t ns(milliseconds time) {
    return time.count() * base::kNsPerMs;
}

}  // namespace

std::shared_ptr<WebSocketLink> WebSocketLink::begin(Parts parts) {
    auto link = std::make_shared<WebSocketLink>(std::move(parts));
    link->start();
    return link;
}

WebSocketLink::WebSocketLink(Parts parts)
    : parts_(std::move(parts)),
      context_(glib::Ref<GMainContext>::adopt(g_main_context_ref_thread_default())),
      watch_(context_.get(),
             parts_.stream,
             parts_.socket,
             [this](bool writable) { on_ready(writable); }),
      reader_(parts_.side, parts_.limits.max_message_bytes, assembled_) {}

WebSocketLink::~WebSocketLink() {
    let_go();
}

void WebSocketLink::start() {
    const std::int64_t now_ns = base::monotonic_ns();
    traffic_.last_heard_ns = now_ns;
    allowed_ns_ = now_ns;
    allowance_ = kBurstSeconds * parts_.limits.max_frames_per_s;
    next_ping_ns_ = now_ns + ns(parts_.limits.ping);
    watch_.start();
    // What was read behind the handshake, by whom it may be, says nothing to a poll.
    timer_.once(context_.get(), milliseconds(0), [this] {
        const auto keep = shared_from_this();
        read();
        if (state_ == State::Open && parts_.limits.ping.count() > 0) tick();
    });
}

// Pings, and the deadline of silence

void WebSocketLink::tick() {
    const std::int64_t now_ns = base::monotonic_ns();
    const std::int64_t silent_ns = now_ns - traffic_.last_heard_ns;
    const std::int64_t longest_ns = ns(parts_.limits.ping) + ns(parts_.limits.pong_timeout);
    if (silent_ns >= longest_ns) {
        put_close(parts_.limits.silent_code, "no answer to a ping");
        return end(WebSocketEnd::Silent,
                   {ErrorCode::Timeout,
                    "no answer to a ping from " + parts_.where + " in " +
                        std::to_string(parts_.limits.pong_timeout.count()) +
                        " ms: the path is cut, or the other side stopped",
                    {}},
                   0);
    }
    if (now_ns >= next_ping_ns_) {
        next_ping_ns_ = now_ns + ns(parts_.limits.ping);
        ping();
    }
    const std::int64_t next_ns =
        std::min(next_ping_ns_, traffic_.last_heard_ns + longest_ns) - base::monotonic_ns();
    timer_.once(context_.get(),
                milliseconds(std::max<std::int64_t>(next_ns, 0) / base::kNsPerMs + 1),
                [this] {
                    const auto keep = shared_from_this();
                    if (state_ == State::Open) tick();
                });
}

void WebSocketLink::ping() {
    if (waiting() + kMaxControlBytes > parts_.limits.max_queue_bytes) return;
    ++pings_;
    pinged_ns_ = base::monotonic_ns();
    put(socket::Opcode::Ping, std::as_bytes(std::span(&pings_, 1)));
}

// What comes in

void WebSocketLink::on_ready(bool writable) {
    const auto keep = shared_from_this();
    if (writable && !flush()) return;
    read();
}

void WebSocketLink::read() {
    if (!parts_.early.empty()) {
        std::string early = std::exchange(parts_.early, {});
        feed(std::as_writable_bytes(std::span(early)));
        return watch_.again();
    }
    static thread_local std::array<std::byte, kReadBytes> buffer;
    for (int i = 0; i < kReadsAtOnce && state_ != State::Gone; ++i) {
        glib::GErrorOut error;
        auto* input = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(parts_.stream.get()));
        const gssize n = g_pollable_input_stream_read_nonblocking(
            input, buffer.data(), buffer.size(), nullptr, error);
        if (n < 0 && would_block(error.get())) return;
        if (n <= 0) return lost(error.get());
        traffic_.last_heard_ns = base::monotonic_ns();
        feed(std::span(buffer).first(static_cast<std::size_t>(n)));
        if (parts_.socket && static_cast<std::size_t>(n) < buffer.size()) return;  // all of it
    }
    watch_.again();
}

void WebSocketLink::feed(std::span<std::byte> bytes) {
    while (state_ == State::Open || state_ == State::Closing) {
        const Event event = reader_.next(bytes);
        if (is_too_fast()) {
            return take_nonsense(kPolicy, "too many frames in a second");
        }
        switch (event.kind) {
            case Kind::None:
                return;
            case Kind::Text:
            case Kind::Binary:
                take_message(event);
                break;
            case Kind::Ping:
                if (state_ == State::Open &&
                    waiting() + kMaxControlBytes <= parts_.limits.max_queue_bytes)
                    put(socket::Opcode::Pong, event.payload);
                break;
            case Kind::Pong:
                take_pong(event.payload);
                break;
            case Kind::Close:
                return take_close(event);
            case Kind::Broken:
                return take_nonsense(event.code, event.why);
        }
    }
}

bool WebSocketLink::is_too_fast() {
    const int rate = parts_.limits.max_frames_per_s;
    const std::uint64_t seen = reader_.frames();
    const auto came = static_cast<double>(seen - std::exchange(frames_, seen));
    if (rate <= 0 || came == 0) return false;
    allowance_ -= came;
    if (allowance_ >= 0) return false;
    const std::int64_t now_ns = base::monotonic_ns();
    const double passed_s =
        static_cast<double>(now_ns - std::exchange(allowed_ns_, now_ns)) / base::kNsPerS;
    allowance_ = std::min(kBurstSeconds * rate, allowance_ + passed_s * rate);
    return allowance_ < 0;
}

void WebSocketLink::take_message(const Event& event) {
    ++traffic_.received_messages;
    traffic_.received_bytes += event.payload.size();
    if (state_ != State::Open || !is_told_) return;
    try {
        const auto told = parts_.events.on_message;  // may drop itself while it runs
        told(text_of(event.payload));
    } catch (const std::exception& e) {
        log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
    }
    if (assembled_.capacity() > kKeptBytes) assembled_ = {};
}

void WebSocketLink::take_pong(std::span<const std::byte> payload) {
    traffic_.last_pong_ns = traffic_.last_heard_ns;
    if (payload.size() != sizeof(pings_) ||
        std::memcmp(payload.data(), &pings_, sizeof(pings_)) != 0 || pinged_ns_ == 0)
        return;
    traffic_.rtt_ms =
        static_cast<double>(traffic_.last_pong_ns - std::exchange(pinged_ns_, 0)) / base::kNsPerMs;
}

void WebSocketLink::take_close(const Event& event) {
    if (state_ == State::Closing) return linger();
    const bool has_code = event.code != kNoStatus;
    put_close(has_code ? event.code : 0, {});
    std::string why = parts_.where + " closed the WebSocket";
    if (has_code) why += " with code " + std::to_string(event.code);
    if (!event.payload.empty())
        why += " \"" + base::escape_untrusted(text_of(event.payload), 128) + "\"";
    end(WebSocketEnd::Closed, {ErrorCode::Unavailable, why, {}}, has_code ? event.code : 0);
}

void WebSocketLink::take_nonsense(std::uint16_t code, std::string_view why) {
    if (state_ == State::Closing) return linger();
    put_close(code, why);
    if (code == kTooBig) {
        return end(WebSocketEnd::TooLarge,
                   {ErrorCode::LimitReached,
                    parts_.where + " sent a message of more than " +
                        std::to_string(parts_.limits.max_message_bytes / 1024) +
                        " KiB: its connection was closed",
                    {}},
                   0);
    }
    if (code == kPolicy) {
        return end(
            WebSocketEnd::TooLarge,
            {ErrorCode::LimitReached,
             parts_.where + " sent more than " + std::to_string(parts_.limits.max_frames_per_s) +
                 " frames a second: its connection was closed",
             {}},
            0);
    }
    end(WebSocketEnd::Broken,
        {ErrorCode::Unavailable,
         "the WebSocket to " + parts_.where + " broke: " + std::string(why) + " (close code " +
             std::to_string(code) + ")",
         {}},
        0);
}

// What goes out

bool WebSocketLink::send(std::string_view message) {
    if (!is_open()) return false;
    if (waiting() + message.size() > parts_.limits.max_queue_bytes) {
        drop_unsent_frames();
        put_close(parts_.limits.slow_code, "you read too slowly");
        end(WebSocketEnd::Slow,
            {ErrorCode::LimitReached,
             parts_.where + " takes our messages too slowly: its connection was closed",
             {}},
            0);
        return false;
    }
    ++traffic_.sent_messages;
    traffic_.sent_bytes += message.size();
    const bool is_text = socket::is_utf8(bytes_of(message));
    put(is_text ? socket::Opcode::Text : socket::Opcode::Binary, bytes_of(message));
    return true;
}

void WebSocketLink::put(socket::Opcode opcode, std::span<const std::byte> payload) {
    const bool was_empty = queue_.empty();
    const socket::MaskKey key =
        parts_.side == socket::Role::Client ? random_mask() : socket::MaskKey{};
    socket::append_frame(
        queue_, opcode, payload, parts_.side == socket::Role::Client ? &key : nullptr);
    if (!was_empty) return;
    // A write that fails is found out again by the watch: nobody expects an end within `send`.
    std::size_t written = 0;
    glib::GErrorOut error;
    auto* output = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(parts_.stream.get()));
    const gssize n = g_pollable_output_stream_write_nonblocking(
        output, queue_.data(), queue_.size(), nullptr, error);
    if (n > 0) written = static_cast<std::size_t>(n);
    sent_ = written;
    forget_sent_frames();
    if (!queue_.empty()) watch_.want_write(true);
}

void WebSocketLink::put_close(int code, std::string_view reason) {
    if (code == 0) return put(socket::Opcode::Close, {});
    const std::string_view text = cut_text(reason, kMaxReasonBytes);
    std::string payload;
    payload += static_cast<char>(static_cast<unsigned>(code) >> 8U);
    payload += static_cast<char>(static_cast<unsigned>(code) & 0xFFU);
    payload += text;
    put(socket::Opcode::Close, bytes_of(payload));
}

/// False: it is over.
bool WebSocketLink::flush() {
    if (state_ == State::Gone) return false;
    while (!queue_.empty()) {
        glib::GErrorOut error;
        auto* output = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(parts_.stream.get()));
        const gssize n = g_pollable_output_stream_write_nonblocking(
            output, queue_.data() + sent_, queue_.size() - sent_, nullptr, error);
        if (n < 0 && would_block(error.get())) return true;
        if (n < 0) {
            lost(error.get());
            return false;
        }
        sent_ += static_cast<std::size_t>(n);
        forget_sent_frames();
    }
    watch_.want_write(false);
    if (state_ == State::Lingering) half_close();
    return true;
}

/// The queue begins with a frame that is not wholly written, or is empty.
void WebSocketLink::forget_sent_frames() {
    if (sent_ == queue_.size()) {
        sent_ = 0;
        queue_.clear();
        if (queue_.capacity() > kKeptBytes) queue_ = {};
        return;
    }
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = begin + frame_bytes(queue_, begin)) <= sent_;) begin = end;
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(begin));
    sent_ -= begin;
}

/// Makes room for a goodbye to who does not read: it follows the frame that is half written.
void WebSocketLink::drop_unsent_frames() {
    if (queue_.empty()) return;
    queue_.resize(sent_ == 0 ? 0 : frame_bytes(queue_, 0));
}

// The end

void WebSocketLink::abandon(int code, const std::string& reason) {
    is_told_ = false;
    if (state_ != State::Open) return;
    put_close(socket::may_be_sent(static_cast<std::uint16_t>(code)) ? code : kProtocolError,
              reason);
    state_ = State::Closing;
    timer_.once(context_.get(), kGoodbye, [self = shared_from_this()] { self->let_go(); });
}

void WebSocketLink::lost(const GError* error) {
    if (state_ != State::Open) return let_go();
    std::string why = "the WebSocket to " + parts_.where + " broke";
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) == TRUE) {
        why = parts_.where + " does not acknowledge what is sent to it: the path is cut";
    } else if (error == nullptr) {
        why = parts_.where + " closed the connection of the WebSocket without a goodbye";
    }
    const auto keep = shared_from_this();
    let_go();
    end(WebSocketEnd::Broken,
        {ErrorCode::Unavailable, why, error == nullptr ? std::string() : error->message},
        0);
}

void WebSocketLink::end(WebSocketEnd how, base::Error why, int code) {
    const auto keep = shared_from_this();
    ended_ = how;
    linger();
    if (!std::exchange(is_told_, false)) return;
    const auto told = std::move(parts_.events.on_closed);
    told(std::move(why), code);
}

/// Both have said goodbye, or need not: what still comes is thrown away until the other side has
/// read ours and closes. (Closing with unread bytes would reset TCP, and our goodbye with it.)
void WebSocketLink::linger() {
    if (state_ == State::Gone) return;
    state_ = State::Lingering;
    timer_.once(context_.get(), kGoodbye, [self = shared_from_this()] { self->let_go(); });
    if (queue_.empty()) half_close();
}

/// The server closes first (RFC 6455 §7.1.1).
void WebSocketLink::half_close() {
    if (parts_.side == socket::Role::Server && parts_.socket)
        g_socket_shutdown(parts_.socket.get(), FALSE, TRUE, nullptr);
}

void WebSocketLink::let_go() {
    if (std::exchange(state_, State::Gone) == State::Gone) return;
    timer_.cancel();
    watch_.stop();
    traffic_.queue_bytes = waiting();
    queue_ = {};
    sent_ = 0;
    if (const auto cut = std::exchange(parts_.cut, nullptr)) cut();
}

WebSocketTraffic WebSocketLink::traffic() const {
    WebSocketTraffic traffic = traffic_;
    if (state_ != State::Gone) traffic.queue_bytes = waiting();
    return traffic;
}

}  // namespace offhook::http
