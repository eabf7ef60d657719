// CPU time of SRTP in a second of a call: 172 bytes of PCMU protected by one end and opened by the other, over the
// sessions of many calls in turn, as the media worker visits them.
#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "srtp/srtp_inbound.h"
#include "srtp/srtp_outbound.h"

namespace offhook::srtp {
namespace {

struct Session {
    SrtpOutbound outbound;
    SrtpInbound inbound;
};

void protect_and_open(benchmark::State& state) {
    const auto suite = static_cast<model::SrtpSuite>(state.range(0));
    std::vector<Session> sessions;
    for (std::int64_t i = 0; i < state.range(1); ++i) {
        const auto key = *model::SrtpKey::random(suite);
        sessions.push_back({*SrtpOutbound::create(suite, key), *SrtpInbound::create(suite, key)});
    }
    std::array<std::uint8_t, 172> plain{0x80};
    std::array<std::uint8_t, 172 + kMaxOverheadBytes> sealed{};
    std::uint16_t sequence = 0;
    for (auto _ : state) {
        ++sequence;
        plain[2] = static_cast<std::uint8_t>(sequence >> 8);
        plain[3] = static_cast<std::uint8_t>(sequence);
        for (Session& session : sessions) {
            const std::size_t bytes = session.outbound.protect_rtp(plain, sealed);
            const auto opened = session.inbound.open_rtp(std::span(sealed).first(bytes));
            if (opened.verdict != SrtpInbound::Verdict::Ok) state.SkipWithError("did not open");
        }
    }
    // A call-second is 50 packets protected and 50 opened.
    state.counters["per_call_second"] =
        benchmark::Counter(static_cast<double>(state.iterations() * state.range(1)) / 50,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.SetLabel(std::string(model::facts_of(suite).name));
}

BENCHMARK(protect_and_open)
    ->ArgsProduct({{static_cast<int>(model::SrtpSuite::AeadAes128Gcm),
                    static_cast<int>(model::SrtpSuite::AesCm128HmacSha1_80)},
                   {1, 100, 500, 1000}});

}  // namespace
}  // namespace offhook::srtp

BENCHMARK_MAIN();
