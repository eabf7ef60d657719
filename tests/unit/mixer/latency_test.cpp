// From the arrival of a packet at one leg to the frame of another leg that has it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "rig.h"

namespace offhook::mixer {
namespace {

constexpr std::size_t kFrame = model::SoundLane::kFrameSamples;

/// In ms, with packets at one phase of the 20 ms and the listener's slot at another.
std::optional<double> latency_ms(int say_ms, int listen_ms) {
    const auto worker =
        worker::MediaWorker::create_stepped("latency-test", [] { return g_now_ns; }).value();
    const auto mixer = ChannelMixer::start(worker);
    const auto seat_of = [] { return std::make_shared<model::ChannelSeat>(fake_now); };
    const std::array seats{seat_of(), seat_of()};
    mixer->set_members({{seats[0], nullptr, std::make_shared<MixMeter>()},
                        {seats[1], nullptr, std::make_shared<MixMeter>()}},
                       everybody(2));
    constexpr int kClickAt = 40;
    std::optional<double> latency;
    std::int64_t said_ns = 0;
    for (int ms = 0; ms < 80 * 20 && !latency; ++ms) {
        g_now_ns += worker::kTickNs;
        if (ms % 20 == say_ms) {
            std::array<std::int16_t, kFrame> pcm{};
            if (ms / 20 == kClickAt) {
                pcm[0] = 10'000;
                said_ns = g_now_ns;
            }
            seats[0]->from_leg.write(pcm);
        }
        worker->step();
        if (ms % 20 == listen_ms) {
            std::array<std::int16_t, kFrame> pcm;
            (void)seats[1]->to_leg.read(pcm);
            const auto loud = std::find_if(
                pcm.begin(), pcm.end(), [](std::int16_t sample) { return sample > 5'000; });
            if (loud != pcm.end()) {
                latency = static_cast<double>(g_now_ns - said_ns) / 1e6 +
                          static_cast<double>(loud - pcm.begin()) / 16;
            }
        }
    }
    mixer->retire();
    return latency;
}

TEST(LatencyTest, IsFortyMillisecondsAtTheMedian) {
    std::vector<double> all;
    for (int say_ms = 0; say_ms < 20; ++say_ms) {
        for (int listen_ms = 0; listen_ms < 20; ++listen_ms) {
            const auto latency = latency_ms(say_ms, listen_ms);
            ASSERT_TRUE(latency);
            all.push_back(*latency);
        }
    }
    std::sort(all.begin(), all.end());
    const double p50 = all[all.size() / 2];
    std::printf(
        "from packet to frame: %.1f to %.1f ms, p50 %.1f ms\n", all.front(), all.back(), p50);
    EXPECT_LE(p50, 45);
    EXPECT_LE(all.back(), 62);
}

}  // namespace
}  // namespace offhook::mixer
