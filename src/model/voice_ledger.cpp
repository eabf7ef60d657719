#include "model/voice_ledger.h"

#include <algorithm>

namespace offhook::model {

void VoiceLedger::made(const Frame& frame) noexcept {
    FrameCell& cell = frames_[frame.offset / frame_samples_ % kFrames];
    // A sender on another thread that reads this cell meanwhile sees that it changed.
    cell.offset.store(kNothing, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    cell.begin.store(frame.begin, std::memory_order_relaxed);
    cell.next.store(frame.next, std::memory_order_relaxed);
    cell.samples.store(frame.samples, std::memory_order_relaxed);
    cell.level_cdb.store(frame.level_cdb, std::memory_order_relaxed);
    cell.offset.store(frame.offset, std::memory_order_release);
}

bool VoiceLedger::frame_at(std::uint64_t offset, Frame& frame) const noexcept {
    const FrameCell& cell = frames_[offset / frame_samples_ % kFrames];
    if (cell.offset.load(std::memory_order_acquire) != offset) return false;
    frame = {offset,
             cell.begin.load(std::memory_order_relaxed),
             cell.next.load(std::memory_order_relaxed),
             cell.samples.load(std::memory_order_relaxed),
             cell.level_cdb.load(std::memory_order_relaxed)};
    std::atomic_thread_fence(std::memory_order_acquire);
    return cell.offset.load(std::memory_order_relaxed) == offset;
}

std::int16_t VoiceLedger::level_at(std::uint64_t offset) const noexcept {
    Frame frame;
    return frame_at(offset - offset % frame_samples_, frame) ? frame.level_cdb : kNoLevel;
}

void VoiceLedger::settle(std::uint64_t offset,
                         std::size_t samples,
                         bool has_left,
                         std::int64_t now_ns) noexcept {
    const std::uint64_t end = offset + samples;
    while (offset < end) {
        const std::uint64_t within = offset % frame_samples_;
        const std::uint64_t base = offset - within;
        const std::uint64_t upto = std::min<std::uint64_t>(end - base, frame_samples_);
        offset = base + upto;
        Frame frame;
        if (!frame_at(base, frame)) continue;
        const std::uint64_t settled = settled_.load(std::memory_order_relaxed);
        const std::uint64_t first =
            std::max(settled, frame.begin + std::min<std::uint64_t>(within, frame.samples));
        const std::uint64_t last = frame.begin + std::min<std::uint64_t>(upto, frame.samples);
        if (has_left && first < last) leave(first, last, now_ns);
        if (!has_left || frame.samples == 0) was_silent_ = true;
        const std::uint64_t done = upto == frame_samples_ ? frame.next : last;
        if (done > settled) settled_.store(done, std::memory_order_release);
    }
}

void VoiceLedger::leave(std::uint64_t begin, std::uint64_t end, std::int64_t now_ns) noexcept {
    const std::uint64_t runs = runs_.load(std::memory_order_relaxed);
    const std::uint64_t left = left_samples_.load(std::memory_order_relaxed);
    if (was_silent_ || begin != run_end_) {
        RunCell& cell = cells_[runs % kRuns];
        // Whoever reads the old run here, and sees any of the new, sees all runs before it as well.
        std::atomic_thread_fence(std::memory_order_release);
        cell.begin.store(begin, std::memory_order_relaxed);
        cell.end.store(end, std::memory_order_relaxed);
        cell.left_before.store(left, std::memory_order_relaxed);
        cell.started_ns.store(was_silent_ ? now_ns : 0, std::memory_order_relaxed);
        runs_.store(runs + 1, std::memory_order_release);
    } else {
        cells_[(runs - 1) % kRuns].end.store(end, std::memory_order_relaxed);
    }
    was_silent_ = false;
    run_end_ = end;
    left_samples_.store(left + end - begin, std::memory_order_relaxed);
    left_ns_.store(now_ns, std::memory_order_relaxed);
}

bool VoiceLedger::run_at(std::uint64_t number, Run& run) const noexcept {
    const RunCell& cell = cells_[number % kRuns];
    run = {cell.begin.load(std::memory_order_relaxed),
           cell.end.load(std::memory_order_relaxed),
           cell.left_before.load(std::memory_order_relaxed),
           cell.started_ns.load(std::memory_order_relaxed)};
    std::atomic_thread_fence(std::memory_order_acquire);
    // The writer may be at the one after the last that it told.
    return runs_.load(std::memory_order_relaxed) < number + kRuns;
}

}  // namespace offhook::model
