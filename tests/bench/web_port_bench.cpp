// What a packet costs on its way to the worker of a web leg, beside the socket of a phone leg: the ring alone, with
// the wake-up that a sleeping worker needs, and a datagram over loopback.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "session/endpoint.h"
#include "session/socket_pair.h"
#include "session/web_port.h"

namespace offhook::session {
namespace {

constexpr std::size_t kPacketBytes = 172;  // PCMU, 20 ms

/// @param state.range(0)  legs, visited in turn as a worker does
/// @param state.range(1)  packets that wait when the worker looks: one wake-up for all of them
void web_port(benchmark::State& state) {
    std::vector<std::unique_ptr<WebPort>> ports;
    for (std::int64_t i = 0; i < state.range(0); ++i) ports.push_back(std::make_unique<WebPort>());
    const std::array<std::uint8_t, kPacketBytes> packet{0x80};
    std::array<std::uint8_t, WebPort::kMaxPacketBytes> out;
    for (auto _ : state) {
        for (const auto& port : ports) {
            for (std::int64_t i = 0; i < state.range(1); ++i) port->deliver(packet);
            while (port->take(out) > 0) benchmark::DoNotOptimize(out);
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(1));
}
BENCHMARK(web_port)->ArgsProduct({{1, 50}, {1, 8}});

void loopback_socket(benchmark::State& state) {
    std::vector<SocketPair> sockets;
    std::vector<Endpoint> ends;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        auto pair = SocketPair::open("127.0.0.1", 0);
        if (!pair) return state.SkipWithError("no ports");
        ends.push_back(*Endpoint::make("127.0.0.1", pair->port()));
        sockets.push_back(std::move(*pair));
    }
    const std::array<std::uint8_t, kPacketBytes> packet{0x80};
    std::array<std::uint8_t, 2048> out;
    for (auto _ : state) {
        for (std::size_t leg = 0; leg < sockets.size(); ++leg) {
            const int fd = sockets[leg].rtp_fd();
            for (std::int64_t i = 0; i < state.range(1); ++i) {
                if (sendto(
                        fd, packet.data(), packet.size(), 0, ends[leg].data(), ends[leg].size()) <
                    0)
                    return state.SkipWithError("not sent");
            }
            while (recv(fd, out.data(), out.size(), MSG_DONTWAIT) > 0)
                benchmark::DoNotOptimize(out);
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(1));
}
BENCHMARK(loopback_socket)->ArgsProduct({{1, 50}, {1, 8}});

}  // namespace
}  // namespace offhook::session

BENCHMARK_MAIN();
