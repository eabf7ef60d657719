#include "connection/redis_link.h"

#include <gio/gunixsocketaddress.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "base/escape.h"
#include "base/monotonic.h"
#include "glib/error_out.h"

namespace offhook::connection {
namespace {

using base::ErrorCode;

constexpr std::size_t kReadBytes = 16 * 1024;  // a whole TLS record
constexpr int kReadsAtOnce = 8;                // then others of the loop get their turn

std::chrono::milliseconds part_of(std::chrono::milliseconds whole) {
    static thread_local std::minstd_rand random{std::random_device{}()};
    std::uniform_int_distribution<std::int64_t> part(whole.count() / 4, whole.count());
    return std::chrono::milliseconds(part(random));
}

/// What Redis said no with, as a sentence.
base::Error refusal(const RedisReply& reply) {
    const std::string words = base::escape_untrusted(reply.text, 160);
    if (words.starts_with("NOAUTH") || words.starts_with("WRONGPASS") ||
        words.find("invalid password") != std::string::npos ||
        words.find("without any password") != std::string::npos) {
        return {ErrorCode::Denied,
                "it refuses our user or password: check [redis] url and password_file",
                words};
    }
    if (words.starts_with("LOADING")) {
        return {ErrorCode::Unavailable, "it still loads its data", words};
    }
    return {ErrorCode::Unavailable, "it refuses what we ask", words};
}

}  // namespace

/// A pollable source with a callback; the callback may destroy it.
class RedisLink::Source {
public:
    Source(GSource* source, GMainContext* context, std::function<void()> ready) : source_(source) {
        const GPollableSourceFunc run = [](GObject*, gpointer data) -> gboolean {
            const auto copy = *static_cast<std::function<void()>*>(data);
            copy();
            return G_SOURCE_CONTINUE;
        };
        g_source_set_callback(
            source_,
            G_SOURCE_FUNC(run),
            new std::function<void()>(std::move(ready)),
            [](gpointer data) { delete static_cast<std::function<void()>*>(data); });
        g_source_attach(source_, context);
    }
    ~Source() {
        g_source_destroy(source_);
        g_source_unref(source_);
    }
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

private:
    GSource* source_;
};

RedisLink::RedisLink(Settings settings, GMainContext* context, Events events)
    : settings_(std::move(settings)),
      context_(context),
      events_(std::move(events)),
      pause_(settings_.first_pause) {}

RedisLink::~RedisLink() {
    close();
}

void RedisLink::start() {
    again_.once(context_, std::chrono::milliseconds(0), [this] { connect(); });
}

void RedisLink::connect() {
    if (!settings_.url.path.empty()) {
        auto stream = open_unix();
        if (!stream) return cut(stream.error());
        return begin(std::move(*stream));
    }
    const auto numeric =
        glib::Ref<GInetAddress>::adopt(g_inet_address_new_from_string(settings_.url.host.c_str()));
    if (!numeric) return look_up();
    addresses_.assign(1, numeric);
    dial();
}

void RedisLink::look_up() {
    look_up_ = glib::Ref<GCancellable>::adopt(g_cancellable_new());
    again_.once(context_, settings_.connect_timeout, [this] {
        cut({ErrorCode::Timeout, "its name is not found in time: check the DNS", {}});
    });
    const auto resolver = glib::Ref<GResolver>::adopt(g_resolver_get_default());
    g_resolver_lookup_by_name_async(
        resolver.get(), settings_.url.host.c_str(), look_up_.get(), &RedisLink::on_names, this);
}

void RedisLink::on_names(GObject* source, GAsyncResult* result, gpointer data) {
    glib::GErrorOut error;
    GList* addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(source), result, error);
    // `data` may be gone when the look-up was cancelled.
    if (addresses == nullptr && g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    auto* self = static_cast<RedisLink*>(data);
    self->again_.cancel();
    self->look_up_.reset();
    if (addresses == nullptr) {
        return self->cut({ErrorCode::Unavailable,
                          "its name is not found: check [redis] url and the DNS",
                          error.text()});
    }
    self->addresses_.clear();
    for (GList* each = addresses; each != nullptr; each = each->next)
        self->addresses_.push_back(glib::Ref<GInetAddress>::share(G_INET_ADDRESS(each->data)));
    g_resolver_free_addresses(addresses);
    self->dial();
}

/// One address after the other, as the resolver has sorted them.
void RedisLink::dial() {
    glib::DialOptions options{.timeout = settings_.connect_timeout,
                              .user_timeout = settings_.answer_timeout * 2};
    const auto target = glib::Ref<GSocketAddress>::adopt(
        g_inet_socket_address_new(addresses_.front().get(), settings_.url.port));
    addresses_.pop_front();
    options.length = static_cast<socklen_t>(g_socket_address_get_native_size(target.get()));
    g_socket_address_to_native(target.get(), &options.address, sizeof(options.address), nullptr);
    if (settings_.url.is_tls) {
        options.tls =
            glib::TlsCheck{.server_name = settings_.url.host, .ca_file = settings_.ca_file};
    }
    dialer_.dial(options, [this](base::Result<glib::DialledStream> dialled) {
        if (dialled) return begin(std::move(dialled->stream));
        if (addresses_.empty()) return cut(dialled.error());
        dial();
    });
}

base::Result<glib::Ref<GIOStream>> RedisLink::open_unix() const {
    const auto target =
        glib::Ref<GSocketAddress>::adopt(g_unix_socket_address_new(settings_.url.path.c_str()));
    glib::GErrorOut error;
    const auto socket = glib::Ref<GSocket>::adopt(
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error));
    if (!socket) return error.fail(ErrorCode::Io, "we cannot make a unix socket");
    // A unix socket connects at once or not at all.
    g_socket_set_blocking(socket.get(), FALSE);
    if (!g_socket_connect(socket.get(), target.get(), nullptr, error)) {
        return error.fail(ErrorCode::Unavailable,
                          "nobody listens on its socket, or we may not use it");
    }
    return glib::Ref<GIOStream>::adopt(
        G_IO_STREAM(g_socket_connection_factory_create_connection(socket.get())));
}

