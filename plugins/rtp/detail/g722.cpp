#include "rtp/detail/g722.h"

#include <spandsp.h>

#include <algorithm>
#include <new>

#include "rtp/detail/concealer.h"

namespace offhook::rtp::detail {
namespace {

constexpr std::uint32_t kSampleRateHz = 16000;
constexpr int kBitRate = 64000;

template <auto Free>
struct FreeWith {
    template <class T>
    void operator()(T* state) const {
        Free(state);
    }
};

class G722Decoder final : public Decoder {
public:
    G722Decoder() : state_(g722_decode_init(nullptr, kBitRate, 0)) {
        if (!state_) throw std::bad_alloc();
    }
    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept override { return kSampleRateHz; }

    std::size_t decode(std::span<const std::uint8_t> payload,
                       std::span<std::int16_t> pcm) noexcept override {
        constexpr std::size_t kMaxSamples = 120 * kSampleRateHz / 1000;
        if (payload.empty() || payload.size() * 2 > std::min(kMaxSamples, pcm.size())) return 0;
        const int n =
            g722_decode(state_.get(), pcm.data(), payload.data(), static_cast<int>(payload.size()));
        const std::span<std::int16_t> out = pcm.first(static_cast<std::size_t>(n));
        concealer_.good(out);
        return out.size();
    }

    void conceal(std::span<std::int16_t> pcm) noexcept override { concealer_.conceal(pcm); }

private:
    std::unique_ptr<g722_decode_state_t, FreeWith<&g722_decode_free>> state_;
    Concealer<kSampleRateHz / 1000> concealer_;
};

class G722Encoder final : public Encoder {
public:
    G722Encoder() : state_(g722_encode_init(nullptr, kBitRate, 0)) {
        if (!state_) throw std::bad_alloc();
    }
    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept override { return kSampleRateHz; }

    std::size_t encode(std::span<const std::int16_t> pcm,
                       std::span<std::uint8_t> payload) noexcept override {
        const std::size_t n = std::min(pcm.size(), payload.size() * 2);
        return static_cast<std::size_t>(
            g722_encode(state_.get(), payload.data(), pcm.data(), static_cast<int>(n)));
    }

private:
    std::unique_ptr<g722_encode_state_t, FreeWith<&g722_encode_free>> state_;
};

}  // namespace

std::unique_ptr<Decoder> make_g722_decoder() {
    return std::make_unique<G722Decoder>();
}
std::unique_ptr<Encoder> make_g722_encoder() {
    return std::make_unique<G722Encoder>();
}

}  // namespace offhook::rtp::detail
