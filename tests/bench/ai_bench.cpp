// What the AI side costs: N calls, fed and drained at 50 frames a second by a stand-in for the media
// worker (1 ms tick, 20 slots). With plain and twilio each call has a bot behind a WebSocket of
// loopback that gives back what it hears, all of them on a thread of their own. Prints one JSON
// line; CPU of the threads apart, in ms per call-second.
//     ai_bench [calls] [seconds] [echo|mute|tone|burst|plain|twilio]
#include <pthread.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "ai/ai_runtime.h"
#include "base/monotonic.h"
#include "hand_line.h"
#include "model/codec.h"
#include "socket/web_socket_listener.h"

namespace {

using namespace offhook;

double cpu_s(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

config::AiProtocol protocol_of(std::string_view name) {
    if (name == "mute") return config::AiProtocol::Mute;
    if (name == "tone") return config::AiProtocol::Tone;
    if (name == "burst") return config::AiProtocol::Burst;
    if (name == "plain") return config::AiProtocol::Plain;
    if (name == "twilio") return config::AiProtocol::Twilio;
    return config::AiProtocol::Echo;
}

/// Gives back the sound it hears: binary messages, or the payload of Twilio's media.
class ParrotBot final : public socket::LinkEvents {
public:
    void take(std::unique_ptr<socket::Link> link) { link_ = std::move(link); }
    void on_open() override {}
    void on_text(std::string_view text) override {
        if (const auto sid = after(text, "\"streamSid\":\""); sid_.empty()) sid_ = sid;
        const std::string_view payload = after(text, "\"payload\":\"");
        if (payload.empty()) return;
        answer_ = "{\"event\":\"media\",\"streamSid\":\"" + sid_ + "\",\"media\":{\"payload\":\"";
        answer_ += payload;
        answer_ += "\"}}";
        link_->send_text(answer_);
    }
    void on_binary(std::span<const std::byte> bytes) override { link_->send_binary(bytes); }
    void on_closed(const socket::LinkEnd& /*end*/) override {}

private:
    static std::string_view after(std::string_view text, std::string_view key) {
        const std::size_t at = text.find(key);
        if (at == std::string_view::npos) return {};
        text.remove_prefix(at + key.size());
        return text.substr(0, text.find('"'));
    }
    std::unique_ptr<socket::Link> link_;
    std::string sid_, answer_;
};

/// All the bots, on a thread that looks once a millisecond.
class BotFarm {
public:
    BotFarm() : loop_(std::move(*socket::EventLoop::create())) {
        listener_ = std::move(*socket::WebSocketListener::open(
            *loop_, {}, [this](const socket::UpgradeRequest& request) {
                bots_.emplace_back();
                ParrotBot& bot = bots_.back();
                socket::UpgradeAnswer answer;
                if (!request.subprotocols.empty()) answer.subprotocol = request.subprotocols[0];
                answer.events = &bot;
                answer.take = [&bot](auto link) { bot.take(std::move(link)); };
                return answer;
            }));
        thread_ = std::thread([this] {
            while (!is_done_) {
                const timespec nap{.tv_sec = 0, .tv_nsec = base::kNsPerMs};
                nanosleep(&nap, nullptr);
                loop_->turn(0);
            }
        });
        pthread_getcpuclockid(thread_.native_handle(), &clock_);
    }
    ~BotFarm() {
        is_done_ = true;
        thread_.join();
    }
    [[nodiscard]] std::string url() const {
        return "ws://127.0.0.1:" + std::to_string(listener_->port()) + "/";
    }
    [[nodiscard]] double used_s() const { return cpu_s(clock_); }

private:
    std::unique_ptr<socket::EventLoop> loop_;
    std::list<ParrotBot> bots_;
    std::unique_ptr<socket::WebSocketListener> listener_;
    std::atomic<bool> is_done_{false};
    clockid_t clock_{};
    std::thread thread_;
};

/// Share of the values that are at most `bound_s`, in percent.
double share_within(const ai::LatencyHistogram& histogram, double bound_s) {
    const auto snapshot = histogram.snapshot();
    std::uint64_t within = 0;
    for (std::size_t i = 0; i < ai::LatencyHistogram::kBounds; ++i) {
        if (histogram.bounds_s()[i] <= bound_s) within += snapshot.buckets[i];
    }
    return snapshot.count == 0
               ? 0
               : 100 * static_cast<double>(within) / static_cast<double>(snapshot.count);
}

}  // namespace

int main(int argc, char** argv) {
    constexpr std::int64_t kSlots = 20;
    constexpr std::int64_t kWarmUpTicks = 3000;  // connections, replay
    const auto calls = static_cast<std::size_t>(argc > 1 ? std::atoi(argv[1]) : 500);
    const int seconds = argc > 2 ? std::atoi(argv[2]) : 5;
    const char* const name = argc > 3 ? argv[3] : "echo";

    BotFarm farm;
    auto runtime = ai::AiRuntime::start({});
    if (!runtime) {
        std::fprintf(stderr, "%s\n", runtime.error().text().c_str());
        return 1;
    }
    auto settings = std::make_shared<ai::BotSettings>();
    settings->ai.name = name;
    settings->ai.protocol = protocol_of(name);
    settings->ai.url = farm.url();
    settings->ai.sample_rate_hz = settings->ai.protocol == config::AiProtocol::Plain ? 8000 : 0;
    std::vector<std::shared_ptr<model::AudioPort>> ports;
    std::vector<std::shared_ptr<model::AiStats>> stats;
    std::vector<ai::HandLine> lines;
    for (std::size_t call = 0; call < calls; ++call) {
        ports.push_back(std::make_shared<model::AudioPort>(8000U));
        stats.push_back(std::make_shared<model::AiStats>());
        lines.emplace_back(ports.back());
        ai::AiOrder order;
        order.call.id = model::CallId::make();
        order.settings = settings;
        order.port = ports.back();
        order.stats = stats.back();
        (*runtime)->attach(std::move(order));
    }
    std::array<std::int16_t, model::frame_samples(8000)> said{};
    for (std::size_t i = 0; i < said.size(); ++i) said[i] = static_cast<std::int16_t>(i * 100);

    // This thread's clock is the feeding, the farm's the bots; the rest of the process is the ai
    // thread.
    double all_before = 0, feeding_before = 0, farm_before = 0;
    std::uint64_t wakes_before = 0;
    std::uint64_t empty_frames = 0;
    const std::int64_t start_ns = (base::monotonic_ns() / base::kNsPerMs + 1) * base::kNsPerMs;
    for (std::int64_t tick = 0; tick < kWarmUpTicks + std::int64_t{seconds} * 1000; ++tick) {
        const std::int64_t due_ns = start_ns + tick * base::kNsPerMs;
        const timespec due{.tv_sec = due_ns / base::kNsPerS, .tv_nsec = due_ns % base::kNsPerS};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
        if (tick == kWarmUpTicks) {
            all_before = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
            feeding_before = cpu_s(CLOCK_THREAD_CPUTIME_ID);
            farm_before = farm.used_s();
            wakes_before = (*runtime)->counters().wakes.load();
            empty_frames = 0;
        }
        for (std::size_t call = static_cast<std::size_t>(tick % kSlots); call < calls;
             call += kSlots) {
            const std::int64_t now_ns = base::monotonic_ns();
            ports[call]->tap.write(said);
            ports[call]->tapped_ns.store(now_ns, std::memory_order_release);
            lines[call].frame(now_ns);
            if (lines[call].heard.empty()) ++empty_frames;
            lines[call].heard.clear();
        }
        (*runtime)->wake();
    }
    const double feeding_s = cpu_s(CLOCK_THREAD_CPUTIME_ID) - feeding_before;
    const double farm_s = farm.used_s() - farm_before;
    const double ai_s = cpu_s(CLOCK_PROCESS_CPUTIME_ID) - all_before - feeding_s - farm_s;
    const double call_seconds = static_cast<double>(calls) * seconds;
    std::uint64_t dropped = 0, losses = 0, live = 0;
    for (const auto& port : ports) dropped += port->tap.dropped_samples();
    for (const auto& it : stats) {
        losses += it->losses.load();
        live += it->state.load() == model::AiState::Live ? 1U : 0U;
    }
    const ai::Latencies& latencies = (*runtime)->latencies();
    const auto to_socket = latencies.caller_to_socket.snapshot();
    std::printf(
        "{\"ai\":\"%s\",\"calls\":%zu,\"ai_ms_per_call_s\":%.4f,\"bots_ms_per_call_s\":%.4f,"
        "\"wakes_per_s\":%.0f,\"empty_frames\":%llu,\"tap_dropped_samples\":%llu,\"live\":%llu,"
        "\"losses\":%llu,\"late_ticks\":%llu,\"to_socket_mean_ms\":%.3f,"
        "\"to_socket_within_1_ms_percent\":%.2f,\"to_socket_within_2_ms_percent\":%.2f}\n",
        name,
        calls,
        ai_s * 1e3 / call_seconds,
        farm_s * 1e3 / call_seconds,
        static_cast<double>((*runtime)->counters().wakes.load() - wakes_before) / seconds,
        static_cast<unsigned long long>(empty_frames),
        static_cast<unsigned long long>(dropped),
        static_cast<unsigned long long>(live),
        static_cast<unsigned long long>(losses),
        static_cast<unsigned long long>((*runtime)->counters().late_ticks.load()),
        to_socket.count == 0 ? 0 : to_socket.sum_s * 1e3 / static_cast<double>(to_socket.count),
        share_within(latencies.caller_to_socket, 0.001),
        share_within(latencies.caller_to_socket, 0.002));
    return 0;
}
