#include "signalling/sip_server.h"

#include <gio/gio.h>
#include <libsoup/soup.h>
#include <poll.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <stdexcept>

#include "glib/error_out.h"
#include "http/loop_thread.h"

namespace offhook::test {

using signalling::sip::Transport;

namespace {

/// GIO makes TLS handshakes on threads that wait for more afterwards. The leak checker of g++ 12
/// crashes over the thread-local memory that a library loaded late gave them, so they end before it
/// looks.
struct PoolThreads {
    PoolThreads() = default;
    PoolThreads(const PoolThreads&) = delete;
    PoolThreads& operator=(const PoolThreads&) = delete;
    ~PoolThreads() {
        using namespace std::chrono_literals;
        const auto until = std::chrono::steady_clock::now() + 3s;
        while (count() > 0 && std::chrono::steady_clock::now() < until) {
            g_thread_pool_stop_unused_threads();
            poll(nullptr, 0, 5);
        }
    }

    static int count() {
        int threads = 0;
        for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
            std::string name;
            std::getline(std::ifstream(task.path() / "comm"), name);
            if (name.starts_with("pool") && name != "pool-spawner") ++threads;
        }
        return threads;
    }
};
const PoolThreads kPoolThreads;

}  // namespace

class SipServer::Impl {
public:
    explicit Impl(const Options& options) : options_(options) {
        loop_.run([this] { is_websocket() ? serve_websocket() : serve_stream(); });
    }

    ~Impl() {
        thaw();
        loop_.run([this] {
            if (websocket_) {
                g_signal_handlers_disconnect_by_data(websocket_.get(), this);
                websocket_.reset();
            }
            drop_stream();
            if (soup_) {
                soup_server_remove_handler(soup_.get(), nullptr);
                soup_server_disconnect(soup_.get());
                soup_.reset();
            }
            if (service_) {
                g_socket_service_stop(service_.get());
                g_socket_listener_close(G_SOCKET_LISTENER(service_.get()));
                service_.reset();
            }
        });
    }

    // Its side of a handshake may end after the client's.
    void wait_for_client() {
        (void)wait(std::chrono::seconds(5), [this] { return is_connected_; });
    }

    void send(std::string_view bytes, bool binary) {
        wait_for_client();
        loop_.run([&] {
            if (websocket_) {
                const auto data = glib::Ref<GBytes>::adopt(g_bytes_new(bytes.data(), bytes.size()));
                soup_websocket_connection_send_message(
                    websocket_.get(),
                    binary ? SOUP_WEBSOCKET_DATA_BINARY : SOUP_WEBSOCKET_DATA_TEXT,
                    data.get());
            } else if (stream_) {
                g_output_stream_write_all(g_io_stream_get_output_stream(stream_.get()),
                                          bytes.data(),
                                          bytes.size(),
                                          nullptr,
                                          nullptr,
                                          nullptr);
            }
        });
    }

    void close(int code, const std::string& reason) {
        wait_for_client();
        loop_.run([&] {
            if (websocket_) {
                soup_websocket_connection_close(
                    websocket_.get(), static_cast<gushort>(code), reason.c_str());
            }
            drop_stream();
        });
    }

    void freeze() {
        std::promise<void> blocked;
        auto ready = blocked.get_future();
        {
            const std::lock_guard lock(mutex_);
            is_frozen_ = true;
        }
        freezer_ = std::thread([this, &blocked] {
            loop_.run([this, &blocked] {
                blocked.set_value();
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [this] { return !is_frozen_; });
            });
        });
        ready.wait();
    }

    template <class Condition>
    bool wait(std::chrono::milliseconds limit, Condition condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, condition);
    }

    std::string receive(std::chrono::milliseconds limit) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, limit, [this] { return !heard_.empty(); })) return {};
        std::string first = std::move(heard_.front());
        heard_.pop_front();
        return first;
    }

    std::uint16_t port = 0;
    std::mutex mutex_;  ///< of what follows
    std::condition_variable changed_;
    std::deque<std::string> heard_;
    bool is_connected_ = false;
    bool was_closed_ = false;
    bool is_frozen_ = false;
    std::size_t pings_ = 0;
    int close_code_ = 0;
    std::map<std::string, std::string> headers_;
    std::string path_;

