#include "caller/payload_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "rtp/codec.h"

namespace offhook::caller {

base::Result<PayloadTable> PayloadTable::create(model::Codec codec, const Sound& sound) {
    const std::uint32_t rate_hz = model::facts_of(codec).sample_rate_hz;
    const std::size_t frame = model::frame_samples(rate_hz);
    Sound native = resample(sound, rate_hz);
    if (native.pcm.empty())
        return base::fail(base::ErrorCode::InvalidArgument, "there is no sound to send");
    native.pcm.resize((native.pcm.size() + frame - 1) / frame * frame);
    const auto encoder = rtp::make_encoder(codec);
    if (!encoder) return base::fail(base::ErrorCode::Internal, "the encoder could not be made");

    PayloadTable table;
    std::array<std::uint8_t, model::kMaxPayloadBytes> payload;
    for (std::size_t at = 0; at < native.pcm.size(); at += frame) {
        const std::size_t bytes =
            encoder->encode(std::span(native.pcm).subspan(at, frame), payload);
        table.starts_.push_back(table.bytes_.size());
        table.bytes_.resize(table.bytes_.size() + rtp::kHeaderBytes);
        table.bytes_.insert(table.bytes_.end(),
                            payload.begin(),
                            payload.begin() + static_cast<std::ptrdiff_t>(bytes));
    }
    table.starts_.push_back(table.bytes_.size());
    return table;
}

std::span<std::uint8_t> PayloadTable::packet(std::uint64_t index) noexcept {
    const auto frame = static_cast<std::size_t>(index % size());
    return std::span(bytes_).subspan(starts_[frame], starts_[frame + 1] - starts_[frame]);
}

Sound beeps(std::uint32_t sample_rate_hz) {
    constexpr double kFrequencyHz = 440;
    constexpr double kPeak = 32767 * 0.1 * std::numbers::sqrt2;
    Sound sound{sample_rate_hz, std::vector<std::int16_t>(std::size_t{sample_rate_hz} * 2)};
    const double fade = sample_rate_hz / 100.0;
    for (std::uint32_t i = 0; i < sample_rate_hz; ++i) {
        const double edge = std::min({1.0, i / fade, (sample_rate_hz - i) / fade});
        const double angle = 2 * std::numbers::pi * kFrequencyHz * i / sample_rate_hz;
        sound.pcm[i] = static_cast<std::int16_t>(std::lround(kPeak * edge * std::sin(angle)));
    }
    return sound;
}

Sound silence(std::uint32_t sample_rate_hz) {
    return {sample_rate_hz, std::vector<std::int16_t>(sample_rate_hz)};
}

}  // namespace offhook::caller
