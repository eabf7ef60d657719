#include "ai/ai_runtime.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "base/monotonic.h"
#include "order.h"

namespace offhook::ai {
namespace {

using model::AudioPort;
using model::CallId;
using Samples = std::vector<std::int16_t>;

const config::Ai kEcho{.name = "echo", .delay_ms = 40};
const config::Ai kTone{.name = "tone", .protocol = config::AiProtocol::Tone};
const config::Ai kBurst{.name = "burst", .protocol = config::AiProtocol::Burst};

/// Gives way until `is_so`; false after ten seconds.
template <class Condition>
bool comes_true(const Condition& is_so) {
    const std::int64_t until_ns = base::monotonic_ns() + 10 * base::kNsPerS;
    while (!is_so()) {
        if (base::monotonic_ns() > until_ns) return false;
        std::this_thread::yield();
    }
    return true;
}

class Runtime : public ::testing::Test {
protected:
    void SetUp() override {
        auto started = AiRuntime::start({});
        ASSERT_TRUE(started) << started.error().text();
        runtime_ = std::move(*started);
    }
    std::unique_ptr<AiRuntime> runtime_;
};

TEST_F(Runtime, NothingAttachedNothingWakes) {
    for (int i = 0; i < 1000; ++i) runtime_->wake();
    EXPECT_EQ(runtime_->counters().wakes, 0U);
}

TEST_F(Runtime, EchoComesBackThroughTheThread) {
    const auto port = std::make_shared<AudioPort>(8000U);
    runtime_->attach(ai::testing::order(CallId{"c-1"}, kEcho, port));
    ASSERT_TRUE(comes_true([&] { return runtime_->counters().sessions == 1; }));
    Samples said(160);
    for (std::size_t i = 0; i < said.size(); ++i) said[i] = static_cast<std::int16_t>(i + 1);
    port->tap.write(said);
    runtime_->wake();
    ASSERT_TRUE(comes_true([&] { return port->voice.queued_samples() == 320 + 160; }));
    Samples out(480);
    bool was_cut = false;
    EXPECT_EQ(port->voice.read(out, was_cut), 480U);
    EXPECT_TRUE(std::equal(said.begin(), said.end(), out.begin() + 320));
    runtime_->tell(CallId{"c-1"}, EndNews{});
    EXPECT_TRUE(comes_true([&] { return port.use_count() == 1; }));
}

TEST_F(Runtime, TheTickAloneCarriesTheSoundOfMany) {
    std::vector<std::shared_ptr<AudioPort>> ports;
    for (int call = 0; call < 100; ++call) {
        ports.push_back(std::make_shared<AudioPort>(8000U));
        runtime_->attach(ai::testing::order(CallId{std::to_string(call)}, kEcho, ports.back()));
    }
    for (const auto& port : ports) port->tap.write(Samples(160, 5));
    EXPECT_TRUE(comes_true([&] { return runtime_->counters().caller_samples == 100 * 160; }));
    runtime_.reset();  // with all of them attached
    for (const auto& port : ports) EXPECT_EQ(port.use_count(), 1);
}

TEST_F(Runtime, DetachOfTheUnknownAndNullPortsAreNothing) {
    runtime_->tell(CallId{"c-0"}, EndNews{});
    runtime_->attach(ai::testing::order(CallId{"c-0"}, kEcho, nullptr));
    runtime_->attach(ai::testing::order(CallId{"c-1"}, kTone, std::make_shared<AudioPort>(8000U)));
    EXPECT_TRUE(comes_true([&] { return runtime_->counters().sessions == 1; }));
    EXPECT_EQ(runtime_->counters().failed_sessions, 0U);
}

// Two media workers move sound and wake while two controllers attach and detach: for the thread
// sanitizer, and no port is kept.
TEST_F(Runtime, AttachAndDetachRaceWithSound) {
    constexpr std::size_t kCalls = 40;
    std::vector<std::shared_ptr<AudioPort>> ports;
    for (std::size_t call = 0; call < kCalls; ++call)
        ports.push_back(std::make_shared<AudioPort>(8000U));
    std::atomic<bool> is_done{false};
    const auto work = [&](std::size_t from, std::size_t to) {
        const Samples said(160, 9);
        Samples out(160);
        bool was_cut = false;
        while (!is_done.load(std::memory_order_relaxed)) {
            for (std::size_t call = from; call < to; ++call) {
                ports[call]->tap.write(said);
                ports[call]->voice.read(out, was_cut);
            }
            runtime_->wake();
        }
    };
    const auto control = [&](std::size_t from, std::size_t to, unsigned seed) {
        std::mt19937 random(seed);
        const std::vector<config::Ai> ais{kEcho, kTone, kBurst};
        for (int i = 0; i < 2000; ++i) {
            const std::size_t call = from + random() % (to - from);
            const CallId id{std::to_string(call)};
            if (random() % 2 == 0) {
                runtime_->attach(ai::testing::order(id, ais[random() % ais.size()], ports[call]));
            } else {
                runtime_->tell(id, EndNews{});
            }
        }
    };
    std::vector<std::thread> workers;
    workers.emplace_back(work, 0, kCalls / 2);
    workers.emplace_back(work, kCalls / 2, kCalls);
    std::vector<std::thread> controllers;
    controllers.emplace_back(control, 0, kCalls / 2, 1U);
    controllers.emplace_back(control, kCalls / 2, kCalls, 2U);
    for (auto& thread : controllers) thread.join();
    is_done = true;
    for (auto& thread : workers) thread.join();
    for (std::size_t call = 0; call < kCalls; ++call)
        runtime_->tell(CallId{std::to_string(call)}, EndNews{});
    EXPECT_TRUE(comes_true([&] {
        return std::all_of(
            ports.begin(), ports.end(), [](const auto& port) { return port.use_count() == 1; });
    }));
    EXPECT_EQ(runtime_->counters().sessions, 0U);
    EXPECT_EQ(runtime_->counters().failed_sessions, 0U);
}

}  // namespace
}  // namespace offhook::ai
