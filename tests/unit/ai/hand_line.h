#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/audio_port.h"
#include "model/codec.h"

namespace offhook::ai {

/// The line's end of an audio port, moved by hand and without fades: what the line keeper and the
/// sender do with positions. Frames leave when they are told to.
class HandLine {
public:
    explicit HandLine(std::shared_ptr<model::AudioPort> port)
        : port_(std::move(port)), frame_(model::frame_samples(port_->sample_rate_hz)) {}

    /// Makes a frame of 20 ms; it is under way then.
    void make() {
        model::VoiceQueue& voice = port_->voice;
        const bool is_muted = port_->is_voice_muted.load();
        bool was_cut = false;
        Under frame{offset_, std::vector<std::int16_t>(frame_)};
        std::size_t n = 0;
        std::uint64_t begin = voice.read_samples();
        if (is_muted || voice.is_paused()) {
            voice.skip(is_muted ? frame_ : 0);
        } else {
            n = voice.read(frame.pcm, was_cut);
            begin = voice.read_samples() - n;
        }
        frame.pcm.resize(n);
        port_->ledger.made({.offset = offset_,
                            .begin = begin,
                            .next = voice.read_samples(),
                            .samples = static_cast<std::uint16_t>(n)});
        offset_ += frame_;
        under_way_.push_back(std::move(frame));
    }
    /// The oldest frame under way leaves, or is held.
    void settle(bool has_left, std::int64_t now_ns) {
        if (under_way_.empty()) return;
        const Under& frame = under_way_.front();
        port_->ledger.settle(frame.offset, frame_, has_left, now_ns);
        if (has_left) heard.insert(heard.end(), frame.pcm.begin(), frame.pcm.end());
        under_way_.erase(under_way_.begin());
    }
    void frame(std::int64_t now_ns = 1) {
        make();
        settle(true, now_ns);
    }
    [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }

    std::vector<std::int16_t> heard;  ///< what left of the voice, without filler

private:
    struct Under {
        std::uint64_t offset;
        std::vector<std::int16_t> pcm;
    };
    std::shared_ptr<model::AudioPort> port_;
    std::size_t frame_;
    std::uint64_t offset_ = 0;
    std::vector<Under> under_way_;
};

}  // namespace offhook::ai
