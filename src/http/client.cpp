#include "http/client.h"

#include <libsoup/soup.h>

#include <algorithm>
#include <utility>

#include "glib/error_out.h"
#include "glib/ref.h"
#include "glib/timer.h"
#include "glib/tls_failure.h"

namespace offhook::http {
namespace {

using base::ErrorCode;

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::size_t kMaxHeaders = 100;
constexpr int kIdleSeconds = 5;  // a connection left open serves the next step of a login, not more

bool is_loopback(const std::string& host) {
    if (g_ascii_strcasecmp(host.c_str(), "localhost") == 0) return true;
    const auto address =
        glib::Ref<GInetAddress>::adopt(g_inet_address_new_from_string(host.c_str()));
    return address && g_inet_address_get_is_loopback(address.get()) != FALSE;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return g_ascii_isalnum(c) ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

bool is_field_value(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && byte != '\t') || byte == 0x7F;
    });
}

// What a URL may be that carries our credentials; the host for messages.
base::Result<std::string> checked_host(const HttpRequest& request) {
    glib::GErrorOut error;
    const glib::Unique<GUri, g_uri_unref> uri(
        g_uri_parse(request.url.c_str(), static_cast<GUriFlags>(SOUP_HTTP_URI_FLAGS), error));
    const auto no = [&](std::string why) {
        return base::fail(ErrorCode::InvalidArgument, "cannot use this URL: " + std::move(why));
    };
    if (!uri) return no("it is no URL");
    const std::string scheme = g_uri_get_scheme(uri.get());
    const char* host = g_uri_get_host(uri.get());
    if (host == nullptr || *host == '\0') return no("it names no host");
    if (g_uri_get_userinfo(uri.get()) != nullptr) return no("a user or password stands in it");
    if (scheme != "https" && !(scheme == "http" && is_loopback(host))) {
        return no("only https is, and http to this machine");
    }
    return std::string(host);
}

}  // namespace

