#pragma once

#include <chrono>
#include <cstdint>

namespace offhook::media::detail {

/// Whether a peer that was connected still is. Anything heard counts; a peer on hold sends nothing
/// by itself, and so is asked (a STUN binding request, which every ICE agent answers) before it is
/// said to be gone.
///
///     heard ... silent for kAskAfter -> Ask, again each tick
///               silent for vanish_after -> Lost; heard again -> Back
///               silent for vanish_after + vanish_end -> Gone, once
///
/// @thread one; the caller's clock
class WebLife {
public:
    enum class Verdict : std::uint8_t { Well, Ask, Lost, Back, Gone };
    /// Between two calls of `tick`.
    static constexpr std::chrono::milliseconds kTick{500};
    static constexpr std::chrono::milliseconds kAskAfter{1'000};

    WebLife(std::chrono::milliseconds vanish_after, std::chrono::milliseconds vanish_end)
        : vanish_after_(vanish_after), vanish_end_(vanish_end) {}

    /// @param heard_ns  when something was heard last  @param now_ns  >= heard_ns
    [[nodiscard]] Verdict tick(std::int64_t heard_ns, std::int64_t now_ns);

private:
    std::chrono::nanoseconds vanish_after_, vanish_end_;
    bool is_lost_ = false;
    bool is_gone_ = false;
};

}  // namespace offhook::media::detail
