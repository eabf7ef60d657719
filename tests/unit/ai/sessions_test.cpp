#include "ai/ai_sessions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/monotonic.h"
#include "order.h"

namespace offhook::ai {
namespace {

using model::AudioPort;
using model::CallId;
using Samples = std::vector<std::int16_t>;

const config::Ai kEcho{.name = "echo"};
const config::Ai kMute{.name = "mute", .protocol = config::AiProtocol::Mute};
const config::Ai kTone{.name = "tone", .protocol = config::AiProtocol::Tone};

class Sessions : public ::testing::Test {
protected:
    AiCounters counters_;
    Latencies latencies_;
    AiSessions sessions_{AiSessions::Parts{.loop = nullptr,
                                           .door = nullptr,
                                           .events = nullptr,
                                           .counters = &counters_,
                                           .latencies = &latencies_}};

    std::shared_ptr<AudioPort> port_ = std::make_shared<AudioPort>(8000U);
};

TEST_F(Sessions, AttachedItSpeaksAtOnceDetachedItLetsGo) {
    sessions_.attach(ai::testing::order(CallId{"c-1"}, kTone, port_), 0);
    EXPECT_EQ(port_->voice.queued_samples(), 1600U);
    EXPECT_EQ(counters_.sessions, 1U);
    EXPECT_EQ(port_.use_count(), 2);
    sessions_.tell(CallId{"c-2"}, EndNews{});
    EXPECT_EQ(sessions_.size(), 1U);
    sessions_.tell(CallId{"c-1"}, EndNews{});
    EXPECT_EQ(sessions_.size(), 0U);
    EXPECT_EQ(counters_.sessions, 0U);
    EXPECT_EQ(port_.use_count(), 1);
}

TEST_F(Sessions, ASecondAttachReplacesTheFirst) {
    sessions_.attach(ai::testing::order(CallId{"c-1"}, kTone, port_), 0);
    const auto other = std::make_shared<AudioPort>(16000U);
    sessions_.attach(ai::testing::order(CallId{"c-1"}, kMute, other), 0);
    EXPECT_EQ(sessions_.size(), 1U);
    EXPECT_EQ(port_.use_count(), 1);
    EXPECT_EQ(other.use_count(), 2);
}

TEST_F(Sessions, TapsAreDrainedWhateverTheAiDoes) {
    sessions_.attach(ai::testing::order(CallId{"c-1"}, kMute, port_), 0);
    const Samples frame(160, 7);
    for (int i = 0; i < 200; ++i) {
        port_->tap.write(frame);
        sessions_.listen();
        sessions_.visit_all(i * 20 * base::kNsPerMs);
    }
    EXPECT_EQ(port_->tap.dropped_samples(), 0U);
    EXPECT_EQ(counters_.caller_samples, 200U * 160);
    // More than one reading's worth.
    for (int i = 0; i < 25; ++i) port_->tap.write(frame);
    sessions_.listen();
    EXPECT_EQ(counters_.caller_samples, 225U * 160);
}

TEST_F(Sessions, EachHearsItsOwnCaller) {
    std::vector<std::shared_ptr<AudioPort>> ports;
    for (int call = 0; call < 10; ++call) {
        ports.push_back(std::make_shared<AudioPort>(8000U));
        sessions_.attach(ai::testing::order(CallId{std::to_string(call)}, kEcho, ports.back()), 0);
    }
    // Removal moves the last one into the hole: all the others must still be found.
    sessions_.tell(CallId{"3"}, EndNews{});
    sessions_.tell(CallId{"9"}, EndNews{});
    sessions_.tell(CallId{"0"}, EndNews{});
    for (std::size_t call = 0; call < ports.size(); ++call) {
        ports[call]->tap.write(Samples(160, static_cast<std::int16_t>(call + 1)));
    }
    sessions_.listen();
    for (std::size_t call = 0; call < ports.size(); ++call) {
        const bool is_gone = call == 0 || call == 3 || call == 9;
        ASSERT_EQ(ports[call]->voice.queued_samples(), is_gone ? 0U : 1600U + 160);
        if (is_gone) continue;
        Samples out(1760);
        bool was_cut = false;
        ports[call]->voice.read(out, was_cut);
        EXPECT_EQ(out[1600], static_cast<std::int16_t>(call + 1));
        EXPECT_EQ(out[1759], static_cast<std::int16_t>(call + 1));
    }
    for (const char* id : {"1", "2", "4", "5", "6", "7", "8"})
        sessions_.tell(CallId{id}, EndNews{});
    EXPECT_EQ(sessions_.size(), 0U);
    for (const auto& port : ports) EXPECT_EQ(port.use_count(), 1);
}

TEST_F(Sessions, EachTickVisitsItsTenth) {
    std::vector<std::shared_ptr<AudioPort>> ports;
    for (int call = 0; call < 25; ++call) {
        ports.push_back(std::make_shared<AudioPort>(8000U));
        sessions_.attach(ai::testing::order(CallId{std::to_string(call)}, kTone, ports.back()), 0);
        bool was_cut = false;
        Samples out(1600);
        ASSERT_EQ(ports.back()->voice.read(out, was_cut), out.size());  // dry: the next visit fills
    }
    std::size_t visited = 0;
    for (std::size_t slot = 0; slot < AiSessions::kTicksPerVisit; ++slot) {
        sessions_.visit(slot, 1);
        std::size_t now = 0;
        for (const auto& port : ports) now += port->voice.queued_samples() != 0 ? 1U : 0U;
        EXPECT_EQ(now - visited, slot < 5 ? 3U : 2U) << slot;
        visited = now;
    }
    EXPECT_EQ(visited, ports.size());
}

}  // namespace
}  // namespace offhook::ai
