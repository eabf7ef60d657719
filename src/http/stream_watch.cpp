#include "http/stream_watch.h"

#include <exception>
#include <utility>

#include "base/log.h"

namespace offhook::http {
namespace {

struct Told {
    std::function<void(bool)>* ready;
    bool writes;
};

gboolean on_ready(GObject* /*stream*/, gpointer data) {
    const Told told = *static_cast<Told*>(data);
    g_source_set_ready_time(g_main_current_source(), -1);
    try {
        (*told.ready)(told.writes);
    } catch (const std::exception& e) {
        log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
    }
    return G_SOURCE_CONTINUE;
}

void drop(GSource*& source) {
    if (GSource* gone = std::exchange(source, nullptr)) {
        g_source_destroy(gone);
        g_source_unref(gone);
    }
}

}  // namespace

StreamWatch::StreamWatch(GMainContext* context,
                         glib::Ref<GIOStream> stream,
                         glib::Ref<GSocket> socket,
                         std::function<void(bool)> ready)
    : context_(glib::Ref<GMainContext>::share(context)),
      stream_(std::move(stream)),
      socket_(std::move(socket)),
      ready_(std::move(ready)) {}

void StreamWatch::start() {
    is_started_ = true;
    if (socket_) return watch_socket();
    auto* input = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(stream_.get()));
    input_ = attach(g_pollable_input_stream_create_source(input, nullptr), false);
}

void StreamWatch::want_write(bool wanted) {
    if (!is_started_ || std::exchange(wants_write_, wanted) == wanted) return;
    if (socket_) return watch_socket();
    drop(output_);
    if (!wanted) return;
    auto* output = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(stream_.get()));
    output_ = attach(g_pollable_output_stream_create_source(output, nullptr), true);
}

void StreamWatch::again() {
    if (input_ != nullptr) g_source_set_ready_time(input_, 0);
}

void StreamWatch::stop() {
    is_started_ = false;
    wants_write_ = false;
    fd_.stop();
    drop(input_);
    drop(output_);
}

void StreamWatch::watch_socket() {
    const auto wanted = static_cast<GIOCondition>(wants_write_ ? G_IO_IN | G_IO_OUT : G_IO_IN);
    fd_.start(context_.get(), g_socket_get_fd(socket_.get()), wanted, [this](GIOCondition ready) {
        ready_((ready & (G_IO_OUT | G_IO_ERR | G_IO_HUP)) != 0);
    });
}

GSource* StreamWatch::attach(GSource* source, bool writes) {
    g_source_set_callback(
        source, G_SOURCE_FUNC(&on_ready), new Told{&ready_, writes}, [](gpointer data) {
            delete static_cast<Told*>(data);
        });
    g_source_attach(source, context_.get());
    return source;
}

}  // namespace offhook::http
