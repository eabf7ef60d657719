// The element's promise under a test clock: one buffer every 20 ms, whatever the AI side does.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "stepped_line.h"

namespace offhook::element_test {
namespace {

constexpr std::size_t kFrame = 160;

/// Steps 1 ms at a time and collects everything that came out.
std::vector<GstBuffer*> run_ms(SteppedLine& line, int ms) {
    std::vector<GstBuffer*> out;
    for (int i = 0; i < ms; ++i) {
        line.advance_ms(1);
        while (GstBuffer* buffer = line.try_pull()) out.push_back(buffer);
    }
    return out;
}

void drop(const std::vector<GstBuffer*>& buffers) {
    for (GstBuffer* buffer : buffers) gst_buffer_unref(buffer);
}

std::vector<std::int16_t> sound_of(const std::vector<GstBuffer*>& buffers) {
    std::vector<std::int16_t> all;
    for (GstBuffer* buffer : buffers) {
        const auto pcm = SteppedLine::samples_of(buffer);
        all.insert(all.end(), pcm.begin(), pcm.end());
    }
    return all;
}

TEST(LineKeeperElement, OneBufferEvery20MsWithContinuousTimes) {
    SteppedLine line;
    const auto out = run_ms(line, 2000);
    ASSERT_EQ(out.size(), 100u);
    for (std::size_t i = 0; i < out.size(); ++i) {
        EXPECT_EQ(GST_BUFFER_OFFSET(out[i]), i * kFrame);
        EXPECT_EQ(GST_BUFFER_PTS(out[i]), i * 20 * GST_MSECOND);
        EXPECT_EQ(GST_BUFFER_DURATION(out[i]), 20 * GST_MSECOND);
        EXPECT_EQ(gst_buffer_get_size(out[i]), kFrame * 2);
        EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(out[i], GST_BUFFER_FLAG_DISCONT));
    }
    drop(out);
}

TEST(LineKeeperElement, SaysOnlyWhatAStreamNeedsToBegin) {
    SteppedLine line;
    drop(run_ms(line, 500));
    std::vector<GstEventType> types;
    while (GstEvent* event = gst_harness_try_pull_event(line.harness())) {
        types.push_back(GST_EVENT_TYPE(event));
        gst_event_unref(event);
    }
    EXPECT_EQ(
        types,
        (std::vector<GstEventType>{GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT}));
}

TEST(LineKeeperElement, SplicesSpeechExactly) {
    SteppedLine line;
    drop(run_ms(line, 100));
    std::vector<std::int16_t> speech(1600);
    for (std::size_t i = 0; i < speech.size(); ++i) speech[i] = static_cast<std::int16_t>(1000 + i);
    line.port().voice.write(speech);
    const auto out = run_ms(line, 240);
    const auto heard = sound_of(out);
    drop(out);
    const auto at = std::search(heard.begin(), heard.end(), speech.begin() + 40, speech.end() - 40);
    ASSERT_NE(at, heard.end()) << "all but the two 5 ms fades is bit-exact";
    EXPECT_EQ(heard.back(), 0);
}

TEST(LineKeeperElement, ABurstIsPacedNotPassedOn) {
    SteppedLine line;
    line.port().voice.write(std::vector<std::int16_t>(16000, 500));
    const auto out = run_ms(line, 1000);
    EXPECT_EQ(out.size(), 50u);
    EXPECT_EQ(line.port().voice.queued_samples(), 8000u);
    drop(out);
}

TEST(LineKeeperElement, ALateTickSendsWhatIsOwedInOrder) {
    SteppedLine line;
    drop(run_ms(line, 100));
    line.advance_ms(45);
    int at_once = 0;
    std::vector<GstBuffer*> out;
    while (GstBuffer* buffer = line.try_pull()) {
        out.push_back(buffer);
        ++at_once;
    }
    EXPECT_EQ(at_once, 2) << "at most two back to back";
    const auto rest = run_ms(line, 200);
    out.insert(out.end(), rest.begin(), rest.end());
    for (std::size_t i = 1; i < out.size(); ++i) {
        EXPECT_EQ(GST_BUFFER_OFFSET(out[i]), GST_BUFFER_OFFSET(out[i - 1]) + kFrame);
    }
    drop(out);
}

TEST(LineKeeperElement, AfterALongStallTimeIsGivenUpAndCounted) {
    SteppedLine line;
    const auto before = run_ms(line, 100);
    const guint64 last_offset = GST_BUFFER_OFFSET(before.back());
    drop(before);
    line.advance_ms(1000);
    const auto after = run_ms(line, 20);
    ASSERT_FALSE(after.empty());
    const guint64 jump = (GST_BUFFER_OFFSET(after.front()) - last_offset) / kFrame;
    EXPECT_GT(jump, 45u);
    guint64 skipped = 0;
    g_object_get(line.keeper(), "frames-skipped", &skipped, nullptr);
    EXPECT_EQ(skipped, jump - 1);
    drop(after);
}

TEST(LineKeeperElement, EosAndFlushFromTheSinkPadAreIgnored) {
    GstTestClock* clock = GST_TEST_CLOCK(gst_test_clock_new());
    auto worker = *worker::MediaWorker::create_stepped(
        "eos", [clock] { return static_cast<std::int64_t>(gst_clock_get_time(GST_CLOCK(clock))); });
    GstElement* keeper = gst_element_factory_make("linekeeper", nullptr);
    gst_object_ref_sink(keeper);
    g_object_set(keeper, "context", "eos", "fill", "silence", nullptr);
    GstHarness* h = gst_harness_new_with_element(keeper, "sink", "src");
    gst_harness_set_src_caps_str(
        h, "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved");
    gst_harness_play(h);
    worker->step();
    int out = 0;
    for (int i = 0; i < 200; ++i) {
        if (i == 40) gst_harness_push(h, gst_harness_create_buffer(h, 320));
        if (i == 60) gst_harness_push_event(h, gst_event_new_flush_start());
        if (i == 61) gst_harness_push_event(h, gst_event_new_flush_stop(TRUE));
        if (i == 80) gst_harness_push_event(h, gst_event_new_eos());
        gst_test_clock_advance_time(clock, GST_MSECOND);
        worker->step();
        while (GstBuffer* buffer = gst_harness_try_pull(h)) {
            EXPECT_EQ(GST_BUFFER_OFFSET(buffer), static_cast<guint64>(out++) * kFrame);
            gst_buffer_unref(buffer);
        }
    }
    EXPECT_EQ(out, 10);
    while (GstEvent* event = gst_harness_try_pull_event(h)) {
        EXPECT_NE(GST_EVENT_TYPE(event), GST_EVENT_EOS);
        EXPECT_NE(GST_EVENT_TYPE(event), GST_EVENT_FLUSH_START);
        EXPECT_NE(GST_EVENT_TYPE(event), GST_EVENT_FLUSH_STOP);
        gst_event_unref(event);
    }
    gst_harness_teardown(h);
    gst_object_unref(keeper);
    worker.reset();
    gst_object_unref(clock);
}

TEST(LineKeeperElement, Continuity100000Frames) {
    SteppedLine line;
    guint64 frames = 0;
    for (int i = 0; i < 100'000; ++i) {
        line.advance_ms(20);
        if (i % 500 == 0) line.port().voice.write(std::vector<std::int16_t>(1000, 77));
        while (GstBuffer* buffer = line.try_pull()) {
            ASSERT_EQ(GST_BUFFER_OFFSET(buffer), frames * kFrame);
            ++frames;
            gst_buffer_unref(buffer);
        }
    }
    EXPECT_EQ(frames, 100'000u);
}

TEST(LineKeeperElement, AnInsertedElementKeepsTimesAndSound) {
    SteppedLine line(
        "linekeeper name=voice fill=tone ! audioconvert ! audiocheblimit mode=low-pass cutoff=3000 "
        "! audioconvert");
    const auto out = run_ms(line, 400);
    ASSERT_EQ(out.size(), 20u);
    for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(GST_BUFFER_OFFSET(out[i]), i * kFrame);
    const auto heard = sound_of(out);
    EXPECT_GT(*std::max_element(heard.begin() + 800, heard.end()), 1000) << "the tone came through";
    drop(out);
}

}  // namespace
}  // namespace offhook::element_test
