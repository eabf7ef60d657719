#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ai/caller_speech.h"
#include "rtp/codec.h"
#include "spoken.h"

namespace offhook::ai::testing {

/// A caller's telephone and the line to it, with the clock in the test's hand: what we send comes
/// back by the room, later and quieter, the caller speaks, and both reach us coded as they would be.
class VoiceLine : public CallerSpeech::Events {
public:
    struct Heard {
        bool is_speaking = false;
        double at_s = 0;     ///< by the position
        double heard_s = 0;  ///< by the time given with it
        double told_s = 0;
    };
    struct Echo {
        double delay_ms = 200;
        double loss_db = 20;
        bool is_on = true;
    };

    explicit VoiceLine(model::Codec codec = model::Codec::Pcmu);

    /// What the bot says, from now on; silence when it is at its end.
    void play(const Samples& pcm, bool is_again_and_again = false);
    /// The bot's sound stands still where it is.
    void pause(bool is_paused) { is_paused_ = is_paused; }
    /// What the caller says, from now on.
    void say(const Samples& pcm);
    void set_echo(const Echo& echo) { echo_ = echo; }
    /// Behind all of it, again and again.
    void set_noise(Samples noise) { noise_ = std::move(noise); }
    /// Packets are tapped so much later than they should, at random.
    void set_jitter_ms(int jitter_ms) { jitter_ms_ = jitter_ms; }

    void run(double seconds);

    [[nodiscard]] double now_s() const;
    [[nodiscard]] const std::vector<Heard>& heard() const { return heard_; }
    void forget_heard() { heard_.clear(); }
    [[nodiscard]] CallerSpeech& speech() { return *speech_; }
    [[nodiscard]] int begins() const;
    /// What was heard, as text for a failure.
    [[nodiscard]] std::string story() const;
    /// CLOCK_MONOTONIC of the line, when it was heard last.
    [[nodiscard]] std::int64_t told_ns() const { return told_ns_; }
    [[nodiscard]] std::uint32_t rate_hz() const { return port_->sample_rate_hz; }

private:
    struct Reflection {
        std::size_t later = 0;  ///< samples
        float gain = 1;
    };

    void on_speech(bool is_speaking, std::uint64_t position, std::int64_t heard_ns) override;
    void frame();
    [[nodiscard]] double echo_at(std::size_t i) const;

    std::shared_ptr<model::AudioPort> port_;
    std::unique_ptr<CallerSpeech> speech_;
    std::unique_ptr<rtp::Encoder> encoder_;
    std::unique_ptr<rtp::Decoder> decoder_;
    const std::size_t frame_;
    Echo echo_{.is_on = false};
    Samples bot_, caller_, noise_;
    bool is_again_ = false;
    bool is_paused_ = false;
    std::size_t bot_at_ = 0, caller_at_ = 0, noise_at_ = 0;
    std::vector<float> sent_;  ///< of the last second
    std::vector<Reflection> room_;
    std::uint64_t frames_ = 0;
    int jitter_ms_ = 0;
    std::uint32_t random_ = 1;
    std::int64_t told_ns_ = 0;
    std::int64_t last_tap_ns_ = 0;
    std::vector<Heard> heard_;
};

}  // namespace offhook::ai::testing
