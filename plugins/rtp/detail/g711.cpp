#include "rtp/detail/g711.h"

#include <algorithm>

#include "rtp/detail/concealer.h"
#include "rtp/g711.h"

namespace offhook::rtp::detail {
namespace {

constexpr std::uint32_t kSampleRateHz = 8000;

template <class Law>
class G711Decoder final : public Decoder {
public:
    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept override { return kSampleRateHz; }

    std::size_t decode(std::span<const std::uint8_t> payload,
                       std::span<std::int16_t> pcm) noexcept override {
        // More than 120 ms is nobody's ptime.
        constexpr std::size_t kMaxSamples = 120 * kSampleRateHz / 1000;
        if (payload.empty() || payload.size() > std::min(kMaxSamples, pcm.size())) return 0;
        const std::span<std::int16_t> out = pcm.first(payload.size());
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = kG711Table<Law>[payload[i]];
        concealer_.good(out);
        return out.size();
    }

    void conceal(std::span<std::int16_t> pcm) noexcept override { concealer_.conceal(pcm); }

private:
    Concealer<kSampleRateHz / 1000> concealer_;
};

template <class Law>
class G711Encoder final : public Encoder {
public:
    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept override { return kSampleRateHz; }

    std::size_t encode(std::span<const std::int16_t> pcm,
                       std::span<std::uint8_t> payload) noexcept override {
        const std::size_t n = std::min(pcm.size(), payload.size());
        const std::int16_t* in = pcm.data();
        std::uint8_t* out = payload.data();
        for (std::size_t i = 0; i < n; ++i) out[i] = Law::encode(in[i]);
        return n;
    }
};

}  // namespace

std::unique_ptr<Decoder> make_ulaw_decoder() {
    return std::make_unique<G711Decoder<Ulaw>>();
}
std::unique_ptr<Decoder> make_alaw_decoder() {
    return std::make_unique<G711Decoder<Alaw>>();
}
std::unique_ptr<Encoder> make_ulaw_encoder() {
    return std::make_unique<G711Encoder<Ulaw>>();
}
std::unique_ptr<Encoder> make_alaw_encoder() {
    return std::make_unique<G711Encoder<Alaw>>();
}

}  // namespace offhook::rtp::detail
