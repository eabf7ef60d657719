#include "ai/prompt_loader.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ai/resampler.h"
#include "model/wav.h"

namespace offhook::ai {
namespace {

constexpr std::array<std::uint32_t, 4> kRatesHz{8000, 16000, 24000, 48000};

std::vector<std::int16_t> at_rate(const model::WavSound& wav, std::uint32_t rate_hz) {
    Resampler resampler(wav.sample_rate_hz, rate_hz);
    const auto delay = static_cast<std::size_t>(resampler.delay_ms() * rate_hz / 1000);
    const std::size_t samples = resampler.output_samples(wav.pcm.size());
    // Silence behind the sound pushes the end of it out of the filter.
    std::vector<std::int16_t> padded = wav.pcm;
    padded.resize(padded.size() + (delay + 1) * wav.sample_rate_hz / rate_hz);
    std::vector<std::int16_t> pcm(resampler.output_samples(padded.size()));
    resampler.process(padded, pcm);
    pcm.erase(pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(delay));
    pcm.resize(samples);
    return pcm;
}

}  // namespace

base::Result<std::shared_ptr<const PromptSound>> load_prompt(const std::string& name,
                                                             const std::string& path) {
    auto wav = model::read_wav(path);
    if (!wav) return tl::unexpected(wav.error());
    if (std::find(kRatesHz.begin(), kRatesHz.end(), wav->sample_rate_hz) == kRatesHz.end()) {
        return base::fail(
            base::ErrorCode::Unsupported,
            path + " has " + std::to_string(wav->sample_rate_hz) +
                " Hz; a prompt has 8000, 16000, 24000 or 48000: convert it with `sox " + path +
                " -r 16000 out.wav`");
    }
    if (wav->pcm.size() / wav->sample_rate_hz >= kMaxPromptS) {
        return base::fail(base::ErrorCode::Unsupported,
                          path + " lasts longer than the " + std::to_string(kMaxPromptS / 60) +
                              " minutes that a prompt may have");
    }
    return std::make_shared<const PromptSound>(
        PromptSound{.name = name, .pcm_8k = at_rate(*wav, 8000), .pcm_16k = at_rate(*wav, 16000)});
}

}  // namespace offhook::ai