std::string_view HttpReply::header(std::string_view name) const {
    const auto found = headers.find(std::string(name));
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

/// One request and its answer. Kept alive by the handle and by each asynchronous step; a step that
/// finds `done_` gone ends quietly.
class Client::Transfer : public std::enable_shared_from_this<Client::Transfer> {
public:
    Transfer(HttpRequest request, Done done, GMainContext* context)
        : request_(std::move(request)),
          done_(std::move(done)),
          cancellable_(glib::Ref<GCancellable>::adopt(g_cancellable_new())),
          context_(glib::Ref<GMainContext>::share(context)) {}

    void start(SoupSession* session) {
        if (auto good = prepare(); !good) {
            // Later, so that `done` never runs inside `send`.
            deadline_.once(context_.get(),
                           std::chrono::milliseconds(0),
                           [weak = weak_from_this(), error = good.error()] {
                               if (const auto self = weak.lock()) {
                                   self->finish(tl::unexpected(error));
                               }
                           });
            return;
        }
        deadline_.once(context_.get(), request_.timeout, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->on_deadline();
        });
        soup_session_send_async(session,
                                message_.get(),
                                G_PRIORITY_DEFAULT,
                                cancellable_.get(),
                                &Transfer::on_sent,
                                new std::shared_ptr<Transfer>(shared_from_this()));
    }

    void cancel() {
        done_ = nullptr;
        deadline_.cancel();
        g_cancellable_cancel(cancellable_.get());
    }

private:
    base::Result<void> prepare() {
        auto host = checked_host(request_);
        if (!host) return tl::unexpected(host.error());
        host_ = *std::move(host);
        const auto bad_header = [](const auto& field) {
            return !is_token(field.first) || !is_field_value(field.second);
        };
        if (!is_token(request_.method) || !is_field_value(request_.content_type) ||
            std::any_of(request_.headers.begin(), request_.headers.end(), bad_header)) {
            return base::fail(
                ErrorCode::InvalidArgument,
                "a header of the request to " + host_ + " has a character that none may have");
        }
        message_ = glib::Ref<SoupMessage>::adopt(
            soup_message_new(request_.method.c_str(), request_.url.c_str()));
        if (!message_) {
            return base::fail(ErrorCode::InvalidArgument, "cannot use this URL: it is no URL");
        }
        soup_message_add_flags(message_.get(), SOUP_MESSAGE_NO_REDIRECT);
        SoupMessageHeaders* headers = soup_message_get_request_headers(message_.get());
        for (const auto& [name, value] : request_.headers) {
            soup_message_headers_append(headers, name.c_str(), value.c_str());
        }
        if (!request_.body.empty()) {
            const auto body =
                glib::Ref<GBytes>::adopt(g_bytes_new(request_.body.data(), request_.body.size()));
            soup_message_set_request_body_from_bytes(
                message_.get(),
                request_.content_type.empty() ? nullptr : request_.content_type.c_str(),
                body.get());
        }
        return {};
    }

    static void on_sent(GObject* session, GAsyncResult* result, gpointer data) {
        const std::unique_ptr<std::shared_ptr<Transfer>> self(
            static_cast<std::shared_ptr<Transfer>*>(data));
        glib::GErrorOut error;
        auto body = glib::Ref<GInputStream>::adopt(
            soup_session_send_finish(SOUP_SESSION(session), result, error));
        (*self)->got_headers(std::move(body), error);
    }

    void got_headers(glib::Ref<GInputStream> body, const glib::GErrorOut& error) {
        if (!done_) return;
        if (!body) return finish(failure(error));
        body_ = std::move(body);
        reply_.status = static_cast<int>(soup_message_get_status(message_.get()));
        soup_message_headers_foreach(
            soup_message_get_response_headers(message_.get()),
            [](const char* name, const char* value, gpointer self) {
                static_cast<Transfer*>(self)->add_header(name, value);
            },
            this);
        read_more();
    }

    void add_header(const char* name, const char* value) {
        if (reply_.headers.size() == kMaxHeaders) return;
        const glib::UniqueString lower(g_ascii_strdown(name, -1));
        std::string& known = reply_.headers[lower.get()];
        known += known.empty() ? value : std::string(", ") + value;
    }

    void read_more() {
        g_input_stream_read_bytes_async(body_.get(),
                                        kReadBytes,
                                        G_PRIORITY_DEFAULT,
                                        cancellable_.get(),
                                        &Transfer::on_read,
                                        new std::shared_ptr<Transfer>(shared_from_this()));
    }

    static void on_read(GObject* stream, GAsyncResult* result, gpointer data) {
        const std::unique_ptr<std::shared_ptr<Transfer>> self(
            static_cast<std::shared_ptr<Transfer>*>(data));
        glib::GErrorOut error;
        const auto bytes = glib::Ref<GBytes>::adopt(
            g_input_stream_read_bytes_finish(G_INPUT_STREAM(stream), result, error));
        (*self)->got_bytes(bytes.get(), error);
    }

    void got_bytes(GBytes* bytes, const glib::GErrorOut& error) {
        if (!done_) return;
        if (bytes == nullptr) return finish(failure(error));
        gsize size = 0;
        const auto* data = static_cast<const char*>(g_bytes_get_data(bytes, &size));
        if (size == 0) return finish(std::move(reply_));
        if (size > request_.max_reply_bytes - reply_.body.size()) {
            return finish(base::fail(ErrorCode::LimitReached,
                                     host_ + " answered with more than " +
                                         std::to_string(request_.max_reply_bytes) + " bytes"));
        }
        reply_.body.append(data, size);
        read_more();
    }

    void on_deadline() {
        finish(base::fail(ErrorCode::Timeout,
                          "no whole answer of " + host_ + " within " +
                              std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(
                                                 request_.timeout)
                                                 .count()) +
                              " ms: check the network and the server"));
    }

    [[nodiscard]] tl::unexpected<base::Error> failure(const glib::GErrorOut& error) const {
        if (error && g_error_matches(error.get(), G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE)) {
            return tl::unexpected(glib::certificate_failure(
                soup_message_get_tls_peer_certificate(message_.get()),
                soup_message_get_tls_peer_certificate_errors(message_.get()),
                host_,
                host_));
        }
        if (error && error.get()->domain == G_TLS_ERROR) {
            return tl::unexpected(glib::handshake_failure(error.get(), host_));
        }
        return base::fail(
            ErrorCode::Unavailable, "cannot reach " + host_ + " over HTTP", error.text());
    }

    void finish(base::Result<HttpReply> result) {
        const auto self = shared_from_this();  // `done` may drop the last handle
        const Done done = std::exchange(done_, nullptr);
        deadline_.cancel();
        // Ends what is still running, as after a time-out; nothing to do otherwise.
        g_cancellable_cancel(cancellable_.get());
        body_.reset();  // gives the connection back, however long the handle is kept
        if (done) done(std::move(result));
    }

    HttpRequest request_;
    Done done_;
    glib::Ref<GCancellable> cancellable_;
    glib::Ref<GMainContext> context_;
    std::string host_;
    glib::Ref<SoupMessage> message_;
    glib::Ref<GInputStream> body_;
    HttpReply reply_;
    glib::Timer deadline_;
};

