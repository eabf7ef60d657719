#include "media/detail/web_life.h"

#include <utility>

namespace offhook::media::detail {

WebLife::Verdict WebLife::tick(std::int64_t heard_ns, std::int64_t now_ns) {
    const std::chrono::nanoseconds silent(now_ns - heard_ns);
    if (is_gone_) return Verdict::Well;
    if (silent >= vanish_after_ + vanish_end_) {
        is_gone_ = true;
        return Verdict::Gone;
    }
    if (silent < vanish_after_ && std::exchange(is_lost_, false)) return Verdict::Back;
    if (silent >= vanish_after_ && !std::exchange(is_lost_, true)) return Verdict::Lost;
    return silent >= kAskAfter ? Verdict::Ask : Verdict::Well;
}

}  // namespace offhook::media::detail
