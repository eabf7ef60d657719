// What the AI side costs: N calls with the echo AI, fed and drained at 50 frames a second by a
// stand-in for the media worker (1 ms tick, 20 slots). Prints one JSON line; CPU of the two threads
// apart, in ms per call-second.
//     ai_bench [calls] [seconds] [echo|mute|tone|burst]
#include <pthread.h>
#include <sys/resource.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

#include "ai/ai_runtime.h"
#include "base/monotonic.h"
#include "model/codec.h"

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
    return config::AiProtocol::Echo;
}

}  // namespace

int main(int argc, char** argv) {
    constexpr std::int64_t kSlots = 20;
    const auto calls = static_cast<std::size_t>(argc > 1 ? std::atoi(argv[1]) : 500);
    const int seconds = argc > 2 ? std::atoi(argv[2]) : 5;
    const char* const name = argc > 3 ? argv[3] : "echo";

    auto runtime = ai::AiRuntime::start({});
    if (!runtime) {
        std::fprintf(stderr, "%s\n", runtime.error().text().c_str());
        return 1;
    }
    std::vector<std::shared_ptr<model::AudioPort>> ports;
    for (std::size_t call = 0; call < calls; ++call) {
        ports.push_back(std::make_shared<model::AudioPort>(8000U));
        auto settings = std::make_shared<ai::BotSettings>();
        settings->ai = {.name = name, .protocol = protocol_of(name)};
        (*runtime)->attach({.call = {.id = model::CallId::make()},
                            .settings = std::move(settings),
                            .port = ports.back(),
                            .stats = nullptr});
    }
    std::array<std::int16_t, model::frame_samples(8000)> said{};
    for (std::size_t i = 0; i < said.size(); ++i) said[i] = static_cast<std::int16_t>(i * 100);

    // Both threads' shares: this thread's clock is the feeding, the rest of the process is the ai
    // thread.
    const double all_before = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
    const double feeding_before = cpu_s(CLOCK_THREAD_CPUTIME_ID);
    const std::uint64_t wakes_before = (*runtime)->counters().wakes.load();
    const std::int64_t start_ns = base::monotonic_ns();
    std::uint64_t copy_ns = 0;
    std::uint64_t empty_frames = 0;
    std::array<std::int16_t, model::frame_samples(8000)> out{};
    for (std::int64_t tick = 0; tick < std::int64_t{seconds} * 1000; ++tick) {
        const std::int64_t due_ns = start_ns + tick * base::kNsPerMs;
        const timespec due{.tv_sec = due_ns / base::kNsPerS, .tv_nsec = due_ns % base::kNsPerS};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
        const std::int64_t from_ns = base::monotonic_ns();
        for (std::size_t call = static_cast<std::size_t>(tick % kSlots); call < calls;
             call += kSlots) {
            ports[call]->tap.write(said);
            bool was_cut = false;
            if (ports[call]->voice.read(out, was_cut) == 0) ++empty_frames;
        }
        (*runtime)->wake();
        copy_ns += static_cast<std::uint64_t>(base::monotonic_ns() - from_ns);
    }
    const double feeding_s = cpu_s(CLOCK_THREAD_CPUTIME_ID) - feeding_before;
    const double ai_s = cpu_s(CLOCK_PROCESS_CPUTIME_ID) - all_before - feeding_s;
    const double call_seconds = static_cast<double>(calls) * seconds;
    std::uint64_t dropped = 0;
    for (const auto& port : ports) dropped += port->tap.dropped_samples();
    std::printf(
        "{\"ai\":\"%s\",\"calls\":%zu,\"ai_ms_per_call_s\":%.4f,\"media_copies_ms_per_call_s\":%."
        "4f,"
        "\"wakes_per_s\":%.0f,\"empty_frames\":%llu,\"tap_dropped_samples\":%llu}\n",
        name,
        calls,
        ai_s * 1e3 / call_seconds,
        static_cast<double>(copy_ns) / 1e6 / call_seconds,
        static_cast<double>((*runtime)->counters().wakes.load() - wakes_before) / seconds,
        static_cast<unsigned long long>(empty_frames),
        static_cast<unsigned long long>(dropped));
    return 0;
}
