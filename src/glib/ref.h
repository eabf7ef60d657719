#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include <memory>
#include <utility>

namespace offhook::glib {

/// How to add and drop a reference to a T. One line per type family.
template <class T>
struct RefTraits {
    static void ref(T* object) { g_object_ref(object); }
    static void unref(T* object) { g_object_unref(object); }
};
template <>
struct RefTraits<GstBuffer> {
    static void ref(GstBuffer* b) { gst_buffer_ref(b); }
    static void unref(GstBuffer* b) { gst_buffer_unref(b); }
};
template <>
struct RefTraits<GstCaps> {
    static void ref(GstCaps* c) { gst_caps_ref(c); }
    static void unref(GstCaps* c) { gst_caps_unref(c); }
};
template <>
struct RefTraits<GMainContext> {
    static void ref(GMainContext* c) { g_main_context_ref(c); }
    static void unref(GMainContext* c) { g_main_context_unref(c); }
};
template <>
struct RefTraits<GMainLoop> {
    static void ref(GMainLoop* l) { g_main_loop_ref(l); }
    static void unref(GMainLoop* l) { g_main_loop_unref(l); }
};
template <>
struct RefTraits<GBytes> {
    static void ref(GBytes* b) { g_bytes_ref(b); }
    static void unref(GBytes* b) { g_bytes_unref(b); }
};

/// Owns one reference. Never made implicitly from a raw pointer: say `adopt` (transfer full),
/// `share` (transfer none) or `sink` (floating).
template <class T>
class Ref {
public:
    Ref() = default;
    Ref(const Ref& other) : object_(other.object_) {
        if (object_) RefTraits<T>::ref(object_);
    }
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() { reset(); }

    [[nodiscard]] static Ref adopt(T* object) { return Ref(object); }
    [[nodiscard]] static Ref share(T* object) {
        if (object) RefTraits<T>::ref(object);
        return Ref(object);
    }
    [[nodiscard]] static Ref sink(T* object) {
        if (object) g_object_ref_sink(object);
        return Ref(object);
    }

    void reset() {
        if (T* object = std::exchange(object_, nullptr)) RefTraits<T>::unref(object);
    }
    [[nodiscard]] T* get() const { return object_; }
    [[nodiscard]] T* release() { return std::exchange(object_, nullptr); }
    explicit operator bool() const { return object_ != nullptr; }

private:
    explicit Ref(T* object) : object_(object) {}
    T* object_ = nullptr;
};

/// Owns something with a free function: `Unique<gchar, g_free>`.
template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* thing) const {
        Free(thing);
    }
};
template <class T, auto Free>
using Unique = std::unique_ptr<T, Deleter<Free>>;
using UniqueString = Unique<gchar, g_free>;
using UniqueStructure = Unique<GstStructure, gst_structure_free>;

}  // namespace offhook::glib
