#include "http/scripted_server.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "glib/main_executor.h"

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

// What the service's threads use. It lives as long as the last of them, which may begin after the
// server is gone.
struct ScriptedServer::Impl {
    Script script;
    glib::Ref<GTlsCertificate> certificate;
    std::mutex mutex;
    std::condition_variable changed;
    int running = 0, closed = 0;
    bool is_over = false;

    static gboolean on_run(GThreadedSocketService*,
                           GSocketConnection* connection,
                           GObject*,
                           gpointer self) {
        const auto shared = *static_cast<std::shared_ptr<Impl>*>(self);
        {
            const std::lock_guard lock(shared->mutex);
            if (shared->is_over) return TRUE;
            ++shared->running;
        }
        const bool saw_close = shared->serve(connection);
        const std::lock_guard lock(shared->mutex);
        --shared->running;
        if (saw_close) ++shared->closed;
        shared->changed.notify_all();
        return TRUE;
    }

    // True when the client closed what was held open.
    bool serve(GSocketConnection* connection) {
        g_socket_set_timeout(g_socket_connection_get_socket(connection), 10);
        auto stream = glib::Ref<GIOStream>::share(G_IO_STREAM(connection));
        if (certificate) {
            stream = glib::Ref<GIOStream>::adopt(
                g_tls_server_connection_new(stream.get(), certificate.get(), nullptr));
        }
        GInputStream* in = g_io_stream_get_input_stream(stream.get());
        bool saw_close = false;
        if (const std::string request = read_request(in); !request.empty()) {
            const Reply reply = script(request);
            g_output_stream_write_all(g_io_stream_get_output_stream(stream.get()),
                                      reply.bytes.data(),
                                      reply.bytes.size(),
                                      nullptr,
                                      nullptr,
                                      nullptr);
            char byte = 0;
            saw_close = reply.hold_open && g_input_stream_read(in, &byte, 1, nullptr, nullptr) <= 0;
        }
        g_io_stream_close(stream.get(), nullptr, nullptr);
        return saw_close;
    }
};

ScriptedServer::ScriptedServer(const std::string& pem, Script script)
    : impl_(std::make_shared<Impl>()),
      context_(glib::Ref<GMainContext>::adopt(g_main_context_new())),
      loop_(glib::Ref<GMainLoop>::adopt(g_main_loop_new(context_.get(), FALSE))) {
    impl_->script = std::move(script);
    if (!pem.empty()) {
        impl_->certificate = glib::Ref<GTlsCertificate>::adopt(
            g_tls_certificate_new_from_file(pem.c_str(), nullptr));
        if (!impl_->certificate) throw std::runtime_error("no certificate in " + pem);
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
    g_signal_connect_data(
        service_.get(),
        "run",
        G_CALLBACK(&Impl::on_run),
        new std::shared_ptr<Impl>(impl_),
        [](gpointer data, GClosure*) { delete static_cast<std::shared_ptr<Impl>*>(data); },
        static_cast<GConnectFlags>(0));
    thread_ = std::thread([this] { g_main_loop_run(loop_.get()); });
}

ScriptedServer::~ScriptedServer() {
    // On its own thread: a quit before the loop runs would be forgotten.
    glib::MainExecutor(context_.get()).post([this] { g_main_loop_quit(loop_.get()); });
    thread_.join();
    g_socket_service_stop(service_.get());
    g_socket_listener_close(G_SOCKET_LISTENER(service_.get()));
    std::unique_lock lock(impl_->mutex);
    impl_->is_over = true;
    // The script belongs to the test and must not run any more.
    impl_->changed.wait(lock, [this] { return impl_->running == 0; });
}

unsigned ScriptedServer::port() const {
    return port_;
}

bool ScriptedServer::saw_close() {
    std::unique_lock lock(impl_->mutex);
    return impl_->changed.wait_for(
        lock, std::chrono::seconds(10), [this] { return impl_->closed > 0; });
}

}  // namespace offhook::testing
