#include "rtp/detail/g711.h"

#include <algorithm>
#include <array>
#include <bit>

#include "rtp/detail/concealer.h"

namespace offhook::rtp::detail {
namespace {

constexpr std::uint32_t kSampleRateHz = 8000;
using Table = std::array<std::int16_t, 256>;

// The logarithm of both laws is the head of a float: exponent and four bits of mantissa, side by
// side at bit 19. Plain arithmetic without branches or tables, so the compiler can do several
// samples at once.
std::int32_t log_head(std::int32_t magnitude) noexcept {
    return static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(static_cast<float>(magnitude)) >>
                                     19);
}

struct Ulaw {
    static constexpr std::int32_t kBias = 132;
    static constexpr std::int32_t kClip = 32635;

    static std::uint8_t encode(std::int16_t sample) noexcept {
        const std::int32_t sign = sample >> 15;  // 0 or -1
        const std::int32_t magnitude = std::min((sample ^ sign) - sign, kClip) + kBias;
        const std::int32_t code = log_head(magnitude) - ((127 + 7) << 4);
        return static_cast<std::uint8_t>(~(code | (sign & 0x80)));
    }

    static constexpr Table make_table() {
        Table table{};
        for (unsigned code = 0; code < 256; ++code) {
            const unsigned bits = ~code & 0xFFU;
            const auto magnitude = static_cast<std::int32_t>(((bits & 0x0F) << 3) + kBias)
                                   << ((bits >> 4) & 7);
            table[code] = static_cast<std::int16_t>((bits & 0x80) != 0 ? kBias - magnitude
                                                                       : magnitude - kBias);
        }
        return table;
    }
};

struct Alaw {
    static std::uint8_t encode(std::int16_t sample) noexcept {
        const std::int32_t sign = sample >> 15;
        const std::int32_t magnitude =
            (sample ^ sign) >> 4;  // one's complement, 11 bits (G.711 table 1a)
        // The two lowest segments are linear; there the magnitude is the code, and above the log is
        // the larger.
        const std::int32_t code =
            std::max(log_head(magnitude) - ((127 + 3) << 4), std::min(magnitude, 16));
        return static_cast<std::uint8_t>((code | (~sign & 0x80)) ^ 0x55);
    }

    static constexpr Table make_table() {
        Table table{};
        for (unsigned code = 0; code < 256; ++code) {
            const unsigned bits = code ^ 0x55U;
            const unsigned segment = (bits >> 4) & 7;
            auto magnitude = static_cast<std::int32_t>(((bits & 0x0F) << 4) + 8);
            if (segment != 0) magnitude = (magnitude + 256) << (segment - 1);
            table[code] = static_cast<std::int16_t>((bits & 0x80) != 0 ? magnitude : -magnitude);
        }
        return table;
    }
};

template <class Law>
constexpr Table kTable = Law::make_table();

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
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = kTable<Law>[payload[i]];
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
