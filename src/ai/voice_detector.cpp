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
constexpr double kVoiceOverNoiseDb = 6;
constexpr double kLoudOverNoiseDb = 6;

constexpr std::size_t kToneWindow = 80;     // 20 ms
constexpr std::size_t kPeriodWindow = 120;  // 30 ms
constexpr std::size_t kLeastLag = 10;       // 400 Hz
constexpr std::size_t kMostLag = 66;        // 60 Hz
/// How much of the sound comes back a period later.
constexpr float kPeriodic = 0.55F;
/// What two sines do not explain: a thousandth of DTMF and dial tones through u-law, a twentieth to
/// all of a vowel, but for one in a hundred.
constexpr double kToneRest = 0.005;
/// How much of what is left may be the line's noise; where it is more, tones are not told.
constexpr double kMostNoiseRest = 0.03;
/// A voice has its strength in the band; of what lies above it the filter leaves 20 dB less.
constexpr double kBandBelowDb = 10;

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

    verdict.is_voice = band > kLeastVoiceDbov && band > verdict.level_dbov - kBandBelowDb &&
                       band > band_floor_.level_dbov() + kVoiceOverNoiseDb &&
                       tone_rest() > kToneRest && is_periodic();
    verdict.is_loud =
        verdict.is_voice || verdict.level_dbov > floor_.level_dbov() + kLoudOverNoiseDb;
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

double VoiceDetector::tone_rest() const noexcept {
    // Two sines, whatever their pitches, loudness and phase, obey
    //     x[n-2] + x[n+2] = a (x[n-1] + x[n+1]) + b x[n]
    // so what the best a and b leave over says how much more there is.
    constexpr std::size_t kEdge = 2;
    const float* const x = band_.data() + kBand - kToneWindow - kEdge;
    alignas(16) std::array<float, kToneWindow> near{};
    alignas(16) std::array<float, kToneWindow> far{};
    for (std::size_t i = 0; i < kToneWindow; ++i) {
        near[i] = x[i + 1] + *(x + i - 1);
        far[i] = x[i + 2] + *(x + i - 2);
    }
    const double nn = double{dot(near.data(), near.data(), kToneWindow)};
    const double nx = double{dot(near.data(), x, kToneWindow)};
    const double xx = double{dot(x, x, kToneWindow)};
    const double fn = double{dot(far.data(), near.data(), kToneWindow)};
    const double fx = double{dot(far.data(), x, kToneWindow)};
    const double ff = double{dot(far.data(), far.data(), kToneWindow)};
    // One sine alone: the two are the same, and one of them tells it all.
    double a = fn / (nn + 1);
    double b = 0;
    const double size = nn * xx - nx * nx;
    if (size > 1e-6 * nn * xx) {
        a = (fn * xx - fx * nx) / size;
        b = (fx * nn - fn * nx) / size;
    }
    const double noise = kFullScale * std::pow(10, band_floor_.level_dbov() / 10) *
                         (2 + 2 * a * a + b * b) * double{kToneWindow} / (xx + 1);
    const double rest = (ff - a * fn - b * fx) / (xx + 1);
    return noise < kMostNoiseRest ? rest - 2 * noise : rest;
}

bool VoiceDetector::is_periodic() const noexcept {
    const float* const now = band_.data() + kBand - kPeriodWindow;
    const float energy = dot(now, now, kPeriodWindow);
    const float* past = now - (kLeastLag - 1);
    float past_energy = dot(past, past, kPeriodWindow);
    std::array<float, kMostLag - kLeastLag + 3> similar{};
    for (std::size_t i = 0; i < similar.size(); ++i) {
        // The running sum is not exact; and what was 20 dB quieter is not the period before.
        const float before = std::max(past_energy, energy / 100);
        similar[i] = dot(now, past, kPeriodWindow) / (std::sqrt(energy * before) + 1);
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
