#include "ai/caller_speech.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "ai/echo_guard.h"
#include "ai/voice_detector.h"
#include "base/monotonic.h"

namespace offhook::ai {
namespace {

constexpr std::int64_t kFrameNs = 20 * base::kNsPerMs;
constexpr int kFrameMs = 20;
/// Times that differ by more are not the network's jitter.
constexpr std::int64_t kMostJitterNs = 200 * base::kNsPerMs;
/// What is loud so soon after a voiced sound is still the word: an s, a t.
constexpr int kTrailFrames = 8;

}  // namespace

struct CallerSpeech::State {
    State(std::shared_ptr<model::AudioPort> the_port, Settings settings, Events& to)
        : port(std::move(the_port)),
          events(to),
          detector(port->sample_rate_hz),
          guard(port->sent_levels),
          needed(std::clamp(settings.begins_after_ms / kFrameMs, 1, 16)),
          ends_after(std::max(settings.ends_after_ms / kFrameMs, 1)) {}

    void hear_frame() {
        const std::uint64_t begin = position;
        position += frame_fill;
        end_ns += kFrameNs;
        const VoiceDetector::Verdict verdict =
            detector.hear(std::span(frame).first(detector.frame()));
        const double bound =
            guard.hear(verdict.level_dbov, verdict.noise_dbov, end_ns, is_speaking);
        const bool is_ours = verdict.level_dbov <= bound;
        const bool is_voice = verdict.is_voice && !is_ours;
        recent = (recent << 1U | (is_voice ? 1U : 0U)) & ((1ULL << unsigned(2 * needed)) - 1);
        since_voice = is_voice ? 0 : since_voice + 1;
        if (!is_speaking) {
            if (std::popcount(recent) < needed) return;
            // Back to the first frame that counted.
            const auto frames = static_cast<std::uint64_t>(std::bit_width(recent)) - 1;
            is_speaking = true;
            keep_last();
            events.on_speech(true,
                             begin - std::min(begin, frames * detector.frame()),
                             end_ns - static_cast<std::int64_t>(frames + 1) * kFrameNs);
            return;
        }
        if (is_voice || (verdict.is_loud && !is_ours && since_voice <= kTrailFrames)) {
            keep_last();
        } else if (++silent >= ends_after) {
            end_speech();
        }
    }

    void keep_last() noexcept {
        silent = 0;
        last_position = position;
        last_ns = end_ns;
    }

    void end_speech() {
        is_speaking = false;
        recent = 0;
        events.on_speech(false, last_position, last_ns);
    }

    const std::shared_ptr<model::AudioPort> port;
    Events& events;
    VoiceDetector detector;
    EchoGuard guard;
    const int needed;      ///< frames of voice, within twice as many
    const int ends_after;  ///< frames

    std::array<std::int16_t, 320> frame{};
    std::size_t frame_fill = 0;
    std::uint64_t position = 0;  ///< samples judged
    std::int64_t end_ns = 0;     ///< when the last of them was tapped; 0: none yet
    std::uint64_t recent = 0;    ///< voice or not, a bit a frame, newest lowest
    int since_voice = 0;         ///< frames
    bool is_speaking = false;
    int silent = 0;  ///< frames since the last speech
    std::uint64_t last_position = 0;
    std::int64_t last_ns = 0;
};

CallerSpeech::CallerSpeech(std::shared_ptr<model::AudioPort> port,
                           Settings settings,
                           Events& events)
    : state_(std::make_unique<State>(std::move(port), settings, events)) {}

CallerSpeech::~CallerSpeech() = default;

void CallerSpeech::hear(std::span<const std::int16_t> pcm, std::int64_t heard_ns) {
    State& my = *state_;
    const std::int64_t rate_hz = my.port->sample_rate_hz;
    const auto length_ns = [&](std::size_t n) {
        return static_cast<std::int64_t>(n) * base::kNsPerS / rate_hz;
    };
    // The clock is the sound's own, drawn softly to when it was tapped: a packet that came late was
    // not spoken late.
    const std::int64_t tapped_ns = heard_ns - length_ns(pcm.size()) - length_ns(my.frame_fill);
    const std::int64_t off_ns = tapped_ns - my.end_ns;
    my.end_ns += std::abs(off_ns) > kMostJitterNs ? off_ns : off_ns / 16;
    while (!pcm.empty()) {
        const std::size_t n = std::min(pcm.size(), my.detector.frame() - my.frame_fill);
        std::copy_n(pcm.begin(), n, my.frame.begin() + static_cast<std::ptrdiff_t>(my.frame_fill));
        my.frame_fill += n;
        pcm = pcm.subspan(n);
        if (my.frame_fill < my.detector.frame()) return;
        my.hear_frame();
        my.frame_fill = 0;
    }
}

void CallerSpeech::tick(std::int64_t now_ns) {
    State& my = *state_;
    if (my.is_speaking && now_ns - my.last_ns > my.ends_after * kFrameNs + kMostJitterNs)
        my.end_speech();
}

bool CallerSpeech::is_speaking() const noexcept {
    return state_->is_speaking;
}

double CallerSpeech::echo_delay_ms() const noexcept {
    return state_->guard.delay_ms();
}

double CallerSpeech::echo_return_loss_db() const noexcept {
    return state_->guard.return_loss_db();
}

}  // namespace offhook::ai
