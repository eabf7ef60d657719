#include "http/scripted_server.h"

#include <gio/gio.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "glib/main_executor.h"
#include "glib/ref.h"

namespace offhook::testing {
namespace {

constexpr int kMaxThreads = 8;

// A request's head, and its body by Content-Length; empty when the client went before.
std::string read_request(GInputStream* in) {
    std::string text;
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
        char buffer[4096];
        const gssize n = g_input_stream_read(in, buffer, sizeof buffer, nullptr, nullptr);
        if (n <= 0) return {};
        text.append(buffer, static_cast<std::size_t>(n));
        const std::size_t head = text.find("\r\n\r\n");
        if (head == std::string::npos) continue;
        const std::size_t length = text.find("Content-Length: ");
        wanted = head + 4 + (length < head ? std::stoul(text.substr(length + 16)) : 0);
    }
    return text;
}

}  // namespace

class ScriptedServer::Impl {
public:
    Impl(const std::string& pem, Script script)
        : script_(std::move(script)),
          context_(glib::Ref<GMainContext>::adopt(g_main_context_new())),
          loop_(glib::Ref<GMainLoop>::adopt(g_main_loop_new(context_.get(), FALSE))) {
        if (!pem.empty()) {
            certificate_ = glib::Ref<GTlsCertificate>::adopt(
                g_tls_certificate_new_from_file(pem.c_str(), nullptr));
            if (!certificate_) throw std::runtime_error("no certificate in " + pem);
        }
        g_main_context_push_thread_default(context_.get());
        service_ = glib::Ref<GSocketService>::adopt(g_threaded_socket_service_new(kMaxThreads));
        const auto address =
            glib::Ref<GSocketAddress>::adopt(g_inet_socket_address_new_from_string("127.0.0.1", 0));
        GSocketAddress* real = nullptr;
        const bool listens = g_socket_listener_add_address(G_SOCKET_LISTENER(service_.get()),
                                                           address.get(),
                                                           G_SOCKET_TYPE_STREAM,
                                                           G_SOCKET_PROTOCOL_TCP,
                                                           nullptr,
                                                           &real,
                                                           nullptr) != FALSE;
        g_main_context_pop_thread_default(context_.get());
        if (!listens) throw std::runtime_error("cannot listen");
        const auto owned = glib::Ref<GSocketAddress>::adopt(real);
        port_ = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(real));
        g_signal_connect(service_.get(), "run", G_CALLBACK(&Impl::on_run), this);
        thread_ = std::thread([this] { g_main_loop_run(loop_.get()); });
    }

    ~Impl() {
        // On its own thread: a quit before the loop runs would be forgotten.
        glib::MainExecutor(context_.get()).post([this] { g_main_loop_quit(loop_.get()); });
        thread_.join();
        g_socket_service_stop(service_.get());
        g_socket_listener_close(G_SOCKET_LISTENER(service_.get()));
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::seconds(10), [this] { return running_ == 0; });
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    [[nodiscard]] unsigned port() const { return port_; }

    bool saw_close() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return closed_ > 0; });
    }

private:
    static gboolean on_run(GThreadedSocketService*,
                           GSocketConnection* connection,
                           GObject*,
                           gpointer self) {
        static_cast<Impl*>(self)->serve(connection);
        return TRUE;
    }

    void serve(GSocketConnection* connection) {
        count(running_, 1);
        g_socket_set_timeout(g_socket_connection_get_socket(connection), 10);
        auto stream = glib::Ref<GIOStream>::share(G_IO_STREAM(connection));
        if (certificate_) {
            stream = glib::Ref<GIOStream>::adopt(
                g_tls_server_connection_new(stream.get(), certificate_.get(), nullptr));
        }
        GInputStream* in = g_io_stream_get_input_stream(stream.get());
        if (const std::string request = read_request(in); !request.empty()) {
            const Reply reply = script_(request);
            g_output_stream_write_all(g_io_stream_get_output_stream(stream.get()),
                                      reply.bytes.data(),
                                      reply.bytes.size(),
                                      nullptr,
                                      nullptr,
                                      nullptr);
            char byte = 0;
            if (reply.hold_open && g_input_stream_read(in, &byte, 1, nullptr, nullptr) <= 0) {
                count(closed_, 1);
            }
        }
        g_io_stream_close(stream.get(), nullptr, nullptr);
        count(running_, -1);
    }

    void count(int& what, int by) {
        const std::lock_guard lock(mutex_);
        what += by;
        changed_.notify_all();
    }

    Script script_;
    glib::Ref<GMainContext> context_;
    glib::Ref<GMainLoop> loop_;
    glib::Ref<GTlsCertificate> certificate_;
    glib::Ref<GSocketService> service_;
    unsigned port_ = 0;
    std::thread thread_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int running_ = 0, closed_ = 0;
};

ScriptedServer::ScriptedServer(const std::string& pem, Script script)
    : impl_(std::make_unique<Impl>(pem, std::move(script))) {}
ScriptedServer::~ScriptedServer() = default;
unsigned ScriptedServer::port() const {
    return impl_->port();
}
bool ScriptedServer::saw_close() {
    return impl_->saw_close();
}

}  // namespace offhook::testing