private:
    bool is_websocket() const { return signalling::sip::is_websocket(options_.transport); }

    void thaw() {
        {
            const std::lock_guard lock(mutex_);
            is_frozen_ = false;
            changed_.notify_all();
        }
        if (freezer_.joinable()) freezer_.join();
    }

    template <class Change>
    void note(Change change) {
        const std::lock_guard lock(mutex_);
        change();
        changed_.notify_all();
    }

    glib::Ref<GTlsCertificate> certificate() const {
        glib::GErrorOut error;
        auto made = glib::Ref<GTlsCertificate>::adopt(
            g_tls_certificate_new_from_file(options_.pem.c_str(), error));
        if (!made) throw std::runtime_error(error.text());
        return made;
    }

    // byte streams

    void serve_stream() {
        glib::GErrorOut error;
        service_ = glib::Ref<GSocketService>::adopt(g_socket_service_new());
        const auto any =
            glib::Ref<GSocketAddress>::adopt(g_inet_socket_address_new_from_string("127.0.0.1", 0));
        GSocketAddress* bound = nullptr;
        if (!g_socket_listener_add_address(G_SOCKET_LISTENER(service_.get()),
                                           any.get(),
                                           G_SOCKET_TYPE_STREAM,
                                           G_SOCKET_PROTOCOL_TCP,
                                           nullptr,
                                           &bound,
                                           error)) {
            throw std::runtime_error(error.text());
        }
        const auto address = glib::Ref<GSocketAddress>::adopt(bound);
        port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
        g_signal_connect(service_.get(), "incoming", G_CALLBACK(&Impl::on_incoming), this);
        g_socket_service_start(service_.get());
    }

    static gboolean on_incoming(GSocketService*,
                                GSocketConnection* connection,
                                GObject*,
                                gpointer data) {
        static_cast<Impl*>(data)->take(G_IO_STREAM(connection));
        return TRUE;
    }

    struct Pending {
        Impl* self;
        glib::Ref<GCancellable> of;
    };

    void take(GIOStream* connection) {
        drop_stream();
        if (options_.transport != Transport::Tls) {
            return begin(glib::Ref<GIOStream>::share(connection));
        }
        glib::GErrorOut error;
        const auto tls = glib::Ref<GIOStream>::adopt(
            g_tls_server_connection_new(connection, certificate().get(), error));
        if (!tls) throw std::runtime_error(error.text());
        cancellable_ = glib::Ref<GCancellable>::adopt(g_cancellable_new());
        // Closing before its end would wait for it.
        g_tls_connection_handshake_async(G_TLS_CONNECTION(tls.get()),
                                         G_PRIORITY_DEFAULT,
                                         cancellable_.get(),
                                         &Impl::on_handshake,
                                         new Pending{this, cancellable_});
    }

    static void on_handshake(GObject* source, GAsyncResult* result, gpointer data) {
        const std::unique_ptr<Pending> pending(static_cast<Pending*>(data));
        const bool ok =
            g_tls_connection_handshake_finish(G_TLS_CONNECTION(source), result, nullptr) == TRUE;
        if (!ok || g_cancellable_is_cancelled(pending->of.get())) return;
        pending->self->begin(glib::Ref<GIOStream>::share(G_IO_STREAM(source)));
    }

    void begin(glib::Ref<GIOStream> stream) {
        stream_ = std::move(stream);
        cancellable_ = glib::Ref<GCancellable>::adopt(g_cancellable_new());
        note([this] {
            is_connected_ = true;
            was_closed_ = false;
        });
        read_more();
    }

    void read_more() {
        g_input_stream_read_async(g_io_stream_get_input_stream(stream_.get()),
                                  bytes_.data(),
                                  bytes_.size(),
                                  G_PRIORITY_DEFAULT,
                                  cancellable_.get(),
                                  &Impl::on_read,
                                  new Pending{this, cancellable_});
    }

    static void on_read(GObject* source, GAsyncResult* result, gpointer data) {
        const std::unique_ptr<Pending> read(static_cast<Pending*>(data));
        glib::GErrorOut error;
        const gssize n = g_input_stream_read_finish(G_INPUT_STREAM(source), result, error);
        if (g_cancellable_is_cancelled(read->of.get())) return;
        Impl& self = *read->self;
        if (n <= 0) return self.drop_stream();
        const std::string text(self.bytes_.data(), static_cast<std::size_t>(n));
        if (text == "\r\n\r\n") {
            self.note([&] { ++self.pings_; });
            if (self.options_.answers_pings) {
                g_output_stream_write_all(g_io_stream_get_output_stream(self.stream_.get()),
                                          "\r\n",
                                          2,
                                          nullptr,
                                          nullptr,
                                          nullptr);
            }
        } else {
            self.note([&] { self.heard_.push_back(text); });
        }
        self.read_more();
    }

    void drop_stream() {
        if (cancellable_) g_cancellable_cancel(cancellable_.get());
        if (!stream_) return;
        g_io_stream_close(stream_.get(), nullptr, nullptr);
        stream_.reset();
        note([this] { was_closed_ = true; });
    }

    // WebSockets

    void serve_websocket() {
        glib::GErrorOut error;
        soup_ = glib::Ref<SoupServer>::adopt(SOUP_SERVER(g_object_new(SOUP_TYPE_SERVER, nullptr)));
        auto flags = static_cast<SoupServerListenOptions>(SOUP_SERVER_LISTEN_IPV4_ONLY);
        if (options_.transport == Transport::Wss) {
            soup_server_set_tls_certificate(soup_.get(), certificate().get());
            flags = static_cast<SoupServerListenOptions>(flags | SOUP_SERVER_LISTEN_HTTPS);
        }
        std::string subprotocol = options_.subprotocol;
        std::array<char*, 2> protocols{subprotocol.data(), nullptr};
        soup_server_add_websocket_handler(soup_.get(),
                                          nullptr,
                                          nullptr,
                                          subprotocol.empty() ? nullptr : protocols.data(),
                                          &Impl::on_websocket,
                                          this,
                                          nullptr);
        if (!soup_server_listen_local(soup_.get(), 0, flags, error)) {
            throw std::runtime_error(error.text());
        }
        GSList* uris = soup_server_get_uris(soup_.get());
        port = static_cast<std::uint16_t>(g_uri_get_port(static_cast<GUri*>(uris->data)));
        g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(&g_uri_unref));
    }

    static void on_websocket(SoupServer*,
                             SoupServerMessage* message,
                             const char* path,
                             SoupWebsocketConnection* connection,
                             gpointer data) {
        Impl& self = *static_cast<Impl*>(data);
        if (self.websocket_) {
            g_signal_handlers_disconnect_by_data(self.websocket_.get(), &self);
        }
        self.websocket_ = glib::Ref<SoupWebsocketConnection>::share(connection);
        g_signal_connect(connection, "message", G_CALLBACK(&Impl::on_message), &self);
        g_signal_connect(connection, "closed", G_CALLBACK(&Impl::on_closed), &self);
        self.note([&] {
            self.headers_.clear();
            soup_message_headers_foreach(
                soup_server_message_get_request_headers(message),
                [](const char* name, const char* value, gpointer into) {
                    (*static_cast<std::map<std::string, std::string>*>(into))[name] = value;
                },
                &self.headers_);
            self.path_ = path;
            self.is_connected_ = true;
            self.was_closed_ = false;
            self.close_code_ = 0;
        });
    }

    static void on_message(SoupWebsocketConnection*, int, GBytes* bytes, gpointer data) {
        Impl& self = *static_cast<Impl*>(data);
        gsize size = 0;
        const auto* text = static_cast<const char*>(g_bytes_get_data(bytes, &size));
        self.note([&] { self.heard_.emplace_back(text, size); });
    }

    static void on_closed(SoupWebsocketConnection* connection, gpointer data) {
        Impl& self = *static_cast<Impl*>(data);
        self.note([&] {
            self.was_closed_ = true;
            self.close_code_ = soup_websocket_connection_get_close_code(connection);
        });
    }

    Options options_;
    std::thread freezer_;
    glib::Ref<GSocketService> service_;
    glib::Ref<GIOStream> stream_;
    glib::Ref<GCancellable> cancellable_;
    std::array<char, 64 * 1024> bytes_{};
    glib::Ref<SoupServer> soup_;
    glib::Ref<SoupWebsocketConnection> websocket_;
    testing::LoopThread loop_;  ///< last: it ends before what runs on it goes
};

