#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "glib/ref.h"
#include "media/detail/web_guard.h"
#include "session/web_port.h"

namespace offhook::media::detail {

/// Our end of the way into webrtcbin: a pad without an element, from which the media worker pushes.
/// Buffers come from a pool of fixed size; when all are still under way the packet is lost, not
/// waited for.
class WebOut final : public session::WebPort::Out {
public:
    /// Links a pad with `caps` to a new sink pad of `webrtcbin`. @thread control
    /// @errors Internal: it does not link
    [[nodiscard]] static base::Result<std::shared_ptr<WebOut>> create(
        GstElement* webrtcbin, const glib::Ref<GstCaps>& caps, std::shared_ptr<WebGuard> guard);
    ~WebOut() override;

    /// The pipeline plays: from here on packets have times. @thread control, before the first `send`
    /// @return false: it has no clock
    [[nodiscard]] bool start(GstElement* pipeline);
    /// @thread worker
    bool send(std::span<const std::uint8_t> packet) noexcept override;

private:
    explicit WebOut(std::shared_ptr<WebGuard> guard) : guard_(std::move(guard)) {}

    std::shared_ptr<WebGuard> guard_;
    glib::Ref<GstPad> pad_;
    glib::Ref<GstBufferPool> pool_;
    glib::Ref<GstClock> clock_;
    GstClockTime base_time_ = 0;
};

}  // namespace offhook::media::detail
