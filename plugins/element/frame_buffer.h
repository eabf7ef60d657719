#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <span>

namespace offhook::element {

/// One GstBuffer that is filled and pushed again and again, as long as nobody downstream kept it:
/// steady sound then allocates nothing. That is more than saved time: an allocator's lock is shared
/// with threads that are not real-time, and waiting for one of them, preempted while it holds the
/// lock, was seen to stop a worker for tens of milliseconds.
/// @thread one
class FrameBuffer {
public:
    FrameBuffer() = default;
    ~FrameBuffer() { reset(); }
    FrameBuffer(const FrameBuffer&) = delete;
    FrameBuffer& operator=(const FrameBuffer&) = delete;

    /// A buffer of `bytes` that may be written to; time stamps and contents are the caller's to
    /// set. Push `share()`.
    [[nodiscard]] GstBuffer* writable(std::size_t bytes) {
        const bool is_free = buffer_ && gst_buffer_get_size(buffer_) == bytes &&
                             gst_buffer_is_writable(buffer_) &&
                             gst_buffer_is_all_memory_writable(buffer_);
        if (!is_free) {
            reset();
            buffer_ = gst_buffer_new_allocate(nullptr, bytes, nullptr);
        }
        return buffer_;
    }
    /// A reference for gst_pad_push.
    [[nodiscard]] GstBuffer* share() const { return gst_buffer_ref(buffer_); }
    void reset() {
        if (buffer_) gst_buffer_unref(buffer_);
        buffer_ = nullptr;
    }

private:
    GstBuffer* buffer_ = nullptr;
};

/// Stamps a buffer of mono S16 sound that begins `offset_samples` after the start.
inline void stamp_samples(GstBuffer* buffer,
                          std::uint64_t offset_samples,
                          std::size_t samples,
                          std::uint32_t rate_hz) {
    GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(offset_samples, GST_SECOND, rate_hz);
    GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale(samples, GST_SECOND, rate_hz);
    GST_BUFFER_OFFSET(buffer) = offset_samples;
    GST_BUFFER_OFFSET_END(buffer) = offset_samples + samples;
}

}  // namespace offhook::element
