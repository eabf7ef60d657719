#include "voice_line.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <sstream>

#include "base/monotonic.h"

namespace offhook::ai::testing {
namespace {

using base::kNsPerMs;
using base::kNsPerS;

constexpr std::int64_t kStartNs = 1'000 * kNsPerS + 3 * kNsPerMs;
/// The caller's packets are not in step with ours.
constexpr std::int64_t kPhaseNs = 7 * kNsPerMs;

std::int32_t level_cdb(const Samples& pcm) {
    return static_cast<std::int32_t>(std::lround(100 * level_dbov(pcm)));
}

}  // namespace

VoiceLine::VoiceLine(model::Codec codec)
    : encoder_(rtp::make_encoder(codec)),
      decoder_(rtp::make_decoder(codec)),
      frame_(model::frame_samples(encoder_->sample_rate_hz())) {
    port_ = std::make_shared<model::AudioPort>(encoder_->sample_rate_hz());
    speech_ = std::make_unique<CallerSpeech>(port_, CallerSpeech::Settings{}, *this);
    sent_.resize(rate_hz());
    // A handset or a small room: the direct sound, and a tail that loses 60 dB in 250 ms.
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    float energy = 0;
    for (std::size_t ms = 0; ms < 60; ms += 4) {
        const float gain = ms == 0 ? 3.0F : 0.8F * normal(random);
        room_.push_back({(ms + random() % 4) * rate_hz() / 1000,
                         gain * std::pow(10.0F, -3 * static_cast<float>(ms) / 250)});
        energy += room_.back().gain * room_.back().gain;
    }
    for (Reflection& one : room_) one.gain /= std::sqrt(energy);
}

void VoiceLine::play(const Samples& pcm, bool is_again_and_again) {
    bot_ = pcm;
    bot_at_ = 0;
    is_again_ = is_again_and_again;
}

void VoiceLine::say(const Samples& pcm) {
    caller_ = pcm;
    caller_at_ = 0;
}

void VoiceLine::run(double seconds) {
    const auto frames = static_cast<int>(std::lround(seconds * 50));
    for (int i = 0; i < frames; ++i) frame();
}

double VoiceLine::now_s() const {
    return static_cast<double>(frames_) * 0.02;
}

int VoiceLine::begins() const {
    return static_cast<int>(std::count_if(
        heard_.begin(), heard_.end(), [](const Heard& one) { return one.is_speaking; }));
}

std::string VoiceLine::story() const {
    std::ostringstream text;
    for (const Heard& one : heard_)
        text << (one.is_speaking ? " [" : " ") << one.at_s << (one.is_speaking ? " (told " : " (")
             << one.told_s << (one.is_speaking ? ")" : ")]");
    text << " delay " << speech_->echo_delay_ms() << " loss " << speech_->echo_return_loss_db();
    return text.str();
}

void VoiceLine::on_speech(bool is_speaking, std::uint64_t position, std::int64_t heard_ns) {
    heard_.push_back({is_speaking,
                      static_cast<double>(position) / rate_hz(),
                      static_cast<double>(heard_ns - kStartNs - kPhaseNs) / 1e9,
                      static_cast<double>(told_ns_ - kStartNs - kPhaseNs) / 1e9});
}

double VoiceLine::echo_at(std::size_t i) const {
    // Sample `i` of this frame holds what left `delay` before.
    const auto delay = static_cast<std::size_t>(echo_.delay_ms * rate_hz() / 1000);
    const float* const newest = sent_.data() + sent_.size() - frame_ + i - delay;
    float sum = 0;
    for (const Reflection& one : room_)
        sum += one.gain * *(newest - static_cast<std::ptrdiff_t>(one.later));
    return double{sum} * std::pow(10, -echo_.loss_db / 20);
}

void VoiceLine::frame() {
    // What leaves now.
    Samples out = white_noise(frame_, -65, static_cast<unsigned>(frames_));
    for (std::size_t i = 0; i < frame_ && bot_at_ < bot_.size() && !is_paused_; ++i) {
        out[i] = bot_[bot_at_++];
        if (bot_at_ == bot_.size() && is_again_) bot_at_ = 0;
    }
    const std::int64_t left_ns = kStartNs + static_cast<std::int64_t>(frames_) * 20 * kNsPerMs;
    port_->sent_levels.write(left_ns, level_cdb(out));
    std::copy(sent_.begin() + static_cast<std::ptrdiff_t>(frame_), sent_.end(), sent_.begin());
    std::copy(out.begin(), out.end(), sent_.end() - static_cast<std::ptrdiff_t>(frame_));

    // What comes: spoken in the 20 ms from now on. Sound of one instant at the caller's: the echo's
    // delay counts from the begin of our packet to the same sample in the caller's.
    Samples in(frame_);
    for (std::size_t i = 0; i < frame_; ++i) {
        double sum = echo_.is_on ? echo_at(i) : 0;
        if (caller_at_ < caller_.size()) sum += caller_[caller_at_++];
        if (!noise_.empty()) sum += noise_[noise_at_++ % noise_.size()];
        in[i] = static_cast<std::int16_t>(std::clamp(sum, -32767.0, 32767.0));
    }
    std::array<std::uint8_t, model::kMaxPayloadBytes> payload{};
    const std::size_t bytes = encoder_->encode(in, payload);
    Samples coded(model::kMaxPacketSamples);
    coded.resize(decoder_->decode(std::span(payload).first(bytes), coded));
    ++frames_;
    random_ = random_ * 1664525U + 1013904223U;
    const std::int64_t late_ns =
        jitter_ms_ == 0 ? 0 : static_cast<std::int64_t>(random_ >> 16U) % jitter_ms_ * kNsPerMs;
    told_ns_ = std::max(last_tap_ns_, left_ns + 20 * kNsPerMs + kPhaseNs + late_ns);
    last_tap_ns_ = told_ns_;
    speech_->hear(coded, told_ns_);
    speech_->tick(told_ns_);
}

}  // namespace offhook::ai::testing
