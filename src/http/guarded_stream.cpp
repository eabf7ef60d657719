#include "http/guarded_stream.h"

#include <algorithm>
#include <cstring>

#include "base/monotonic.h"

namespace {

using offhook::http::StreamGuard;

// The GObject shells: a parent, and one pointer to what C++ owns.

struct OffhookGuardedInput {
    GFilterInputStream parent;
    std::shared_ptr<StreamGuard>* guard;
};
struct OffhookGuardedInputClass {
    GFilterInputStreamClass parent_class;
};
struct OffhookGuardedOutput {
    GFilterOutputStream parent;
    std::shared_ptr<StreamGuard>* guard;
};
struct OffhookGuardedOutputClass {
    GFilterOutputStreamClass parent_class;
};

void offhook_guarded_input_pollable(GPollableInputStreamInterface* interface);
void offhook_guarded_output_pollable(GPollableOutputStreamInterface* interface);

G_DEFINE_TYPE_WITH_CODE(OffhookGuardedInput,
                        offhook_guarded_input,
                        G_TYPE_FILTER_INPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM,
                                              offhook_guarded_input_pollable))
G_DEFINE_TYPE_WITH_CODE(OffhookGuardedOutput,
                        offhook_guarded_output,
                        G_TYPE_FILTER_OUTPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_OUTPUT_STREAM,
                                              offhook_guarded_output_pollable))

template <class Shell>
void free_guard(Shell* shell) {
    delete shell->guard;
    shell->guard = nullptr;
}

void offhook_guarded_input_init(OffhookGuardedInput* /*self*/) {}
void offhook_guarded_input_class_init(OffhookGuardedInputClass* klass) {
    G_OBJECT_CLASS(klass)->finalize = [](GObject* object) {
        free_guard(reinterpret_cast<OffhookGuardedInput*>(object));
        G_OBJECT_CLASS(offhook_guarded_input_parent_class)->finalize(object);
    };
}
void offhook_guarded_output_init(OffhookGuardedOutput* /*self*/) {}
void offhook_guarded_output_class_init(OffhookGuardedOutputClass* klass) {
    G_OBJECT_CLASS(klass)->finalize = [](GObject* object) {
        free_guard(reinterpret_cast<OffhookGuardedOutput*>(object));
        G_OBJECT_CLASS(offhook_guarded_output_parent_class)->finalize(object);
    };
}

template <class Stream>
StreamGuard& guard_of(Stream* input) {
    return **reinterpret_cast<OffhookGuardedInput*>(input)->guard;
}

GPollableInputStream* base_of(GPollableInputStream* input) {
    return G_POLLABLE_INPUT_STREAM(
        g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(input)));
}

GPollableOutputStream* base_of(GPollableOutputStream* output) {
    return G_POLLABLE_OUTPUT_STREAM(
        g_filter_output_stream_get_base_stream(G_FILTER_OUTPUT_STREAM(output)));
}

/// A source that is ready while early bytes wait, and whenever its child, the base's, is.
struct EarlySource {
    GSource source;
    GPollableInputStream* input;
};

bool has_early(GSource* source) {
    return !guard_of(reinterpret_cast<EarlySource*>(source)->input).early.empty();
}

GSourceFuncs early_source_functions{
    [](GSource* source, gint* timeout_ms) -> gboolean {
        *timeout_ms = -1;
        return has_early(source) ? TRUE : FALSE;
    },
    [](GSource* source) -> gboolean { return has_early(source) ? TRUE : FALSE; },
    [](GSource* source, GSourceFunc callback, gpointer data) -> gboolean {
        auto* input = reinterpret_cast<EarlySource*>(source)->input;
        // As g_pollable_source_new() has it: the callback is a GPollableSourceFunc.
        return reinterpret_cast<GPollableSourceFunc>(reinterpret_cast<void (*)()>(callback))(
            G_OBJECT(input), data);
    },
    [](GSource* source) { g_object_unref(reinterpret_cast<EarlySource*>(source)->input); },
    nullptr,
    nullptr};