SipServer::SipServer(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
SipServer::~SipServer() = default;

std::uint16_t SipServer::port() const {
    return impl_->port;
}

void SipServer::send(std::string_view bytes) {
    impl_->send(bytes, false);
}

void SipServer::send_binary(std::string_view bytes) {
    impl_->send(bytes, true);
}

void SipServer::close(int code, const std::string& reason) {
    impl_->close(code, reason);
}

std::string SipServer::receive(std::chrono::milliseconds limit) {
    return impl_->receive(limit);
}

bool SipServer::wait_connected(std::chrono::milliseconds limit) {
    return impl_->wait(limit, [this] { return impl_->is_connected_; });
}

bool SipServer::wait_closed(std::chrono::milliseconds limit) {
    return impl_->wait(limit, [this] { return impl_->was_closed_; });
}

std::size_t SipServer::pings() const {
    const std::lock_guard lock(impl_->mutex_);
    return impl_->pings_;
}

int SipServer::close_code() const {
    const std::lock_guard lock(impl_->mutex_);
    return impl_->close_code_;
}

std::string SipServer::header(const std::string& name) const {
    const std::lock_guard lock(impl_->mutex_);
    const auto found = impl_->headers_.find(name);
    return found == impl_->headers_.end() ? std::string() : found->second;
}

std::string SipServer::path() const {
    const std::lock_guard lock(impl_->mutex_);
    return impl_->path_;
}

void SipServer::freeze() {
    impl_->freeze();
}

}  // namespace offhook::test
