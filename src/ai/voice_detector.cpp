#include "ai/voice_detector.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace offhook::ai {
namespace {

constexpr double kBandRateHz = 4000;
constexpr double kCutHz = 1700;
constexpr double kFullScale = 32768.0 * 32768.0;

/// Quieter than this nobody speaks to be heard.
constexpr double kLeastVoiceDbov = -52;
constexpr double kLowestFloorDbov = -66;
constexpr double kVoiceOverNoiseDb = 8;
constexpr double kLoudOverNoiseDb = 6;

constexpr std::size_t kToneWindow = 160;    // 40 ms
constexpr std::size_t kPeriodWindow = 120;  // 30 ms
constexpr std::size_t kLeastLag = 10;       // 400 Hz
constexpr std::size_t kMostLag = 66;        // 60 Hz
/// How much of the sound comes back a period later.
constexpr float kPeriodic = 0.55F;
/// What is left of a sound when its next sample is told from the four before; of a vowel 1/10 to
/// 1/50.
constexpr float kToneRest = 0.0025F;

/// Four lanes: the compiler may not reorder a sum of floats by itself.
using Lanes = float __attribute__((vector_size(16)));

/// @param n a multiple of 4
float dot(const float* a, const float* b, std::size_t n) noexcept {
    Lanes sum{};
    for (std::size_t i = 0; i < n; i += 4) {
        Lanes x;
        Lanes y;
        std::memcpy(&x, a + i, sizeof x);
        std::memcpy(&y, b + i, sizeof y);
        sum += x * y;
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

double dbov(double power) noexcept {
    return power <= 0 ? -127 : std::max(-127.0, 10 * std::log10(power / kFullScale));
}

const std::array<float, kToneWindow>& hann() noexcept {
    static const std::array<float, kToneWindow> window = [] {
        std::array<float, kToneWindow> made{};
        for (std::size_t i = 0; i < made.size(); ++i) {
            const double at = (static_cast<double>(i) + 0.5) / static_cast<double>(made.size());
            made[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * at));
        }
        return made;
    }();
    return window;
}

}  // namespace

VoiceDetector::VoiceDetector(std::uint32_t sample_rate_hz) noexcept
    : frame_(sample_rate_hz / 50),
      step_(sample_rate_hz / 4000),
      taps_(step_ * 8),
      floor_(kLowestFloorDbov),
      band_floor_(kLowestFloorDbov) {
    double sum = 0;
    std::array<double, kMostTaps> made{};
    for (std::size_t i = 0; i < taps_; ++i) {
        const double t = static_cast<double>(i) - static_cast<double>(taps_ - 1) / 2;
        const double x = 2 * kCutHz / sample_rate_hz * t;
        const double sinc = std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
        const double window = 0.54 - 0.46 * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                                     static_cast<double>(taps_ - 1));
        made[i] = sinc * window;
        sum += made[i];
    }
    for (std::size_t i = 0; i < taps_; ++i) low_pass_[i] = static_cast<float>(made[i] / sum);
}

VoiceDetector::Verdict VoiceDetector::hear(std::span<const std::int16_t> pcm) noexcept {
    take_band(pcm);
    const float* const frame = input_.data() + taps_;
    Verdict verdict;
    verdict.level_dbov = dbov(double{dot(frame, frame, frame_)} / static_cast<double>(frame_));
    const double band = band_dbov();

    verdict.is_loud = verdict.level_dbov > floor_.level_dbov() + kLoudOverNoiseDb;
    verdict.is_voice = verdict.is_loud && band > kLeastVoiceDbov &&
                       band > band_floor_.level_dbov() + kVoiceOverNoiseDb && !is_tone() &&
                       is_periodic();
    verdict.noise_dbov = floor_.level_dbov();
    floor_.hear(verdict.level_dbov);
    band_floor_.hear(band);
    return verdict;
}

void VoiceDetector::take_band(std::span<const std::int16_t> pcm) noexcept {
    std::memmove(input_.data(), input_.data() + frame_, taps_ * sizeof(float));
    float* const frame = input_.data() + taps_;
    const std::size_t n = std::min(pcm.size(), frame_);
    for (std::size_t i = 0; i < n; ++i) frame[i] = static_cast<float>(pcm[i]);
    std::fill(frame + n, frame + frame_, 0.0F);

    std::memmove(band_.data(), band_.data() + kNew, (kBand - kNew) * sizeof(float));
    float* const out = band_.data() + kBand - kNew;
    for (std::size_t i = 0; i < kNew; ++i)
        out[i] = dot(input_.data() + (i + 1) * step_, low_pass_.data(), taps_);
    // One pole at 100 Hz: hum and DC are not a voice.
    constexpr float kPole = 0.855F;
    for (std::size_t i = 0; i < kNew; ++i) {
        high_pass_out_ = kPole * (high_pass_out_ + out[i] - high_pass_in_);
        high_pass_in_ = out[i];
        out[i] = high_pass_out_;
    }
}

double VoiceDetector::band_dbov() const noexcept {
    const float* const newest = band_.data() + kBand - kNew;
    return dbov(double{dot(newest, newest, kNew)} / double{kNew});
}

bool VoiceDetector::is_tone() const noexcept {
    // One or two sines are told by their past (linear prediction of the fourth order), a vowel with
    // its many is not.
    alignas(16) std::array<float, kToneWindow + 4> x{};
    const float* const from = band_.data() + kBand - kToneWindow;
    for (std::size_t i = 0; i < kToneWindow; ++i) x[i] = from[i] * hann()[i];
    std::array<double, 5> r{};
    for (std::size_t lag = 0; lag < r.size(); ++lag)
        r[lag] = double{dot(x.data(), x.data() + lag, kToneWindow)};
    double rest = r[0];
    std::array<double, 5> a{1, 0, 0, 0, 0};
    for (std::size_t order = 1; order < r.size(); ++order) {
        if (rest <= r[0] * 1e-7) return true;
        double k = r[order];
        for (std::size_t i = 1; i < order; ++i) k += a[i] * r[order - i];
        k /= -rest;
        std::array<double, 5> next = a;
        for (std::size_t i = 1; i < order; ++i) next[i] = a[i] + k * a[order - i];
        next[order] = k;
        a = next;
        rest *= 1 - k * k;
    }
    return rest < r[0] * double{kToneRest};
}

bool VoiceDetector::is_periodic() const noexcept {
    const float* const now = band_.data() + kBand - kPeriodWindow;
    const float energy = dot(now, now, kPeriodWindow);
    const float* past = now - (kLeastLag - 1);
    float past_energy = dot(past, past, kPeriodWindow);
    std::array<float, kMostLag - kLeastLag + 3> similar{};
    for (std::size_t i = 0; i < similar.size(); ++i) {
        similar[i] = dot(now, past, kPeriodWindow) / std::sqrt(energy * past_energy + 1);
        const float leaves = past[kPeriodWindow - 1];
        --past;
        past_energy += past[0] * past[0] - leaves * leaves;
    }
    // A peak, not the slope of a noise that is merely dull.
    for (std::size_t i = 1; i + 1 < similar.size(); ++i) {
        if (similar[i] >= kPeriodic && similar[i] >= similar[i - 1] && similar[i] >= similar[i + 1])
            return true;
    }
    return false;
}

}  // namespace offhook::ai
