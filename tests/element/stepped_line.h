#pragma once

#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>
#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/audio_port.h"
#include "model/leg_counters.h"
#include "worker/media_worker.h"

namespace offhook::element_test {

/// A linekeeper in a GstHarness, driven by a stepped media worker whose time is a GstTestClock:
/// nothing happens but by `advance_ms`.
class SteppedLine {
public:
    /// @param launch "linekeeper name=voice ..." and whatever stands behind it, without a sink
    explicit SteppedLine(const std::string& launch = "linekeeper name=voice fill=silence",
                         std::uint32_t rate_hz = 8000);
    ~SteppedLine();
    SteppedLine(const SteppedLine&) = delete;
    SteppedLine& operator=(const SteppedLine&) = delete;

    void advance_ms(std::int64_t ms);
    /// The next buffer that came out; nullptr when there is none. Owned by the caller.
    [[nodiscard]] GstBuffer* try_pull() { return gst_harness_try_pull(harness_); }
    [[nodiscard]] static std::vector<std::int16_t> samples_of(GstBuffer* buffer);
    [[nodiscard]] GstElement* keeper() const { return keeper_; }
    [[nodiscard]] GstHarness* harness() const { return harness_; }
    [[nodiscard]] model::AudioPort& port() { return *port_; }
    [[nodiscard]] model::LegCounters& counters() { return *counters_; }

private:
    GstTestClock* clock_;
    std::shared_ptr<worker::MediaWorker> worker_;
    std::shared_ptr<model::AudioPort> port_;
    std::shared_ptr<model::LegCounters> counters_ = std::make_shared<model::LegCounters>();
    GstElement* chain_;
    GstElement* keeper_;
    GstHarness* harness_;
};

}  // namespace offhook::element_test
