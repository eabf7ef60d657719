// The same on real threads: legs on one worker, mixers on two others, an AI on a thread of its own,
// while members come, go, move and change their gains. Its judge is the thread sanitizer; by content
// it only says that everything goes on.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include "mixer/channel_mixer.h"
#include "tones.h"

namespace offhook::mixer {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t kFrame = model::SoundLane::kFrameSamples;

std::shared_ptr<worker::MediaWorker> make_worker(const std::string& name) {
    return worker::MediaWorker::create(
               {.name = name, .index = 0, .realtime = false, .after_tap = {}})
        .value();
}

/// What the elements of a leg do on their worker.
class LegOnWorker final : public worker::TickClient {
public:
    LegOnWorker(std::shared_ptr<worker::MediaWorker> worker, double hz)
        : worker_(std::move(worker)), tone_(hz) {
        worker_->run_and_wait([this] { worker_->attach(*this); });
    }
    ~LegOnWorker() override {
        worker_->run_and_wait([this] { worker_->detach(*this); });
    }
    bool on_slot(std::int64_t) noexcept override {
        seat_->from_leg.write(tone_.next(kFrame));
        std::array<std::int16_t, kFrame> frame;
        if (seat_->to_leg.read(frame) == model::SoundLane::Read::Frame) ++heard_frames_;
        return false;
    }
    [[nodiscard]] MixMember member() const { return {seat_, nullptr, meter_}; }
    [[nodiscard]] int heard_frames() const noexcept { return heard_frames_; }

private:
    std::shared_ptr<worker::MediaWorker> worker_;
    Tone tone_;
    std::shared_ptr<model::ChannelSeat> seat_ = std::make_shared<model::ChannelSeat>();
    std::shared_ptr<MixMeter> meter_ = std::make_shared<MixMeter>();
    std::atomic<int> heard_frames_{0};
};

/// Everybody hears everybody.
Matrix everybody(std::size_t members) {
    Matrix matrix(members);
    for (std::size_t i = 0; i < members * members; ++i) matrix.set(i / members, i % members, 1);
    return matrix;
}

TEST(ThreadsTest, MembersComeGoAndMoveWhileAllSpeak) {
    const auto legs_worker = make_worker("threads-legs");
    const std::array mixers{ChannelMixer::start(make_worker("threads-mix-a")),
                            ChannelMixer::start(make_worker("threads-mix-b"))};
    std::vector<std::unique_ptr<LegOnWorker>> legs;
    for (int i = 0; i < 6; ++i)
        legs.push_back(std::make_unique<LegOnWorker>(legs_worker, 300 + 125 * i));

    const auto port = std::make_shared<model::AudioPort>(16'000);
    const auto ai_meter = std::make_shared<MixMeter>();
    std::atomic<bool> is_done{false};
    std::atomic<std::uint64_t> tapped{0};
    std::thread ai([&] {
        Tone tone(2'000);
        std::array<std::int16_t, kFrame> heard;
        for (int round = 0; !is_done; ++round) {
            if (port->voice.queued_samples() < 10 * kFrame)
                port->voice.write(tone.next(3 * kFrame));
            if (round % 50 == 49) port->voice.clear();
            while (const std::size_t n = port->tap.read(heard)) tapped += n;
            std::this_thread::yield();
        }
    });

    // Legs 0 and 1 stay at their mixers, the AI and the others go from one to the other.
    const auto stays = [&](int which) {
        return std::vector{legs[static_cast<std::size_t>(which)]->member()};
    };
    const auto with_all = [&](int which) {
        auto members = stays(which);
        for (std::size_t i = 2; i < legs.size(); ++i) members.push_back(legs[i]->member());
        members.push_back({nullptr, port, ai_meter});
        return members;
    };
    mixers[0]->set_members(with_all(0), everybody(6));
    mixers[1]->set_members(stays(1), everybody(1));
    for (int round = 0; round < 30; ++round) {
        const int from = round % 2, to = 1 - from;
        const std::uint64_t mixed = mixers[static_cast<std::size_t>(from)]->mixed_frames();
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (mixers[static_cast<std::size_t>(from)]->mixed_frames() < mixed + 4 &&
               std::chrono::steady_clock::now() < deadline) {
            std::this_thread::yield();
        }
        Matrix half = everybody(6);
        half.set(0, 1, 0.5F);
        mixers[static_cast<std::size_t>(from)]->set_matrix(half);
        std::promise<void> free;
        mixers[static_cast<std::size_t>(from)]->set_members(
            stays(from), everybody(1), [&] { free.set_value(); });
        ASSERT_EQ(free.get_future().wait_for(20s), std::future_status::ready);
        mixers[static_cast<std::size_t>(to)]->set_members(with_all(to), everybody(6));
    }
    for (const auto& mixer : mixers) mixer->retire();
    is_done = true;
    ai.join();
    EXPECT_GT(tapped, 50u * kFrame);
    EXPECT_GT(port->ledger.left_samples(), 20u * kFrame);
    EXPECT_GT(ai_meter->heard_frames, 20u);
    for (const auto& leg : legs) {
        EXPECT_GT(leg->heard_frames(), 50);
        EXPECT_GT(leg->member().meter->heard_frames, 50u);
    }
}

}  // namespace
}  // namespace offhook::mixer
