#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "mixer/ai_voice.h"
#include "mixer/channel_mixer.h"
#include "mixer/limiter.h"
#include "mixer/speech_meter.h"

namespace offhook::mixer {

/// What a member keeps from mix to mix. Made and freed on control, used by the worker.
struct Place {
    explicit Place(MixMember who);
    [[nodiscard]] bool is(const MixMember& other) const noexcept;

    const MixMember member;
    std::optional<AiVoice> voice;
    SpeechMeter speech;
    Limiter limiter;
    std::array<float, model::SoundLane::kFrameSamples> sound;  ///< what it says now
    bool has_sound = false;                                    ///< else `sound` is not valid
    float last_sample = 0;                                     ///< of `sound`
    std::ptrdiff_t number = -1;  ///< in the mix that is played; -1: in none
};

/// Members and matrix as they are between two changes. Control makes one with all the memory it
/// needs, the worker takes over from the one before and mixes.
///
///     hear: lanes and AIs -> sound, level        rows: sum of gain x sound -> limiter -> lane, tap
///
/// A row that hears all others as everybody does is the sum of all without its own sound: one sum
/// for all such rows.
class Mix {
public:
    Mix(std::vector<std::shared_ptr<Place>> places, const Matrix& matrix);

    /// Its gains glide from those of `before` over the next frame; who is no longer here dies away.
    /// @thread the worker
    void take_over(Mix& before) noexcept;
    /// One frame. @thread the worker
    void mix(std::int64_t now_ns) noexcept;
    [[nodiscard]] bool has_ai() const noexcept { return has_ai_; }

    [[nodiscard]] const std::vector<std::shared_ptr<Place>>& places() const noexcept {
        return places_;
    }

private:
    using Sound = std::array<float, model::SoundLane::kFrameSamples>;
    enum class Row : std::uint8_t { Nothing, AllButMe, Own };

    void find_rows(const Matrix& matrix);
    void hear(Place& place, std::int64_t now_ns) noexcept;
    void add_up() noexcept;
    /// @return false: nothing is heard there
    bool sum_row(std::size_t listener) noexcept;
    bool sum_gliding(std::size_t listener) noexcept;
    bool let_die_away(std::size_t listener) noexcept;
    void give(std::size_t listener, bool has_sound, std::int64_t now_ns) noexcept;

    const std::vector<std::shared_ptr<Place>> places_;
    const std::size_t count_;
    bool has_ai_ = false;
    std::vector<float> from_, to_;  ///< by listener and source
    std::vector<float> common_;     ///< by source: what a row of AllButMe hears it with
    std::vector<Row> rows_;
    bool needs_all_ = false;
    bool is_gliding_ = false;
    std::vector<float> dying_;  ///< by listener: last value of who left
    Sound all_{}, row_{};
    bool has_all_ = false;
};

}  // namespace offhook::mixer
