#include "stepped_line.h"

#include <cstring>

#include "linekeeper/gstlinekeeper.h"

namespace offhook::element_test {
namespace {

std::string unique_context() {
    static int number = 0;
    return "stepped-" + std::to_string(++number);
}

}  // namespace

SteppedLine::SteppedLine(const std::string& launch, std::uint32_t rate_hz)
    : clock_(GST_TEST_CLOCK(gst_test_clock_new_with_start_time(10 * GST_SECOND))),
      port_(std::make_shared<model::AudioPort>(rate_hz)) {
    const std::string context = unique_context();
    worker_ = *worker::MediaWorker::create_stepped(context, [clock = clock_] {
        return static_cast<std::int64_t>(gst_clock_get_time(GST_CLOCK(clock)));
    });
    chain_ = gst_parse_bin_from_description(launch.c_str(), TRUE, nullptr);
    gst_object_ref_sink(chain_);
    keeper_ = gst_bin_get_by_name(GST_BIN(chain_), "voice");
    linekeeper::set_voice(keeper_, port_, counters_, context);
    harness_ = gst_harness_new_with_element(chain_, nullptr, "src");
    gst_harness_play(harness_);
    worker_->step();
}

SteppedLine::~SteppedLine() {
    gst_harness_teardown(harness_);
    gst_object_unref(keeper_);
    gst_object_unref(chain_);
    worker_.reset();
    gst_object_unref(clock_);
}

void SteppedLine::advance_ms(std::int64_t ms) {
    gst_test_clock_advance_time(clock_, ms * GST_MSECOND);
    worker_->step();
}

std::vector<std::int16_t> SteppedLine::samples_of(GstBuffer* buffer) {
    std::vector<std::int16_t> pcm(gst_buffer_get_size(buffer) / sizeof(std::int16_t));
    gst_buffer_extract(buffer, 0, pcm.data(), pcm.size() * sizeof(std::int16_t));
    return pcm;
}

}  // namespace offhook::element_test
