// What a message costs in the bots' protocols, without the socket: the caller's 20 ms to a text or a
// binary, and a bot's message to samples.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "ai/bot_protocol.h"
#include "ai/protocols/base64.h"

namespace offhook::ai {
namespace {

/// Takes everything and keeps nothing.
class Sink final : public BotHost {
public:
    Sink(config::AiProtocol protocol, const char* dialect) {
        settings_.ai.protocol = protocol;
        settings_.ai.dialect = dialect;
    }
    bool send_text(std::string_view text) override {
        benchmark::DoNotOptimize(text.data());
        return true;
    }
    bool send_binary(std::span<const std::byte> bytes) override {
        benchmark::DoNotOptimize(bytes.data());
        return true;
    }
    void ready() override {}
    std::uint64_t play(std::span<const std::int16_t> pcm) override {
        benchmark::DoNotOptimize(pcm.data());
        return given_ += pcm.size();
    }
    void mark(std::string name) override { benchmark::DoNotOptimize(name.data()); }
    void clear() override {}
    void pause() override {}
    void resume() override {}
    [[nodiscard]] std::uint64_t given() const noexcept override { return given_; }
    [[nodiscard]] std::uint64_t played() const noexcept override { return given_; }
    [[nodiscard]] std::uint64_t queued() const noexcept override { return 0; }
    void judge_barge_in(bool) override {}
    void note_caller_speech(bool) override {}
    void ask(BotRequest) override {}
    void finish() override {}
    void fail(std::string, bool) override {}
    void complain(std::string) override {}
    [[nodiscard]] const BotSettings& settings() const noexcept override { return settings_; }
    [[nodiscard]] const BotCall& call() const noexcept override { return call_; }

private:
    BotSettings settings_;
    BotCall call_;
    std::uint64_t given_ = 0;
};

struct Bot {
    Sink sink;
    std::unique_ptr<BotProtocol> protocol;

    explicit Bot(config::AiProtocol which, const char* dialect = "twilio")
        : sink(which, dialect), protocol(make_protocol(sink)) {
        protocol->on_open({});
    }
};

std::vector<std::int16_t> frame(const BotProtocol& protocol) {
    std::vector<std::int16_t> pcm(protocol.sample_rate_hz() / 50);
    for (std::size_t i = 0; i < pcm.size(); ++i) pcm[i] = static_cast<std::int16_t>(i * 997);
    return pcm;
}

void send_frames(benchmark::State& state, Bot& bot) {
    const auto pcm = frame(*bot.protocol);
    std::uint64_t position = 0;
    for (auto _ : state) {
        bot.protocol->on_frame(pcm, {.position = position});
        position += pcm.size();
    }
}

void twilio_frame(benchmark::State& state) {
    Bot bot(config::AiProtocol::Twilio);
    send_frames(state, bot);
}
void plain_frame(benchmark::State& state) {
    Bot bot(config::AiProtocol::Plain);
    send_frames(state, bot);
}

/// @param range  ms of sound in the message
void twilio_media(benchmark::State& state) {
    Bot bot(config::AiProtocol::Twilio);
    std::string text =
        R"({"event":"media","streamSid":"MZ0123456789abcdef0123456789abcdef","media":{"payload":")";
    append_base64(std::vector<std::byte>(static_cast<std::size_t>(state.range(0)) * 8), text);
    text += "\"}}";
    for (auto _ : state) bot.protocol->on_text(text);
}
void plain_binary(benchmark::State& state) {
    Bot bot(config::AiProtocol::Plain);
    const std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)) * 32);
    for (auto _ : state) bot.protocol->on_binary(bytes);
}

void twilio_mark(benchmark::State& state) {
    Bot bot(config::AiProtocol::Twilio);
    for (auto _ : state) {
        bot.protocol->on_text(R"({"event":"mark","streamSid":"MZ01","mark":{"name":"utt-7"}})");
        bot.protocol->on_mark("utt-7", BotProtocol::MarkEnd::Played, 0);
    }
}
void plain_mark(benchmark::State& state) {
    Bot bot(config::AiProtocol::Plain);
    for (auto _ : state) {
        bot.protocol->on_text(R"({"type":"mark","name":"utt-7"})");
        bot.protocol->on_mark("utt-7", BotProtocol::MarkEnd::Played, 0);
    }
}

BENCHMARK(twilio_frame);
BENCHMARK(plain_frame);
BENCHMARK(twilio_media)->Arg(20)->Arg(1000);
BENCHMARK(plain_binary)->Arg(20)->Arg(1000);
BENCHMARK(twilio_mark);
BENCHMARK(plain_mark);

}  // namespace
}  // namespace offhook::ai

BENCHMARK_MAIN();
