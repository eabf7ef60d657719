#include "socket/link_commons.h"

#include <openssl/rand.h>

#include <algorithm>

#include "base/monotonic.h"

namespace offhook::socket {
namespace {

constexpr std::int64_t kHandshakes_ns = 3 * base::kNsPerMs;  ///< a turn, and one more

}  // namespace

MaskKey LinkCommons::new_mask() noexcept {
    if (masks_used_ == masks_.size()) {
        // A system call for a thousand messages.
        RAND_bytes(masks_[0].data(), static_cast<int>(sizeof masks_));
        masks_used_ = 0;
    }
    return masks_[masks_used_++];
}

void LinkCommons::mark(TurnEnd& who) {
    if (who.is_marked_) return;
    who.is_marked_ = true;
    marked_.push_back(&who);
    if (is_deferred_) return;
    is_deferred_ = true;
    loop_.defer([this] { end_turn(); });
}

void LinkCommons::unmark(TurnEnd& who) noexcept {
    if (!who.is_marked_) return;
    std::replace(marked_.begin(), marked_.end(), &who, static_cast<TurnEnd*>(nullptr));
    std::replace(ending_.begin(), ending_.end(), &who, static_cast<TurnEnd*>(nullptr));
    who.is_marked_ = false;
}

bool LinkCommons::may_handshake() {
    if (handshake_ns_ >= kHandshakes_ns) return false;
    if (handshake_ns_ == 0) loop_.defer([this] { handshake_ns_ = 0; });
    return true;
}

void LinkCommons::end_turn() {
    is_deferred_ = false;
    ending_.swap(marked_);
    // One that ends here may take others with it.
    for (std::size_t i = 0; i < ending_.size(); ++i) {
        TurnEnd* const who = ending_[i];
        if (who == nullptr) continue;
        ending_[i] = nullptr;
        who->is_marked_ = false;
        who->on_turn_end();
    }
    ending_.clear();
}

}  // namespace offhook::socket
