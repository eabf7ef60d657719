#include "media/detail/web_out.h"

#include <utility>

namespace offhook::media::detail {
namespace {

constexpr guint kBufferBytes = session::WebPort::kMaxPacketBytes;
constexpr guint kFewestBuffers = 4;
constexpr guint kMostBuffers = 64;  ///< 1.3 s of packets that webrtcbin did not get rid of

glib::Ref<GstBufferPool> make_pool() {
    auto pool = glib::Ref<GstBufferPool>::adopt(gst_buffer_pool_new());
    GstStructure* config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, nullptr, kBufferBytes, kFewestBuffers, kMostBuffers);
    const bool is_made = gst_buffer_pool_set_config(pool.get(), config) != FALSE &&
                         gst_buffer_pool_set_active(pool.get(), TRUE) != FALSE;
    return is_made ? pool : glib::Ref<GstBufferPool>();
}

}  // namespace

base::Result<std::shared_ptr<WebOut>> WebOut::create(GstElement* webrtcbin,
                                                     const glib::Ref<GstCaps>& caps,
                                                     std::shared_ptr<WebGuard> guard) {
    std::shared_ptr<WebOut> out(new WebOut(std::move(guard)));
    out->pool_ = make_pool();
    out->pad_ = glib::Ref<GstPad>::sink(gst_pad_new("rtp", GST_PAD_SRC));
    GstPad* pad = out->pad_.get();
    gst_pad_use_fixed_caps(pad);
    gst_pad_set_active(pad, TRUE);
    const glib::UniqueString stream(gst_pad_create_stream_id(pad, webrtcbin, "rtp"));
    gst_pad_push_event(pad, gst_event_new_stream_start(stream.get()));
    gst_pad_push_event(pad, gst_event_new_caps(caps.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(pad, gst_event_new_segment(&segment));

    GstPadTemplate* wanted = gst_element_get_pad_template(webrtcbin, "sink_%u");
    const auto sink = glib::Ref<GstPad>::adopt(
        wanted != nullptr ? gst_element_request_pad(webrtcbin, wanted, "sink_0", caps.get())
                          : nullptr);
    if (!out->pool_ || !sink || gst_pad_link(pad, sink.get()) != GST_PAD_LINK_OK)
        return base::fail(base::ErrorCode::Internal, "webrtcbin takes no pad to send by");
    return out;
}

WebOut::~WebOut() {
    if (pool_) gst_buffer_pool_set_active(pool_.get(), FALSE);
    if (!pad_) return;
    if (const auto peer = glib::Ref<GstPad>::adopt(gst_pad_get_peer(pad_.get())))
        gst_pad_unlink(pad_.get(), peer.get());
    gst_pad_set_active(pad_.get(), FALSE);
}

bool WebOut::start(GstElement* pipeline) {
    clock_ = glib::Ref<GstClock>::adopt(gst_element_get_clock(pipeline));
    base_time_ = gst_element_get_base_time(pipeline);
    return static_cast<bool>(clock_);
}

bool WebOut::send(std::span<const std::uint8_t> packet) noexcept {
    if (!guard_->is_open() || packet.size() > kBufferBytes) return false;
    GstBufferPoolAcquireParams now{};
    now.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
    GstBuffer* buffer = nullptr;
    if (gst_buffer_pool_acquire_buffer(pool_.get(), &buffer, &now) != GST_FLOW_OK) return false;
    gst_buffer_fill(buffer, 0, packet.data(), packet.size());
    gst_buffer_set_size(buffer, static_cast<gssize>(packet.size()));
    const GstClockTime time = gst_clock_get_time(clock_.get());
    GST_BUFFER_PTS(buffer) = time > base_time_ ? time - base_time_ : 0;
    return gst_pad_push(pad_.get(), buffer) == GST_FLOW_OK;
}

}  // namespace offhook::media::detail
