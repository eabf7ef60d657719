#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "rtp/codec.h"
#include "sound.h"

namespace offhook::rtp {
namespace {

using model::Codec;
using Samples = std::vector<std::int16_t>;

/// A voice as far as it matters here: a pitch with falling harmonics.
Samples voice(double pitch_hz, std::uint32_t rate_hz, std::size_t samples) {
    Samples pcm(samples, 0);
    for (int harmonic = 1; harmonic <= 6; ++harmonic) {
        const Samples part = test::tone(pitch_hz * harmonic, 6000.0 / harmonic, rate_hz, samples);
        for (std::size_t i = 0; i < samples; ++i)
            pcm[i] = static_cast<std::int16_t>(pcm[i] + part[i]);
    }
    return pcm;
}

class Concealment : public testing::TestWithParam<Codec> {
protected:
    std::uint32_t rate_hz_ = model::facts_of(GetParam()).sample_rate_hz;
    std::size_t frame_ = model::frame_samples(rate_hz_);

    /// Sends `in` through encoder and decoder; frames in [lost_from, lost_to) do not arrive.
    Samples play(const Samples& in, std::size_t lost_from, std::size_t lost_to) {
        const auto encoder = make_encoder(GetParam());
        const auto decoder = make_decoder(GetParam());
        std::array<std::uint8_t, model::kMaxPayloadBytes> payload{};
        std::array<std::int16_t, model::kMaxPacketSamples> pcm{};
        Samples out;
        for (std::size_t n = 0; (n + 1) * frame_ <= in.size(); ++n) {
            const std::size_t bytes =
                encoder->encode(std::span(in).subspan(n * frame_, frame_), payload);
            if (n >= lost_from && n < lost_to) {
                decoder->conceal(std::span(pcm).first(frame_));
            } else {
                EXPECT_EQ(decoder->decode(std::span(payload).first(bytes), pcm), frame_);
            }
            out.insert(out.end(), pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(frame_));
        }
        return out;
    }
    std::span<const std::int16_t> frame(const Samples& pcm, std::size_t n) {
        return std::span(pcm).subspan(n * frame_, frame_);
    }
};

TEST_P(Concealment, OneLostFrameKeepsTheVoiceGoingWithoutAClick) {
    for (const double pitch_hz : {90.0, 125.0, 180.0}) {
        const Samples in = voice(pitch_hz, rate_hz_, rate_hz_);
        const Samples whole = play(in, 0, 0);
        for (std::size_t lost = 20; lost < 30; ++lost) {
            const Samples out = play(in, lost, lost + 1);
            const double level = test::rms(frame(out, lost)) / test::rms(frame(whole, lost));
            // libopus takes some voices down a lot; ours never.
            EXPECT_GT(level, GetParam() == Codec::Opus ? 0.25 : 0.5)
                << pitch_hz << " Hz, frame " << lost;
            EXPECT_LT(level, 1.3) << pitch_hz << " Hz, frame " << lost;
            // No step at either join that the voice itself does not have.
            const auto around = std::span(out).subspan((lost - 1) * frame_, 3 * frame_);
            // After a loss libopus' predictor may give the first pitch pulse too much; that is not
            // a join.
            const int allowed = test::max_step(whole) * (GetParam() == Codec::Opus ? 16 : 7) / 4;
            EXPECT_LE(test::max_step(around), allowed) << pitch_hz << " Hz, frame " << lost;
        }
    }
}

TEST_P(Concealment, FadesToSilenceWithin60Ms) {
    const Samples in = voice(125, rate_hz_, rate_hz_);
    const Samples out = play(in, 25, 40);
    const double before = test::rms(frame(out, 24));
    EXPECT_LT(test::rms(frame(out, 27)), before * 0.6);
    for (std::size_t n = 28; n < 40; ++n) EXPECT_LT(test::rms(frame(out, n)), 1) << n;
    EXPECT_GT(test::rms(frame(out, 41)), before * 0.7);
    EXPECT_LE(test::max_step(out), test::max_step(play(in, 0, 0)) * 3 / 2);
}

TEST_P(Concealment, RandomLossNeverClicks) {
    const Samples in = voice(140, rate_hz_, rate_hz_ * 4);
    const int natural = test::max_step(play(in, 0, 0));
    const auto encoder = make_encoder(GetParam());
    const auto decoder = make_decoder(GetParam());
    std::mt19937 random(5);
    std::array<std::uint8_t, model::kMaxPayloadBytes> payload{};
    std::array<std::int16_t, model::kMaxPacketSamples> pcm{};
    Samples out;
    for (std::size_t at = 0; at + frame_ <= in.size(); at += frame_) {
        const std::size_t bytes = encoder->encode(std::span(in).subspan(at, frame_), payload);
        if (at > 5 * frame_ && random() % 10 < 3) {
            // In parts of any size, as a gap of another ptime would ask.
            for (std::size_t done = 0; done < frame_;) {
                const std::size_t n = std::min<std::size_t>(frame_ - done, 1 + random() % frame_);
                decoder->conceal(std::span(pcm).subspan(done, n));
                done += n;
            }
        } else {
            decoder->decode(std::span(payload).first(bytes), pcm);
        }
        out.insert(out.end(), pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(frame_));
    }
    EXPECT_LE(test::max_step(std::span(out).subspan(frame_)), natural * 2);
}

TEST_P(Concealment, BeforeAnythingCameItIsSilence) {
    const auto decoder = make_decoder(GetParam());
    Samples pcm(frame_, 1234);
    decoder->conceal(pcm);
    EXPECT_LT(test::rms(pcm), 2);
}

INSTANTIATE_TEST_SUITE_P(All,
                         Concealment,
                         testing::Values(Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus),
                         [](const auto& each) {
                             return std::string(model::facts_of(each.param).name);
                         });

}  // namespace
}  // namespace offhook::rtp
