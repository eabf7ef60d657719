#include "http/stream_answers.h"

#include <algorithm>
#include <utility>

#include "base/monotonic.h"
#include "http/message_socket.h"

namespace offhook::http {
namespace {

/// How soon a client that left is noticed.
constexpr std::chrono::milliseconds kLookPeriod{250};

}  // namespace

class StreamAnswers::Stream final {
public:
    Stream(SoupServerMessage* message, const StreamAnswers& all)
        : all_(all), message_(glib::Ref<SoupServerMessage>::share(message)) {
        SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
        const bool has_chunks = soup_server_message_get_http_version(message) != SOUP_HTTP_1_0;
        soup_message_headers_set_encoding(headers,
                                          has_chunks ? SOUP_ENCODING_CHUNKED : SOUP_ENCODING_EOF);
        soup_message_body_set_accumulate(body(), FALSE);
        finished_ = g_signal_connect(message, "finished", G_CALLBACK(&Stream::on_finished), this);
        wrote_ = g_signal_connect(message, "wrote-body-data", G_CALLBACK(&Stream::on_wrote), this);
        moved_ns_ = base::monotonic_ns();
    }
    ~Stream() { let_go(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    bool write(std::string_view text) {
        if (!message_ || text.empty()) return static_cast<bool>(message_);
        if (waiting_ + text.size() > kMaxStreamQueueBytes) {
            is_slow_ = true;  // told from the loop: nobody expects an end inside a write
            return false;
        }
        if (waiting_ == 0) moved_ns_ = base::monotonic_ns();
        waiting_ += text.size();
        soup_message_body_append(body(), SOUP_MEMORY_COPY, text.data(), text.size());
        soup_server_message_unpause(message_.get());
        return !is_slow_;
    }
    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    [[nodiscard]] bool is_open() const { return static_cast<bool>(message_); }

    /// The owner has enough of it.
    void complete() {
        told_ = nullptr;
        if (message_) finish();
    }

    /// @return true when it was too slow
    bool look(std::int64_t now_ns) {
        if (!message_) return false;
        GSocket* socket = socket_of(message_.get());
        const bool is_stuck =
            waiting_ > 0 && now_ns - moved_ns_ > all_.patience_.count() * base::kNsPerMs;
        const bool is_slow = is_slow_ || is_stuck;
        if (!is_slow && !has_left(socket)) return false;
        if (socket != nullptr) all_.cut_(socket);
        finish();
        tell(is_slow ? StreamEnd::Slow : StreamEnd::Gone);
        return is_slow;
    }

    void on_ended(std::function<void(StreamEnd)> told) { told_ = std::move(told); }
    /// It ended inside libsoup, which nobody was told yet.
    void tell_if_gone() {
        if (std::exchange(is_gone_, false)) tell(StreamEnd::Gone);
    }

private:
    SoupMessageBody* body() { return soup_server_message_get_response_body(message_.get()); }

    static void on_wrote(SoupServerMessage*, guint bytes, gpointer self) {
        auto* stream = static_cast<Stream*>(self);
        stream->waiting_ -= std::min<std::size_t>(stream->waiting_, bytes);
        stream->moved_ns_ = base::monotonic_ns();
    }
    static void on_finished(SoupServerMessage*, gpointer self) {
        auto* stream = static_cast<Stream*>(self);
        stream->let_go();
        stream->is_gone_ = true;  // told from the loop
    }

    void tell(StreamEnd how) {
        if (const auto told = std::exchange(told_, nullptr)) told(how);
    }
    // Writing the end makes libsoup go on, and find a connection that is gone.
    void finish() {
        soup_message_body_complete(body());
        soup_server_message_unpause(message_.get());
        let_go();
    }
    void let_go() {
        const auto message = std::move(message_);
        if (!message) return;
        g_signal_handler_disconnect(message.get(), finished_);
        g_signal_handler_disconnect(message.get(), wrote_);
    }

    const StreamAnswers& all_;
    glib::Ref<SoupServerMessage> message_;  ///< empty once it is over
    gulong finished_ = 0, wrote_ = 0;
    std::size_t waiting_ = 0;
    std::int64_t moved_ns_ = 0;  ///< when something was taken, or began to wait
    bool is_slow_ = false, is_gone_ = false;
    std::function<void(StreamEnd)> told_;
};

// What the handler has. The stream itself is kept by both, because libsoup calls it back.
class StreamAnswers::Handle final : public ServerStream {
public:
    explicit Handle(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
    ~Handle() override { stream_->complete(); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    void on_ended(std::function<void(StreamEnd)> told) override {
        stream_->on_ended(std::move(told));
    }
    bool write(std::string_view text) override { return stream_->write(text); }
    [[nodiscard]] std::size_t queue_bytes() const override { return stream_->waiting(); }

private:
    std::shared_ptr<Stream> stream_;
};

StreamAnswers::StreamAnswers(GMainContext* context,
                             std::chrono::milliseconds patience,
                             std::function<void(GSocket*)> cut)
    : context_(glib::Ref<GMainContext>::share(context)),
      patience_(patience),
      cut_(std::move(cut)) {}

StreamAnswers::~StreamAnswers() {
    for (const auto& stream : streams_) stream->complete();
}

std::unique_ptr<ServerStream> StreamAnswers::begin(SoupServerMessage* message) {
    auto stream = std::make_shared<Stream>(message, *this);
    streams_.push_back(stream);
    if (!timer_.is_armed()) timer_.every(context_.get(), kLookPeriod, [this] { look(); });
    return std::make_unique<Handle>(std::move(stream));
}

void StreamAnswers::look() {
    const std::int64_t now_ns = base::monotonic_ns();
    // Who is told may end others and begin new ones: only what was there is looked at.
    const auto all = streams_;
    for (const auto& stream : all) {
        if (stream->look(now_ns)) ++slow_;
        stream->tell_if_gone();
    }
    std::erase_if(streams_, [](const auto& stream) { return !stream->is_open(); });
    if (streams_.empty()) timer_.cancel();
}

}  // namespace offhook::http
