#include "glib/stream_dialer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/escape.h"
#include "glib/error_out.h"
#include "glib/timer.h"
#include "glib/tls_failure.h"

namespace offhook::glib {
namespace {

using base::ErrorCode;

std::string in_seconds(std::chrono::milliseconds time) {
    return std::to_string((time.count() + 999) / 1000) + " s";
}

/// Why a TCP connection did not come about, and what to check.
base::Error tcp_failure(const GErrorOut& error, const std::string& where) {
    const auto because = [&](ErrorCode code, const std::string& why) {
        return base::Error{code, why, error.text()};
    };
    if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)) {
        return because(ErrorCode::Unavailable,
                       "connection refused by " + where +
                           ": check the port, and that the server listens on this transport");
    }
    if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE) ||
        g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE)) {
        return because(ErrorCode::Unavailable,
                       where + " is unreachable: check the network and the address");
    }
    if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        return because(ErrorCode::Timeout,
                       "no answer from " + where + ": check the address, and firewalls on the way");
    }
    return because(ErrorCode::Io, "cannot connect to " + where);
}

}  // namespace

/// One attempt, from the socket to the checked certificate. Held by the dialer and by what GIO
/// still has to call back; `done_` is empty once nobody wants to know.
class StreamDialer::Attempt : public std::enable_shared_from_this<Attempt> {
public:
    Attempt(const DialOptions& options, Done done)
        : options_(options),
          where_(address_text(options.address, options.length)),
          done_(std::move(done)),
          context_(Ref<GMainContext>::adopt(g_main_context_ref_thread_default())),
          cancellable_(Ref<GCancellable>::adopt(g_cancellable_new())) {}

    void start() {
        deadline_.once(context_.get(), options_.timeout, [this] {
            finish(base::fail(
                ErrorCode::Timeout,
                tls_ ? "no end of the TLS handshake with " + where_ + " in " +
                           in_seconds(options_.timeout) + ": check that this port speaks TLS"
                     : "no answer from " + where_ + " in " + in_seconds(options_.timeout) +
                           ": check the address, and firewalls on the way"));
        });
        if (auto begun = connect(); !begun) finish_later(std::move(begun.error()));
    }

    [[nodiscard]] GSocket* socket() const { return result_.socket.get(); }

