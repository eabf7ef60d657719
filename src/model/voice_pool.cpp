#include "model/voice_pool.h"

#include <utility>

namespace offhook::model {

VoicePool::~VoicePool() {
    while (spare_) delete std::exchange(spare_, spare_->next.load(std::memory_order_relaxed));
}

const std::shared_ptr<VoicePool>& VoicePool::shared() {
    static const auto pool = std::make_shared<VoicePool>(kSharedBytes);
    return pool;
}

VoiceChunk* VoicePool::take() {
    const std::lock_guard lock(mutex_);
    const std::size_t used = used_.load(std::memory_order_relaxed);
    if (used >= most_chunks_) return nullptr;
    VoiceChunk* chunk = spare_;
    if (chunk) {
        spare_ = chunk->next.exchange(nullptr, std::memory_order_relaxed);
        --spares_;
    } else {
        chunk = new VoiceChunk;
    }
    used_.store(used + 1, std::memory_order_relaxed);
    return chunk;
}

void VoicePool::give_back(VoiceChunk* chunk) noexcept {
    const std::lock_guard lock(mutex_);
    used_.store(used_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    if (spares_ >= kMostSpare) {
        delete chunk;
        return;
    }
    chunk->next.store(spare_, std::memory_order_relaxed);
    spare_ = chunk;
    ++spares_;
}

}  // namespace offhook::model
