#include "ai/ai_runtime.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/monotonic.h"
#include "order.h"
#include "socket/web_socket_listener.h"

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

/// Takes a socket and gives back what it hears.
class Parrot final : public socket::LinkEvents {
public:
    std::unique_ptr<socket::Link> link;
    std::string texts;
    std::optional<socket::LinkEnd> end;

    void on_open() override {}
    void on_text(std::string_view text) override { texts += text; }
    void on_binary(std::span<const std::byte> bytes) override { link->send_binary(bytes); }
    void on_closed(const socket::LinkEnd& how) override { end = how; }
};

TEST_F(Runtime, ABotBehindASocketHearsSpeaksAndIsToldTheEnd) {
    auto loop = socket::EventLoop::create();
    ASSERT_TRUE(loop);
    Parrot parrot;
    auto listener =
        socket::WebSocketListener::open(**loop, {}, [&](const socket::UpgradeRequest& request) {
            socket::UpgradeAnswer answer;
            if (!request.subprotocols.empty()) answer.subprotocol = request.subprotocols[0];
            answer.events = &parrot;
            answer.take = [&](auto link) { parrot.link = std::move(link); };
            return answer;
        });
    ASSERT_TRUE(listener) << listener.error().text();
    const auto turn_until = [&](const auto& is_so) {
        return comes_true([&] {
            (*loop)->turn(base::kNsPerMs);
            return is_so();
        });
    };
    config::Ai bot{.name = "bot", .protocol = config::AiProtocol::Plain};
    bot.url = "ws://127.0.0.1:" + std::to_string((*listener)->port());
    bot.sample_rate_hz = 8000;
    const auto port = std::make_shared<AudioPort>(8000U);
    const AiOrder order = ai::testing::order(CallId{"c-1"}, bot, port);
    runtime_->attach(order);
    ASSERT_TRUE(turn_until([&] { return order.stats->state == model::AiState::Live; }));
    Samples said(160 * 10);
    for (std::size_t i = 0; i < said.size(); ++i) said[i] = static_cast<std::int16_t>(i + 1);
    port->tap.write(said);
    port->tapped_ns = base::monotonic_ns();
    runtime_->wake();
    ASSERT_TRUE(turn_until([&] { return port->voice.queued_samples() == said.size(); }));
    Samples out(said.size());
    bool was_cut = false;
    EXPECT_EQ(port->voice.read(out, was_cut), out.size());
    EXPECT_EQ(out, said);
    EXPECT_GE(runtime_->latencies().caller_to_socket.snapshot().count, 1U);
    // The process ends without anybody having taken the AI off.
    std::thread ending([&] { runtime_.reset(); });
    EXPECT_TRUE(turn_until([&] { return parrot.end.has_value(); }));
    ending.join();
    ASSERT_TRUE(parrot.end);
    EXPECT_EQ(parrot.end->why, socket::LinkEnd::Why::ClosedByPeer);
    EXPECT_EQ(parrot.end->code, 1000);
    EXPECT_EQ(order.stats->state, model::AiState::Ended);
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
