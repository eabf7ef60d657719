#include "aitap/resample2.h"

#include <algorithm>

#include "model/codec.h"

namespace offhook::aitap {
namespace {

// Half-band low-pass, Kaiser window (beta 5), the odd taps at distance 1, 3, ... 15 from the centre
// in 1/65536; the even ones are 0 and the centre 1/2.
constexpr std::array<std::int32_t, 8> kOddTaps{20659, -6356, 3235, -1786, 962, -472, 193, -51};
constexpr std::size_t kUpHistory = 15;
constexpr std::size_t kDownHistory = 30;

std::int16_t clip(std::int64_t value) noexcept {
    return static_cast<std::int16_t>(std::clamp<std::int64_t>(value, -32768, 32767));
}

}  // namespace

std::size_t Resample2::process(std::span<const std::int16_t> in,
                               std::span<std::int16_t> out) noexcept {
    std::array<std::int16_t, model::kMaxPacketSamples + kDownHistory> work;
    const std::size_t keep = mode_ == Mode::Up ? kUpHistory : kDownHistory;
    in = in.first(std::min(in.size(), model::kMaxPacketSamples));
    std::copy_n(history_.begin(), keep, work.begin());
    std::copy(in.begin(), in.end(), work.begin() + static_cast<std::ptrdiff_t>(keep));
    std::size_t written = 0;
    if (mode_ == Mode::Up) {
        for (std::size_t i = 0; i < in.size() && written + 2 <= out.size(); ++i) {
            const std::int16_t* w = work.data() + i;
            std::int64_t middle = 0;
            for (std::size_t j = 0; j < kOddTaps.size(); ++j) {
                middle += static_cast<std::int64_t>(kOddTaps[j]) * (w[7 - j] + w[8 + j]);
            }
            out[written++] = w[7];
            out[written++] = clip((middle + 32768 / 2) / 32768);
        }
    } else {
        for (std::size_t i = 0; i + 2 <= in.size() && written < out.size(); i += 2) {
            const std::int16_t* w = work.data() + i;
            std::int64_t sum = static_cast<std::int64_t>(w[15]) * 32768;
            for (std::size_t j = 0; j < kOddTaps.size(); ++j) {
                sum += static_cast<std::int64_t>(kOddTaps[j]) * (w[14 - 2 * j] + w[16 + 2 * j]);
            }
            out[written++] = clip((sum + 32768) / 65536);
        }
    }
    std::copy_n(work.begin() + static_cast<std::ptrdiff_t>(in.size()), keep, history_.begin());
    return written;
}

}  // namespace offhook::aitap