GSource* create_input_source(GPollableInputStream* input, GCancellable* cancellable) {
    GSource* source = g_source_new(&early_source_functions, sizeof(EarlySource));
    reinterpret_cast<EarlySource*>(source)->input = G_POLLABLE_INPUT_STREAM(g_object_ref(input));
    if (guard_of(input).is_closed) {
        g_source_set_ready_time(source, 0);
        return source;
    }
    GSource* child = g_pollable_input_stream_create_source(base_of(input), cancellable);
    g_source_set_dummy_callback(child);
    g_source_add_child_source(source, child);
    g_source_unref(child);
    return source;
}

gssize read_nonblocking(GPollableInputStream* input, void* buffer, gsize count, GError** error) {
    StreamGuard& guard = guard_of(input);
    if (!guard.early.empty()) {
        const std::size_t n = std::min(count, guard.early.size());
        std::memcpy(buffer, guard.early.data(), n);
        guard.early.erase(0, n);
        return static_cast<gssize>(n);
    }
    if (guard.is_closed) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CLOSED, "the stream is closed");
        return -1;
    }
    const gssize n =
        g_pollable_input_stream_read_nonblocking(base_of(input), buffer, count, nullptr, error);
    if (n <= 0) return n;
    guard.heard_ns = offhook::base::monotonic_ns();
    guard.unclaimed += static_cast<std::size_t>(n);
    if (guard.unclaimed <= guard.max_unclaimed) return n;
    guard.is_over = true;
    g_set_error_literal(
        error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "more bytes than a message may have");
    return -1;
}

void offhook_guarded_input_pollable(GPollableInputStreamInterface* interface) {
    interface->can_poll = [](GPollableInputStream* input) -> gboolean {
        return g_pollable_input_stream_can_poll(base_of(input));
    };
    interface->is_readable = [](GPollableInputStream* input) -> gboolean {
        return !guard_of(input).early.empty() ||
               g_pollable_input_stream_is_readable(base_of(input)) == TRUE;
    };
    interface->create_source = create_input_source;
    interface->read_nonblocking = read_nonblocking;
}

gssize write_nonblocking(GPollableOutputStream* output,
                         const void* buffer,
                         gsize count,
                         GError** error) {
    const gssize n =
        g_pollable_output_stream_write_nonblocking(base_of(output), buffer, count, nullptr, error);
    StreamGuard& guard = **reinterpret_cast<OffhookGuardedOutput*>(output)->guard;
    if (n > 0) guard.written_bytes += static_cast<std::uint64_t>(n);
    return n;
}

void offhook_guarded_output_pollable(GPollableOutputStreamInterface* interface) {
    interface->can_poll = [](GPollableOutputStream* output) -> gboolean {
        return g_pollable_output_stream_can_poll(base_of(output));
    };
    interface->is_writable = [](GPollableOutputStream* output) -> gboolean {
        return g_pollable_output_stream_is_writable(base_of(output));
    };
    interface->create_source = [](GPollableOutputStream* output, GCancellable* cancellable) {
        GSource* child = g_pollable_output_stream_create_source(base_of(output), cancellable);
        GSource* source = g_pollable_source_new_full(output, child, nullptr);
        g_source_unref(child);
        return source;
    };
    interface->write_nonblocking = write_nonblocking;
}

}  // namespace

namespace offhook::http {

glib::Ref<GIOStream> guarded_stream(GIOStream* base, std::shared_ptr<StreamGuard> guard) {
    guard->unclaimed = guard->early.size();
    guard->heard_ns = base::monotonic_ns();
    const auto input = glib::Ref<GInputStream>::adopt(
        G_INPUT_STREAM(g_object_new(offhook_guarded_input_get_type(),
                                    "base-stream",
                                    g_io_stream_get_input_stream(base),
                                    nullptr)));
    reinterpret_cast<OffhookGuardedInput*>(input.get())->guard =
        new std::shared_ptr<StreamGuard>(guard);
    const auto output = glib::Ref<GOutputStream>::adopt(
        G_OUTPUT_STREAM(g_object_new(offhook_guarded_output_get_type(),
                                     "base-stream",
                                     g_io_stream_get_output_stream(base),
                                     nullptr)));
    reinterpret_cast<OffhookGuardedOutput*>(output.get())->guard =
        new std::shared_ptr<StreamGuard>(std::move(guard));
    return glib::Ref<GIOStream>::adopt(g_simple_io_stream_new(input.get(), output.get()));
}

}  // namespace offhook::http
