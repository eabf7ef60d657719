#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "aitap/resample2.h"
#include "linekeeper/filler.h"
#include "model/audio_port.h"
#include "model/leg_counters.h"

namespace offhook::linekeeper {

/// The promise itself: one 20 ms frame every 20 ms for ever, from the AI's queue when it has
/// something and from the filler when it has not, joined without a click.
///
///     VoiceQueue --enough?--> voice --.
///                                     +-- 5 ms cross-fade at each edge --> frame k
///     Filler -------------------------'                 (offset = samples since start)
///
/// With a seat in a channel, the mix stands in the voice's place (and nothing is taken from the queue):
/// `speaking_` and the fades are the same. Where the mix has nothing, the filler is heard.
///
/// Which positions of the queue are in frame k goes into the port's ledger. A cleared, paused or
/// muted voice ends with the first 5 ms of the next frame, faded; after a pause it goes on behind
/// them.
///
/// Late worker: what is due is made in order, two frames a tick at most; a stall beyond 60 ms gives
/// time up: the offset jumps over it and the frames are counted as skipped. Dribbling AI: when its
/// sound ran dry inside an utterance, the next start waits until 20, then 40 ms are queued, so that
/// it is not chopped again; this falls back to nothing after 30 s without such an underrun.
/// @thread the media worker
class LineKeeper {
public:
    static constexpr int kMaxFramesPerTick = 2;
    static constexpr std::int64_t kGiveUpNs = 60'000'000;

    LineKeeper(std::uint32_t sample_rate_hz,
               std::unique_ptr<Filler> filler,
               std::shared_ptr<model::LegCounters> counters);

    /// Whose sound is played. Before the first frame.
    void set_voice(std::shared_ptr<model::AudioPort> port) noexcept { port_ = std::move(port); }

    /// The first frame is due at `due_ns`.
    void start(std::int64_t due_ns) noexcept;
    /// How many frames to make now; drops time lost to a stall first. @param skipped frames given
    /// up by this call
    [[nodiscard]] int frames_due(std::int64_t now_ns, std::uint64_t& skipped) noexcept;
    [[nodiscard]] bool is_behind(std::int64_t now_ns) const noexcept {
        return next_due_ns_ <= now_ns;
    }

    struct Frame {
        std::uint64_t offset_samples = 0;
        model::FrameSource source = model::FrameSource::Fill;
    };
    /// Makes the next frame. @param pcm exactly one frame: sample rate x 20 ms @param seat the leg's
    /// in a channel, or null
    Frame make_frame(std::span<std::int16_t> pcm, model::ChannelSeat* seat = nullptr) noexcept;

    [[nodiscard]] std::size_t frame_samples() const noexcept { return frame_samples_; }

private:
    /// What a frame has of the voice: its first samples.
    struct Voice {
        std::uint64_t begin = 0;  ///< position in the queue
        std::size_t samples = 0;
        bool was_cut = false;     ///< what stood before them was cleared or dropped
        bool is_stopped = false;  ///< there is more, or was, and it is not played
    };
    [[nodiscard]] Voice take_voice(std::span<std::int16_t> pcm) noexcept;
    void change_source() noexcept;
    [[nodiscard]] Voice take_mix(model::ChannelSeat& seat, std::span<std::int16_t> pcm) noexcept;
    void tell(const Voice& voice, std::span<const std::int16_t> pcm) noexcept;
    [[nodiscard]] bool may_start(std::uint64_t queued_samples) noexcept;
    void note_start() noexcept;
    void note_end() noexcept;
    void fade_from_last(std::span<std::int16_t> pcm) const noexcept;

    const std::uint32_t sample_rate_hz_;
    const std::size_t frame_samples_;
    const std::size_t fade_samples_;
    std::unique_ptr<Filler> filler_;
    std::shared_ptr<model::LegCounters> counters_;
    std::shared_ptr<model::AudioPort> port_;

    std::int64_t next_due_ns_ = 0;
    std::uint64_t offset_samples_ = 0;
    std::uint64_t frame_number_ = 0;

    bool speaking_ = false;
    std::int16_t last_sample_ = 0;
    std::uint64_t start_threshold_samples_ = 0;
    std::uint64_t waiting_since_frame_ = 0;
    bool is_waiting_ = false;
    bool ended_once_ = false;
    std::uint64_t ended_frame_ = 0;
    std::uint64_t underrun_frame_ = 0;

    std::optional<aitap::Resample2> from_lane_;  ///< while seated, at 8 kHz
    bool is_seated_ = false;
    bool has_heard_mix_ = false;
};

}  // namespace offhook::linekeeper
