// What it costs to watch a thousand calls: the sample of each second, the ledger and the diagnosis where
// somebody asks, and the counters of the ledger that each packet moves. `percent` is the share of what
// the media of a call costs itself, 0.8 CPU-ms a second (README, 500 calls); 3 are the limit, all
// together.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/monotonic.h"
#include "diagnosis/diagnose.h"
#include "model/call_directory.h"
#include "model/leg_counters.h"
#include "model/stats_snapshot.h"
#include "stats/hop_ledger.h"
#include "stats/leg_record.h"

namespace offhook {
namespace {

using model::LegCounters;

constexpr double kMediaNs = 0.8e6;  ///< of a call, in each second
constexpr int kCalls = 1'000;

/// @param times  a second
void set_share(benchmark::State& state, double times) {
    state.counters["percent"] =
        benchmark::Counter(static_cast<double>(state.iterations()) * kMediaNs / 1e9 / 100 / times,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

struct Watched {
    LegCounters counters;
    stats::LegRecord record{model::Codec::Pcmu};
};
std::vector<std::unique_ptr<Watched>> calls() {
    std::vector<std::unique_ptr<Watched>> all;
    for (int i = 0; i < kCalls; ++i) all.push_back(std::make_unique<Watched>());
    return all;
}

/// A call's copy of its counters, four times a second: `CallRegistry::look_at`.
void look(benchmark::State& state) {
    const auto all = calls();
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(model::snapshot_of(
            all[next]->counters, 1, static_cast<std::int64_t>(state.iterations())));
        next = (next + 1) % all.size();
    }
    set_share(state, 4);
}

/// The sample of a call's history and quality, once a second.
void sample(benchmark::State& state) {
    const auto all = calls();
    std::size_t next = 0;
    std::int64_t now_ns = base::kNsPerS;
    for (auto _ : state) {
        Watched& call = *all[next];
        LegCounters::add<std::uint64_t>(call.counters.sent_packets, 50);
        LegCounters::add<std::uint64_t>(call.counters.received_packets, 50);
        call.record.sample(
            model::snapshot_of(call.counters, 1, now_ns),
            {.now_ns = now_ns, .realtime_ns = now_ns, .gap_ns = 21'000'000, .is_sound_due = true});
        if (++next == all.size()) {
            next = 0;
            now_ns += base::kNsPerS;
        }
    }
    set_share(state, 1);
}

model::CallInfo call_info() {
    model::CallInfo call;
    call.answered_ns = base::realtime_ns() - 60 * base::kNsPerS;
    call.ai = "bot";
    call.bot.state = model::AiState::Live;
    call.stats.arrived_packets = call.stats.received_packets = 3'000;
    call.stats.since_last_arrived_ms = call.stats.since_last_received_ms = 10;
    return call;
}

/// The ledger, if somebody asked for that of every call each second.
void ledger(benchmark::State& state) {
    const model::CallInfo call = call_info();
    const std::int64_t now_ns = base::realtime_ns();
    for (auto _ : state) benchmark::DoNotOptimize(stats::hops_of(call, now_ns));
    set_share(state, 1);
}

/// The diagnosis, if somebody asked for that of every call each second.
void diagnosis(benchmark::State& state) {
    diagnosis::Facts facts{.now_ns = base::realtime_ns(), .call = call_info()};
    facts.hops = stats::hops_of(*facts.call, facts.now_ns);
    for (auto _ : state) benchmark::DoNotOptimize(diagnosis::diagnose(facts));
    set_share(state, 1);
}

/// What the ledger adds to one packet in and one frame out.
void packet(benchmark::State& state) {
    LegCounters counters;
    std::int64_t now_ns = 0;
    for (auto _ : state) {
        LegCounters::add<std::uint64_t>(counters.arrived_packets, 1);
        LegCounters::set(counters.last_arrived_ns, ++now_ns);
        LegCounters::add<std::uint64_t>(counters.decoded_packets, 1);
        LegCounters::set(counters.last_decoded_ns, now_ns);
        LegCounters::add<std::uint64_t>(counters.encoded_frames, 1);
        LegCounters::set(counters.last_encoded_ns, now_ns);
        benchmark::ClobberMemory();
    }
    set_share(state, 50);
}

BENCHMARK(look);
BENCHMARK(sample);
BENCHMARK(ledger);
BENCHMARK(diagnosis);
BENCHMARK(packet);

}  // namespace
}  // namespace offhook

BENCHMARK_MAIN();