    void abandon() {
        done_ = nullptr;
        stop();
    }

private:
    base::Result<void> connect() {
        // Copied, because GIO takes a pointer without const.
        sockaddr_storage address = options_.address;
        const auto target =
            Ref<GSocketAddress>::adopt(g_socket_address_new_from_native(&address, options_.length));
        GErrorOut error;
        result_.socket = Ref<GSocket>::adopt(g_socket_new(g_socket_address_get_family(target.get()),
                                                          G_SOCKET_TYPE_STREAM,
                                                          G_SOCKET_PROTOCOL_TCP,
                                                          error));
        if (!result_.socket) return error.fail(ErrorCode::Io, "cannot make a socket for " + where_);
        GSocket* socket = result_.socket.get();
        g_socket_set_blocking(socket, FALSE);
        g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
        set_dscp(g_socket_get_fd(socket), options_.address.ss_family, options_.dscp);
        if (!g_socket_connect(socket, target.get(), nullptr, error) &&
            !g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_PENDING)) {
            return tl::unexpected(tcp_failure(error, where_));
        }
        watch_connected();
        return {};
    }

    void watch_connected() {
        connecting_ = g_socket_create_source(result_.socket.get(), G_IO_OUT, nullptr);
        const GSocketSourceFunc run = [](GSocket*, GIOCondition, gpointer data) -> gboolean {
            (*static_cast<std::shared_ptr<Attempt>*>(data))->on_connected();
            return G_SOURCE_REMOVE;
        };
        g_source_set_callback(connecting_, G_SOURCE_FUNC(run), holder(), release_holder);
        g_source_attach(connecting_, context_.get());
    }

    void on_connected() {
        if (!done_) return;
        GErrorOut error;
        if (!g_socket_check_connect_result(result_.socket.get(), error)) {
            return finish(tl::unexpected(tcp_failure(error, where_)));
        }
        // Not before: it would shorten the time to connect.
        if (options_.user_timeout.count() > 0) {
            g_socket_set_option(result_.socket.get(),
                                IPPROTO_TCP,
                                TCP_USER_TIMEOUT,
                                static_cast<gint>(options_.user_timeout.count()),
                                nullptr);
        }
        result_.local_length = sizeof(result_.local);
        if (getsockname(g_socket_get_fd(result_.socket.get()),
                        reinterpret_cast<sockaddr*>(&result_.local),
                        &result_.local_length) != 0) {
            return finish(base::fail_errno("cannot read our address towards " + where_, errno));
        }
        result_.stream = Ref<GIOStream>::adopt(
            G_IO_STREAM(g_socket_connection_factory_create_connection(result_.socket.get())));
        if (!options_.tls) return finish(std::move(result_));
        if (auto begun = begin_tls(); !begun) finish(tl::unexpected(std::move(begun.error())));
    }

    base::Result<void> begin_tls() {
        const TlsCheck& check = *options_.tls;
        GErrorOut error;
        const auto name =
            Ref<GSocketConnectable>::adopt(g_network_address_new(check.server_name.c_str(), 0));
        const auto stream = Ref<GIOStream>::adopt(
            g_tls_client_connection_new(result_.stream.get(), name.get(), error));
        if (!stream) {
            return error.fail(ErrorCode::Unsupported,
                              "no TLS in this system: install the package glib-networking");
        }
        tls_ = Ref<GTlsConnection>::share(G_TLS_CONNECTION(stream.get()));
        // SIP and WebSocket know where their messages end; many servers just close the socket.
        g_tls_connection_set_require_close_notify(tls_.get(), FALSE);
        if (!check.ca_file.empty() && !check.insecure) {
            const UniqueString path(g_canonicalize_filename(check.ca_file.c_str(), nullptr));
            const auto database =
                Ref<GTlsDatabase>::adopt(g_tls_file_database_new(path.get(), error));
            if (!database) {
                return error.fail(ErrorCode::InvalidArgument,
                                  "cannot use the certificate authorities in " + check.ca_file +
                                      ": it has to be a readable PEM file");
            }
            g_tls_connection_set_database(tls_.get(), database.get());
        }
        g_signal_connect_data(
            tls_.get(),
            "accept-certificate",
            G_CALLBACK(&Attempt::on_certificate),
            holder(),
            [](gpointer data, GClosure*) { release_holder(data); },
            static_cast<GConnectFlags>(0));
        g_tls_connection_handshake_async(
            tls_.get(), G_PRIORITY_DEFAULT, cancellable_.get(), &Attempt::on_handshake, holder());
        return {};
    }

    /// Emitted only for a certificate that failed a check.
    static gboolean on_certificate(GTlsConnection*,
                                   GTlsCertificate* certificate,
                                   GTlsCertificateFlags errors,
                                   gpointer data) {
        Attempt& self = **static_cast<std::shared_ptr<Attempt>*>(data);
        if (self.options_.tls->insecure) return TRUE;
        self.refusal_ =
            certificate_failure(certificate, errors, self.options_.tls->server_name, self.where_);
        return FALSE;
    }

    static void on_handshake(GObject* source, GAsyncResult* result, gpointer data) {
        const std::unique_ptr<std::shared_ptr<Attempt>> self(
            static_cast<std::shared_ptr<Attempt>*>(data));
        GErrorOut error;
        const bool ok =
            g_tls_connection_handshake_finish(G_TLS_CONNECTION(source), result, error) == TRUE;
        (*self)->on_handshake_done(ok, error);
    }

    void on_handshake_done(bool ok, const GErrorOut& error) {
        if (!done_) return;
        if (refusal_) return finish(tl::unexpected(std::move(*refusal_)));
        if (!ok) return finish(tl::unexpected(handshake_failure(error.get(), where_)));
        if (g_tls_connection_get_protocol_version(tls_.get()) < G_TLS_PROTOCOL_VERSION_TLS_1_2) {
            return finish(
                base::fail(ErrorCode::Unavailable,
                           where_ + " speaks only TLS older than 1.2: update the server"));
        }
        result_.stream = Ref<GIOStream>::share(G_IO_STREAM(tls_.get()));
        finish(std::move(result_));
    }

    void finish(base::Result<DialledStream> result) {
        const auto keep = shared_from_this();
        const Done done = std::exchange(done_, nullptr);
        stop();
        if (done) done(std::move(result));
    }

    void finish_later(base::Error error) {
        deadline_.once(context_.get(), std::chrono::milliseconds(0), [this, error] {
            finish(tl::unexpected(error));
        });
    }

    /// Lets go of everything that refers back to us.
    void stop() {
        deadline_.cancel();
        if (GSource* source = std::exchange(connecting_, nullptr)) {
            g_source_destroy(source);
            g_source_unref(source);
        }
        if (tls_) {
            g_signal_handlers_disconnect_matched(
                tls_.get(),
                static_cast<GSignalMatchType>(G_SIGNAL_MATCH_FUNC),
                0,
                0,
                nullptr,
                reinterpret_cast<gpointer>(&Attempt::on_certificate),
                nullptr);
            tls_.reset();
        }
        g_cancellable_cancel(cancellable_.get());
        result_ = {};
    }

    [[nodiscard]] gpointer holder() { return new std::shared_ptr<Attempt>(shared_from_this()); }
    static void release_holder(gpointer data) {
        delete static_cast<std::shared_ptr<Attempt>*>(data);
    }

    DialOptions options_;
    std::string where_;
    Done done_;
    Ref<GMainContext> context_;
    Ref<GCancellable> cancellable_;
    DialledStream result_;
    Ref<GTlsConnection> tls_;
    std::optional<base::Error> refusal_;
    GSource* connecting_ = nullptr;
    Timer deadline_;
};

