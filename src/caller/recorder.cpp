#include "caller/recorder.h"

#include <array>

namespace offhook::caller {

base::Result<Recorder> Recorder::create(const std::string& path, model::Codec codec) {
    auto writer = WavWriter::create(path, model::facts_of(codec).sample_rate_hz);
    if (!writer) return tl::unexpected(writer.error());
    auto decoder = rtp::make_decoder(codec);
    if (!decoder) return base::fail(base::ErrorCode::Internal, "the decoder could not be made");
    return Recorder(std::move(*writer), std::move(decoder));
}

void Recorder::heard(const StreamMeter::Judged& judged) {
    const std::size_t frame = model::frame_samples(decoder_->sample_rate_hz());
    if (judged.verdict == StreamMeter::Verdict::Event ||
        judged.verdict == StreamMeter::Verdict::Other) {
        writer_.silence(std::uint64_t{frame} * (judged.lost_before + 1));
        return;
    }
    if (judged.verdict != StreamMeter::Verdict::Audio) return;
    writer_.silence(std::uint64_t{frame} * judged.lost_before);
    std::array<std::int16_t, model::kMaxPacketSamples> pcm;
    writer_.write(std::span(pcm).first(decoder_->decode(judged.packet.payload, pcm)));
}

}  // namespace offhook::caller