void RedisLink::begin(glib::Ref<GIOStream> stream) {
    stream_ = std::move(stream);
    reader_ = std::make_unique<RedisReader>();
    GSource* source = g_pollable_input_stream_create_source(
        G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(stream_.get())), nullptr);
    readable_ = std::make_unique<Source>(source, context_, [this] { read(); });
    const auto period = std::clamp(
        settings_.answer_timeout / 8, std::chrono::milliseconds(5), std::chrono::milliseconds(250));
    clock_.every(context_, period, [this] { check_time(); });
    greet();
}

void RedisLink::greet() {
    const Answer must_agree = [this](const RedisReply& reply) {
        if (reply.is_error()) give_up(refusal(reply));
    };
    if (!settings_.password.empty()) {
        std::vector<std::string> words{"AUTH"};
        if (!settings_.url.user.empty()) words.push_back(settings_.url.user);
        words.push_back(settings_.password.reveal());
        send(words, must_agree);
    }
    if (settings_.url.database != 0)
        send({"SELECT", std::to_string(settings_.url.database)}, must_agree);
    send({"CLIENT", "SETNAME", settings_.name}, [](const RedisReply&) {});
    send({"PING"}, [this](const RedisReply& reply) { on_greeted(reply); });
}

void RedisLink::on_greeted(const RedisReply& reply) {
    if (giving_up_.is_armed()) return;
    if (reply.is_error()) return give_up(refusal(reply));
    if (reply.text != "PONG") {
        return give_up({ErrorCode::Malformed, "what answers there is no Redis", {}});
    }
    is_ready_ = true;
    ++connections_;
    pause_ = settings_.first_pause;
    events_.on_ready();
}

bool RedisLink::send(const std::vector<std::string>& words, Answer answer) {
    if (!stream_ || waiting_.size() >= settings_.max_unanswered) return false;
    const bool was_idle = out_.empty();
    out_ += redis_command(words);
    waiting_.push_back({std::move(answer), base::monotonic_ns()});
    if (was_idle) write();
    return true;
}