class Client::Impl {
public:
    Impl(glib::Ref<SoupSession> session) : session_(std::move(session)) {}

    ~Impl() {
        for (const auto& weak : transfers_) {
            if (const auto transfer = weak.lock()) transfer->cancel();
        }
        soup_session_abort(session_.get());
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    std::shared_ptr<Transfer> send(HttpRequest request, Done done) {
        std::erase_if(transfers_, [](const auto& weak) { return weak.expired(); });
        auto transfer =
            std::make_shared<Transfer>(std::move(request), std::move(done), context_.get());
        transfers_.push_back(transfer);
        transfer->start(session_.get());
        return transfer;
    }

private:
    glib::Ref<GMainContext> context_ =
        glib::Ref<GMainContext>::adopt(g_main_context_ref_thread_default());
    glib::Ref<SoupSession> session_;
    std::vector<std::weak_ptr<Transfer>> transfers_;
};

Client::Exchange& Client::Exchange::operator=(Exchange&& other) noexcept {
    if (this != &other) {
        cancel();
        transfer_ = std::move(other.transfer_);
    }
    return *this;
}

void Client::Exchange::cancel() {
    if (const auto transfer = std::exchange(transfer_, nullptr)) transfer->cancel();
}

base::Result<std::unique_ptr<Client>> Client::create(const ClientOptions& options) {
    auto session =
        glib::Ref<SoupSession>::adopt(SOUP_SESSION(g_object_new(SOUP_TYPE_SESSION,
                                                                "user-agent",
                                                                options.user_agent.c_str(),
                                                                "proxy-resolver",
                                                                nullptr,
                                                                "idle-timeout",
                                                                kIdleSeconds,
                                                                nullptr)));
    // A few hundred compressed bytes can be gigabytes; we ask for none.
    soup_session_remove_feature_by_type(session.get(), SOUP_TYPE_CONTENT_DECODER);
    if (!options.ca_file.empty()) {
        glib::GErrorOut error;
        const auto database =
            glib::Ref<GTlsDatabase>::adopt(g_tls_file_database_new(options.ca_file.c_str(), error));
        if (!database) {
            return error.fail(ErrorCode::Io, "cannot read the CA file " + options.ca_file);
        }
        soup_session_set_tls_database(session.get(), database.get());
    }
    return std::unique_ptr<Client>(new Client(std::make_unique<Impl>(std::move(session))));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Client::Exchange Client::send(HttpRequest request, Done done) {
    return Exchange(impl_->send(std::move(request), std::move(done)));
}

}  // namespace offhook::http
