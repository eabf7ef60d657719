#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mixer/channel_mixer.h"
#include "tones.h"

namespace offhook::mixer {

/// The time of the tests without threads.
inline std::int64_t g_now_ns = 1'000'000'000;
inline std::int64_t fake_now() noexcept {
    return g_now_ns;
}

/// A leg: says a tone, hears the mix.
struct Leg {
    explicit Leg(double tone_hz, double amplitude = 3'000)
        : hz(tone_hz), tone(tone_hz, amplitude) {}

    void say() {
        if (is_saying) seat->from_leg.write(tone.next(model::SoundLane::kFrameSamples));
    }
    void listen() {
        std::array<std::int16_t, model::SoundLane::kFrameSamples> frame;
        const auto read = seat->to_leg.read(frame);
        missing += read == model::SoundLane::Read::Missing ? 1 : 0;
        heard.insert(heard.end(), frame.begin(), frame.end());
    }
    [[nodiscard]] MixMember member() const { return {seat, nullptr, meter}; }
    /// Amplitude of this tone in what it heard last.
    [[nodiscard]] double hears(double other_hz, std::size_t frames = 20) const {
        const std::size_t samples = frames * model::SoundLane::kFrameSamples;
        return amplitude_of(std::span(heard).last(samples), other_hz);
    }
    [[nodiscard]] double hears(const Leg& other, std::size_t frames = 20) const {
        return hears(other.hz, frames);
    }

    double hz;
    Tone tone;
    bool is_saying = true;
    std::shared_ptr<model::ChannelSeat> seat = std::make_shared<model::ChannelSeat>(fake_now);
    std::shared_ptr<MixMeter> meter = std::make_shared<MixMeter>();
    std::vector<std::int16_t> heard;
    int missing = 0;
};

/// Legs and mixers on a worker that is stepped by hand: legs say at 0 ms of each 20, listen at 10.
class Room {
public:
    explicit Room(const std::string& name)
        : worker(worker::MediaWorker::create_stepped(name, [] { return g_now_ns; }).value()) {}

    /// Tones of whole periods in 20 frames of 20 ms, none a multiple of another.
    Leg& add(double hz, double amplitude = 3'000) {
        legs.push_back(std::make_unique<Leg>(hz, amplitude));
        return *legs.back();
    }
    void run(int frames) {
        for (int i = 0; i < frames * 20; ++i) {
            g_now_ns += worker::kTickNs;
            const auto ms = g_now_ns / worker::kTickNs % 20;
            for (auto& leg : legs) {
                if (ms == 0) leg->say();
                if (ms == 10) leg->listen();
            }
            worker->step();
        }
    }

    std::shared_ptr<worker::MediaWorker> worker;
    std::vector<std::unique_ptr<Leg>> legs;
};

/// Everybody hears everybody.
inline Matrix everybody(std::size_t members) {
    Matrix matrix(members);
    for (std::size_t listener = 0; listener < members; ++listener) {
        for (std::size_t source = 0; source < members; ++source) {
            if (listener != source) matrix.set(listener, source, 1);
        }
    }
    return matrix;
}

}  // namespace offhook::mixer