StreamDialer::StreamDialer() = default;

StreamDialer::~StreamDialer() {
    if (attempt_) attempt_->abandon();
}

void StreamDialer::dial(const DialOptions& options, Done done) {
    if (attempt_) attempt_->abandon();
    attempt_ = std::make_shared<Attempt>(options, std::move(done));
    attempt_->start();
}

GSocket* StreamDialer::socket() const {
    return attempt_ ? attempt_->socket() : nullptr;
}

void close_at_once(GIOStream* stream) {
    if (G_IS_TLS_CONNECTION(stream)) {
        GIOStream* raw = nullptr;
        g_object_get(stream, "base-io-stream", &raw, nullptr);
        const auto base = Ref<GIOStream>::adopt(raw);
        if (G_IS_SOCKET_CONNECTION(raw)) {
            GSocket* socket = g_socket_connection_get_socket(G_SOCKET_CONNECTION(raw));
            if ((g_socket_condition_check(socket, G_IO_OUT) & G_IO_OUT) == 0) {
                g_socket_close(socket, nullptr);
            }
        }
    }
    g_io_stream_close(stream, nullptr, nullptr);
}

void set_dscp(int fd, int family, int dscp) {
    const int octet = dscp << 2;  // the two low bits are ECN's
    if (family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &octet, sizeof(octet));
    } else {
        setsockopt(fd, IPPROTO_IP, IP_TOS, &octet, sizeof(octet));
    }
}

std::string address_text(const sockaddr_storage& address, socklen_t length) {
    sockaddr_storage copy = address;
    const auto native = Ref<GSocketAddress>::adopt(g_socket_address_new_from_native(&copy, length));
    if (!native || !G_IS_INET_SOCKET_ADDRESS(native.get())) return {};
    auto* inet = G_INET_SOCKET_ADDRESS(native.get());
    const UniqueString host(g_inet_address_to_string(g_inet_socket_address_get_address(inet)));
    const std::string port = std::to_string(g_inet_socket_address_get_port(inet));
    const std::string text(host.get());
    return (text.find(':') == std::string::npos ? text : "[" + text + "]") + ":" + port;
}

}  // namespace offhook::glib
