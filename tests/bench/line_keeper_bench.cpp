// What a frame costs on its way out: made by the line keeper, of filler or of the AI's sound, and then
// encoded and handed over as a packet (PCMU, to a web leg's way out that does nothing).
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "linekeeper/line_keeper.h"
#include "model/audio_port.h"
#include "rtpcallsink/rtp_sender.h"
#include "session/rtp_session.h"
#include "session/web_port.h"

namespace offhook {
namespace {

constexpr std::size_t kFrame = 160;

struct Line {
    std::shared_ptr<model::AudioPort> port = std::make_shared<model::AudioPort>(8000);
    std::vector<std::int16_t> speech = std::vector<std::int16_t>(kFrame, 1000);
    std::vector<std::int16_t> pcm = std::vector<std::int16_t>(kFrame);
    linekeeper::LineKeeper keeper{
        8000, *linekeeper::make_filler("silence", 8000), std::make_shared<model::LegCounters>()};

    Line() {
        keeper.set_voice(port);
        keeper.start(0);
    }
};

/// @param state.range(0)  1: of the AI's sound
void frame(benchmark::State& state) {
    Line line;
    for (auto _ : state) {
        if (state.range(0) == 1) line.port->voice.write(line.speech);
        benchmark::DoNotOptimize(line.keeper.make_frame(line.pcm));
    }
}
BENCHMARK(frame)->Arg(0)->Arg(1);

class Nowhere final : public session::WebPort::Out {
public:
    bool send(std::span<const std::uint8_t> packet) noexcept override {
        benchmark::DoNotOptimize(packet.data());
        return true;
    }
};

void frame_and_packet(benchmark::State& state) {
    Line line;
    auto web = std::make_shared<session::WebPort>();
    web->set_out(std::make_shared<Nowhere>());
    rtpcallsink::RtpSender sender(
        std::make_shared<session::RtpSession>(web, session::RtpSession::Settings{}), line.port);
    for (auto _ : state) {
        if (state.range(0) == 1) line.port->voice.write(line.speech);
        const auto made = line.keeper.make_frame(line.pcm);
        sender.send_pcm(line.pcm, made.offset_samples);
    }
}
BENCHMARK(frame_and_packet)->Arg(0)->Arg(1);

}  // namespace
}  // namespace offhook

BENCHMARK_MAIN();
