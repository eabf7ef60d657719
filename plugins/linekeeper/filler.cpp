#include "linekeeper/filler.h"

#include <cmath>
#include <map>
#include <mutex>
#include <numbers>
#include <random>
#include <utility>
#include <vector>

#include "model/wav.h"
#include "rtp/noise.h"

namespace offhook::linekeeper {
namespace {

constexpr double kToneHz = 440;
constexpr double kToneDbov = -30;
constexpr std::string_view kFilePrefix = "file:";

using Sound = std::vector<std::int16_t>;

class Silence final : public Filler {
public:
    void fill(std::span<std::int16_t> pcm) noexcept override {
        for (auto& sample : pcm) sample = 0;
    }
};

class Noise final : public Filler {
public:
    Noise() : noise_(std::random_device{}()) {}
    void fill(std::span<std::int16_t> pcm) noexcept override { noise_.fill(pcm); }

private:
    rtp::ComfortNoise noise_;
};

/// A recording, or one period of a tone, over and over.
class Loop final : public Filler {
public:
    explicit Loop(std::shared_ptr<const Sound> sound) : sound_(std::move(sound)) {}
    void fill(std::span<std::int16_t> pcm) noexcept override {
        for (auto& sample : pcm) {
            sample = (*sound_)[at_];
            if (++at_ == sound_->size()) at_ = 0;
        }
    }

private:
    std::shared_ptr<const Sound> sound_;
    std::size_t at_ = 0;
};

// One second holds a whole number of periods of 440 Hz, so the loop has no seam.
std::shared_ptr<const Sound> make_tone(std::uint32_t sample_rate_hz) {
    auto tone = std::make_shared<Sound>(sample_rate_hz);
    const double amplitude = 32767.0 * std::pow(10.0, kToneDbov / 20) * std::numbers::sqrt2;
    for (std::size_t i = 0; i < tone->size(); ++i) {
        const double phase =
            2 * std::numbers::pi * kToneHz * static_cast<double>(i) / sample_rate_hz;
        (*tone)[i] = static_cast<std::int16_t>(std::lround(amplitude * std::sin(phase)));
    }
    return tone;
}

/// Files that calls share for as long as any of them plays it.
base::Result<std::shared_ptr<const Sound>> shared_file(const std::string& path,
                                                       std::uint32_t sample_rate_hz) {
    static std::mutex mutex;
    static std::map<std::pair<std::string, std::uint32_t>, std::weak_ptr<const Sound>> files;
    const std::lock_guard lock(mutex);
    auto& entry = files[{path, sample_rate_hz}];
    if (auto sound = entry.lock()) return sound;
    auto read = model::read_wav(path, sample_rate_hz);
    if (!read) return tl::unexpected(read.error());
    auto sound = std::make_shared<const Sound>(std::move(*read));
    entry = sound;
    return sound;
}

}  // namespace

base::Result<std::unique_ptr<Filler>> make_filler(const std::string& spec,
                                                  std::uint32_t sample_rate_hz) {
    if (spec == "silence") return std::make_unique<Silence>();
    if (spec == "comfort-noise") return std::make_unique<Noise>();
    if (spec == "tone") return std::make_unique<Loop>(make_tone(sample_rate_hz));
    if (spec.starts_with(kFilePrefix)) {
        auto sound = shared_file(spec.substr(kFilePrefix.size()), sample_rate_hz);
        if (!sound) return tl::unexpected(sound.error());
        return std::make_unique<Loop>(std::move(*sound));
    }
    return base::fail(base::ErrorCode::InvalidArgument,
                      "fill \"" + spec + "\" is none of silence, comfort-noise, tone, file:PATH");
}

}  // namespace offhook::linekeeper
