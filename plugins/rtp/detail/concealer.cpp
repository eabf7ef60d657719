#include "rtp/detail/concealer.h"

#include <cmath>

namespace offhook::rtp::detail {
namespace {

std::int16_t clamp16(std::int32_t value) noexcept {
    return static_cast<std::int16_t>(std::clamp(value, -32768, 32767));
}

}  // namespace

template <std::size_t M>
void Concealer<M>::remember(std::span<const std::int16_t> pcm) noexcept {
    if (pcm.size() >= kPast) {
        std::copy(pcm.end() - kPast, pcm.end(), past_.begin());
        return;
    }
    std::copy(past_.begin() + static_cast<std::ptrdiff_t>(pcm.size()), past_.end(), past_.begin());
    std::copy(pcm.begin(), pcm.end(), past_.end() - static_cast<std::ptrdiff_t>(pcm.size()));
}

template <std::size_t M>
void Concealer<M>::conceal(std::span<std::int16_t> out) noexcept {
    if (concealed_ == 0) {
        lag_ = static_cast<std::uint32_t>(find_lag());
        step_ = past_[kPast - 1] - past_[kPast - 1 - lag_];
    }
    while (!out.empty()) {
        const std::size_t n = std::min(out.size(), std::size_t{kMinLag});
        const std::span<std::int16_t> part = out.first(n);
        if (concealed_ >= kSilent) {
            std::fill(part.begin(), part.end(), std::int16_t{0});
        } else {
            // Not faded yet, so that the period can be repeated from the past again and again.
            // Because the step is remembered with it, the seam of every later period is smooth as
            // well.
            for (std::size_t i = 0; i < n; ++i) {
                std::int32_t value = past_[kPast - lag_ + i];
                const std::size_t k = concealed_ + i;
                if (k < kStepSpread) {
                    value += step_ * static_cast<std::int32_t>(kStepSpread - k) /
                             static_cast<std::int32_t>(kStepSpread);
                }
                part[i] = clamp16(value);
            }
            remember(part);
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t k = std::min(concealed_ + i, std::size_t{kSilent});
                if (k > kFull) {
                    part[i] =
                        static_cast<std::int16_t>(part[i] * static_cast<std::int32_t>(kSilent - k) /
                                                  static_cast<std::int32_t>(kSilent - kFull));
                }
            }
        }
        concealed_ = static_cast<std::uint32_t>(std::min(concealed_ + n, std::size_t{kSilent}));
        out = out.subspan(n);
    }
}

template <std::size_t M>
void Concealer<M>::join(std::span<std::int16_t> pcm) noexcept {
    std::array<std::int16_t, kJoin> tail;
    const std::size_t n = std::min(pcm.size(), std::size_t{kJoin});
    const std::span<std::int16_t> going_on = std::span(tail).first(n);
    conceal(going_on);
    for (std::size_t i = 0; i < n; ++i) {
        const auto in = static_cast<std::int32_t>(i + 1);
        const auto all = static_cast<std::int32_t>(n + 1);
        pcm[i] = static_cast<std::int16_t>((pcm[i] * in + going_on[i] * (all - in)) / all);
    }
    concealed_ = 0;
}

template <std::size_t M>
double Concealer<M>::score(std::size_t lag, std::size_t stride) const noexcept {
    const std::int16_t* now = past_.data() + kPast - kWindow;
    const std::int16_t* then = now - lag;
    float product = 0;
    float power = 1;
    for (std::size_t i = 0; i < kWindow; i += stride) {
        const auto a = static_cast<float>(now[i]);
        const auto b = static_cast<float>(then[i]);
        product += a * b;
        power += b * b;
    }
    return product <= 0 ? 0 : static_cast<double>(product) / std::sqrt(static_cast<double>(power));
}

// Coarse over every second lag on thinned-out samples, then fine around the best.
template <std::size_t M>
std::size_t Concealer<M>::find_lag() const noexcept {
    constexpr std::size_t kStride = M / 4;
    std::size_t best = kMaxLag;
    double best_score = 0;
    for (std::size_t lag = kMinLag; lag <= kMaxLag; lag += 2) {
        const double s = score(lag, kStride);
        if (s > best_score) {
            best_score = s;
            best = lag;
        }
    }
    const std::size_t from = std::max(best - 2, std::size_t{kMinLag});
    const std::size_t to = std::min(best + 2, std::size_t{kMaxLag});
    best_score = 0;
    for (std::size_t lag = from; lag <= to; ++lag) {
        const double s = score(lag, 1);
        if (s > best_score) {
            best_score = s;
            best = lag;
        }
    }
    return best;
}

template class Concealer<8>;
template class Concealer<16>;

}  // namespace offhook::rtp::detail
