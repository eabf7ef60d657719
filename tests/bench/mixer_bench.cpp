// What a frame of a channel costs: everybody speaks to everybody, and who is heard differently by each.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "mixer/mix.h"

namespace offhook::mixer {
namespace {

constexpr std::size_t kFrame = model::SoundLane::kFrameSamples;
std::int64_t g_now_ns = 0;
std::int64_t fake_now() noexcept {
    return g_now_ns;
}

/// Lanes that are filled with noise before each frame, apart from the measured time.
class Channel {
public:
    Channel(std::size_t members, const Matrix& matrix) {
        std::mt19937 random(1);
        std::normal_distribution<float> noise(0, 400);
        std::vector<std::shared_ptr<Place>> places;
        for (std::size_t i = 0; i < members; ++i) {
            seats_.push_back(std::make_shared<model::ChannelSeat>(fake_now));
            places.push_back(std::make_shared<Place>(
                MixMember{seats_.back(), nullptr, std::make_shared<MixMeter>()}));
        }
        for (auto& sample : pcm_) sample = static_cast<std::int16_t>(std::lround(noise(random)));
        mix_ = std::make_unique<Mix>(std::move(places), matrix);
    }
    void say() {
        // Each another piece of the noise.
        for (std::size_t i = 0; i < seats_.size(); ++i) {
            seats_[i]->from_leg.write(std::span(pcm_).subspan(97 * i, kFrame));
        }
        g_now_ns += 12'000'000;
    }
    void mix() {
        mix_->mix(g_now_ns);
        g_now_ns += 8'000'000;
    }

private:
    std::vector<std::shared_ptr<model::ChannelSeat>> seats_;
    std::array<std::int16_t, kFrame + 97 * Matrix::kMaxMembers> pcm_;
    std::unique_ptr<Mix> mix_;
};

void measure(benchmark::State& state, const Matrix& matrix) {
    Channel channel(matrix.members(), matrix);
    for (auto _ : state) {
        state.PauseTiming();
        channel.say();
        state.ResumeTiming();
        channel.mix();
    }
}

void everybody_to_everybody(benchmark::State& state) {
    const auto members = static_cast<std::size_t>(state.range(0));
    Matrix matrix(members);
    for (std::size_t i = 0; i < members * members; ++i) matrix.set(i / members, i % members, 1);
    measure(state, matrix);
}
BENCHMARK(everybody_to_everybody)->Arg(2)->Arg(5)->Arg(20)->Arg(64)->Unit(benchmark::kMicrosecond);

/// No two rows are alike: each is summed by itself.
void each_its_own(benchmark::State& state) {
    const auto members = static_cast<std::size_t>(state.range(0));
    Matrix matrix(members);
    for (std::size_t i = 0; i < members * members; ++i) {
        matrix.set(i / members, i % members, 0.5F + static_cast<float>(i) / 10'000);
    }
    measure(state, matrix);
}
BENCHMARK(each_its_own)->Arg(2)->Arg(5)->Arg(20)->Arg(64)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace offhook::mixer

BENCHMARK_MAIN();