void RedisLink::give_up(base::Error why) {
    if (giving_up_.is_armed()) return;
    giving_up_.once(
        context_, std::chrono::milliseconds(0), [this, why = std::move(why)] { cut(why); });
}

void RedisLink::write() {
    auto* output = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(stream_.get()));
    while (!out_.empty()) {
        // TLS wants the same bytes again that it could not send.
        const std::size_t offered = refused_bytes_ > 0 ? refused_bytes_ : out_.size();
        glib::GErrorOut error;
        const gssize n = g_pollable_output_stream_write_nonblocking(
            output, out_.data(), offered, nullptr, error);
        if (n < 0 && g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
            refused_bytes_ = offered;
            if (writable_) return;
            GSource* source = g_pollable_output_stream_create_source(output, nullptr);
            writable_ = std::make_unique<Source>(source, context_, [this] { write(); });
            return;
        }
        // Not at once: this may be within a method of whoever is told.
        if (n < 0) return give_up({ErrorCode::Io, "the connection broke", error.text()});
        refused_bytes_ = 0;
        out_.erase(0, static_cast<std::size_t>(n));
    }
    writable_.reset();
}

void RedisLink::read() {
    std::array<char, kReadBytes> bytes{};
    for (int i = 0; i < kReadsAtOnce && stream_; ++i) {
        auto* input = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(stream_.get()));
        glib::GErrorOut error;
        const gssize n = g_pollable_input_stream_read_nonblocking(
            input, bytes.data(), bytes.size(), nullptr, error);
        if (n < 0 && g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) return;
        if (n < 0) return cut({ErrorCode::Io, "the connection broke", error.text()});
        if (n == 0) return cut({ErrorCode::Unavailable, "it closed the connection", {}});
        reader_->feed({bytes.data(), static_cast<std::size_t>(n)});
        while (stream_) {
            auto reply = reader_->next();
            if (!reply) return cut(reply.error());
            if (!*reply) break;
            take(std::move(**reply));
        }
    }
}

void RedisLink::take(RedisReply reply) {
    if (reply.text_at(0) == "message" && reply.elements.size() == 3) {
        if (events_.on_message) events_.on_message(reply.text_at(2));
        return;
    }
    if (waiting_.empty()) {
        if (reply.is_error()) return cut(refusal(reply));
        return cut({ErrorCode::Malformed, "it answered what was not asked", {}});
    }
    const Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    first.answer(reply);
}

void RedisLink::check_time() {
    const std::int64_t now_ns = base::monotonic_ns();
    const std::int64_t limit_ns = settings_.answer_timeout.count() * base::kNsPerMs;
    if (!waiting_.empty() && now_ns - waiting_.front().sent_ns > limit_ns) {
        return cut(
            {ErrorCode::Timeout,
             "it did not answer within " + std::to_string(settings_.answer_timeout.count()) + " ms",
             {}});
    }
    if (!is_ready_ || now_ns - pinged_ns_ < limit_ns / 2) return;
    pinged_ns_ = now_ns;
    send({"PING"}, [this, now_ns](const RedisReply&) {
        answer_ms_ = static_cast<double>(base::monotonic_ns() - now_ns) / 1e6;
    });
}

void RedisLink::cut(const base::Error& why) {
    close();
    again_.once(context_, part_of(pause_), [this] { connect(); });
    pause_ = std::min(pause_ * 2, settings_.longest_pause);
    events_.on_away(why);
}

void RedisLink::close() {
    if (look_up_) g_cancellable_cancel(look_up_.get());
    look_up_.reset();
    readable_.reset();
    writable_.reset();
    clock_.cancel();
    again_.cancel();
    giving_up_.cancel();
    if (stream_) glib::close_at_once(stream_.get());
    stream_.reset();
    out_.clear();
    refused_bytes_ = 0;
    waiting_.clear();
    is_ready_ = false;
}

}  // namespace offhook::connection
