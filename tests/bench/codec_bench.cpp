// ns per 20 ms of one call in each part of the packet path.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <vector>

#include "base/monotonic.h"
#include "rtp/codec.h"
#include "rtp/dtmf.h"
#include "rtp/jitter_ring.h"
#include "rtp/noise.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

namespace {

using namespace offhook;
using model::Codec;

/// A second that moves as speech does: a pitch that glides, louder and softer, on a bed of noise.
std::vector<std::int16_t> speech(std::uint32_t rate_hz) {
    std::vector<std::int16_t> pcm(rate_hz);
    rtp::ComfortNoise(1).fill(pcm);
    double phase = 0;
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        const double t = static_cast<double>(i) / rate_hz;
        phase += 6.283185 * (140 + 40 * std::sin(9 * t)) / rate_hz;
        double sum = 0;
        for (int harmonic = 1; harmonic <= 12; ++harmonic)
            sum += std::sin(harmonic * phase) / harmonic;
        const double loudness = 3000 * (1 + std::sin(20 * t));
        pcm[i] = static_cast<std::int16_t>(pcm[i] * 8 + loudness * sum);
    }
    return pcm;
}

void encode(benchmark::State& state, Codec codec, int complexity) {
    const auto encoder = rtp::make_encoder(codec, {.opus_complexity = complexity});
    const auto pcm = speech(encoder->sample_rate_hz());
    const std::size_t frame = model::frame_samples(encoder->sample_rate_hz());
    std::array<std::uint8_t, model::kMaxPayloadBytes> payload{};
    std::size_t at = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(encoder->encode(std::span(pcm).subspan(at, frame), payload));
        benchmark::ClobberMemory();
        at = (at + frame) % pcm.size();
    }
}

void decode(benchmark::State& state, Codec codec, bool is_lossy) {
    const auto encoder = rtp::make_encoder(codec);
    const auto decoder = rtp::make_decoder(codec);
    const auto pcm = speech(encoder->sample_rate_hz());
    const std::size_t frame = model::frame_samples(encoder->sample_rate_hz());
    std::vector<std::vector<std::uint8_t>> payloads;
    for (std::size_t at = 0; at < pcm.size(); at += frame) {
        std::vector<std::uint8_t> payload(model::kMaxPayloadBytes);
        payload.resize(encoder->encode(std::span(pcm).subspan(at, frame), payload));
        payloads.push_back(payload);
    }
    std::array<std::int16_t, model::kMaxPacketSamples> out{};
    std::size_t n = 0;
    for (auto _ : state) {
        if (is_lossy && n % 2 == 1) {
            decoder->conceal(std::span(out).first(frame));
        } else {
            benchmark::DoNotOptimize(decoder->decode(payloads[n % payloads.size()], out));
        }
        benchmark::ClobberMemory();
        ++n;
    }
}

BENCHMARK_CAPTURE(encode, pcmu, Codec::Pcmu, 0);
BENCHMARK_CAPTURE(encode, pcma, Codec::Pcma, 0);
BENCHMARK_CAPTURE(encode, g722, Codec::G722, 0);
BENCHMARK_CAPTURE(encode, opus_complexity_0, Codec::Opus, 0);
BENCHMARK_CAPTURE(encode, opus_complexity_2, Codec::Opus, 2);
BENCHMARK_CAPTURE(encode, opus_complexity_5, Codec::Opus, 5);
BENCHMARK_CAPTURE(encode, opus_complexity_10, Codec::Opus, 10);
BENCHMARK_CAPTURE(decode, pcmu, Codec::Pcmu, false);
BENCHMARK_CAPTURE(decode, pcma, Codec::Pcma, false);
BENCHMARK_CAPTURE(decode, g722, Codec::G722, false);
BENCHMARK_CAPTURE(decode, opus, Codec::Opus, false);
BENCHMARK_CAPTURE(decode, pcmu_half_concealed, Codec::Pcmu, true);
BENCHMARK_CAPTURE(decode, g722_half_concealed, Codec::G722, true);
BENCHMARK_CAPTURE(decode, opus_half_concealed, Codec::Opus, true);

void noise(benchmark::State& state) {
    rtp::ComfortNoise source(1);
    std::vector<std::int16_t> pcm(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        source.fill(pcm);
        benchmark::ClobberMemory();
    }
}
BENCHMARK(noise)->Arg(160)->Arg(320);

/// What one received packet costs before its payload is decoded: parse, judge, ask for more,
/// statistics.
void receive(benchmark::State& state, bool is_reordered) {
    rtp::JitterRing ring(8000);
    rtp::ReceptionStats stats(8000);
    std::array<std::uint8_t, rtp::kHeaderBytes + 160> datagram{};
    std::uint32_t n = 0;
    std::int64_t now_ns = base::kNsPerS;
    for (auto _ : state) {
        const std::uint32_t k = is_reordered ? n ^ 1U : n;
        rtp::write_header({.payload_type = 0,
                           .marker = false,
                           .sequence = static_cast<std::uint16_t>(k),
                           .timestamp_rtp = 160 * k,
                           .ssrc = 1},
                          std::span(datagram).first<rtp::kHeaderBytes>());
        const auto packet = rtp::parse_packet(datagram);
        stats.received(packet->sequence, packet->timestamp_rtp, now_ns);
        benchmark::DoNotOptimize(ring.arrive(*packet, now_ns));
        while (const auto item = ring.next(now_ns)) benchmark::DoNotOptimize(item);
        ++n;
        now_ns += 20 * base::kNsPerMs;
    }
}
BENCHMARK_CAPTURE(receive, in_order, false);
BENCHMARK_CAPTURE(receive, every_pair_swapped, true);

void ring_asked_for_nothing(benchmark::State& state) {
    rtp::JitterRing ring(8000);
    for (auto _ : state) benchmark::DoNotOptimize(ring.next(1));
}
BENCHMARK(ring_asked_for_nothing);

}  // namespace

BENCHMARK_MAIN();
