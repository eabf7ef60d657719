#include "caller/handset.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace offhook::caller {

Handset::Handset(model::Codec codec, Echo echo, std::shared_ptr<const Sound> speech)
    : speech_(std::move(speech)),
      decoder_(rtp::make_decoder(codec)),
      encoder_(rtp::make_encoder(codec)),
      frame_(model::frame_samples(encoder_->sample_rate_hz())),
      delay_samples_(static_cast<std::size_t>(echo.delay_ms) * encoder_->sample_rate_hz() / 1000),
      slack_samples_(kSlackMs * encoder_->sample_rate_hz() / 1000),
      gain_(std::pow(10, -echo.loss_db / 20)) {}

void Handset::heard(std::span<const std::uint8_t> payload) {
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    const std::size_t n = decoder_->decode(payload, pcm);
    // What is heard now leaves with the packet that is made once all before it has left.
    if (!std::exchange(has_heard_, true)) room_.assign(delay_samples_, 0);
    room_.insert(room_.end(), pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(n));
    const std::size_t most = delay_samples_ + slack_samples_;
    if (room_.size() > most)
        room_.erase(room_.begin(),
                    room_.begin() + static_cast<std::ptrdiff_t>(room_.size() - most));
}

std::span<std::uint8_t> Handset::packet() {
    std::vector<std::int16_t> pcm(frame_);
    const std::size_t echoed = std::min(frame_, room_.size());
    for (std::size_t i = 0; i < frame_; ++i) {
        const double echo = i < echoed ? gain_ * room_[i] : 0;
        const double sum = speech_->pcm[spoken_] + echo;
        pcm[i] = static_cast<std::int16_t>(std::lround(std::clamp(sum, -32768.0, 32767.0)));
        spoken_ = (spoken_ + 1) % speech_->pcm.size();
    }
    room_.erase(room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(echoed));
    if (echoed < frame_) has_heard_ = false;  // a pause at the far end: the delay begins anew
    const std::size_t bytes = encoder_->encode(
        pcm, std::span(packet_).subspan<rtp::kHeaderBytes, model::kMaxPayloadBytes>());
    return std::span(packet_).first(rtp::kHeaderBytes + bytes);
}

}  // namespace offhook::caller
