#include "session/web_port.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <utility>

namespace offhook::session {
namespace {

struct Slot {
    /// The worker copies from here, or is about to claim it.
    std::atomic<bool> is_read{false};
    std::size_t bytes = 0;
    std::array<std::uint8_t, WebPort::kMaxPacketBytes> data;
};

}  // namespace

/// Packets have numbers; number n lies in slot n modulo the slots. `oldest` is moved on by whoever
/// claims that packet, the worker to read it or a producer to lose it, so that it is one of the two.
/// There is a slot more than packets: the one that the worker is reading is written to only after
/// the ring went all the way round meanwhile, and then the new packet is the one that is lost.
struct WebPort::Ring {
    static constexpr std::size_t kSlots = kCapacity + 1;
    static_assert((kSlots & (kSlots - 1)) == 0, "numbers wrap");

    std::array<Slot, kSlots> slots;
    std::mutex producers;  ///< an ICE restart's old and new transport
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> oldest{0};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<bool> is_signalled{false};
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    Ring() = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() {
        if (fd >= 0) close(fd);
    }

    [[nodiscard]] Slot& slot_of(std::size_t number) noexcept { return slots[number % kSlots]; }

    void lose() noexcept { dropped.fetch_add(1, std::memory_order_relaxed); }

    void put(std::span<const std::uint8_t> packet) noexcept {
        const std::size_t number = next.load(std::memory_order_relaxed);
        std::size_t first = oldest.load(std::memory_order_acquire);
        while (number - first >= kCapacity) {
            // A failed exchange means that the worker took it, and reads `first` anew.
            if (!oldest.compare_exchange_weak(
                    first, first + 1, std::memory_order_acq_rel, std::memory_order_acquire))
                continue;
            lose();
            ++first;
        }
        Slot& slot = slot_of(number);
        if (slot.is_read.load(std::memory_order_acquire)) return lose();
        std::copy(packet.begin(), packet.end(), slot.data.begin());
        slot.bytes = packet.size();
        next.store(number + 1, std::memory_order_release);
    }

    /// The worker has to look, unless it has been told and has not looked yet.
    void signal() noexcept {
        if (is_signalled.exchange(true, std::memory_order_acq_rel)) return;
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto n = write(fd, &one, sizeof one);
    }

    /// @return whether the worker had been told to look, so that it has to look once more
    bool clear_signal() noexcept {
        if (!is_signalled.load(std::memory_order_relaxed)) return false;
        // First the descriptor: a producer that comes between the two does not write, and its
        // packet is found by the look that follows.
        std::uint64_t count = 0;
        [[maybe_unused]] const auto n = read(fd, &count, sizeof count);
        is_signalled.exchange(false, std::memory_order_acq_rel);
        return true;
    }

    std::size_t get(std::span<std::uint8_t> out) noexcept {
        std::size_t number = oldest.load(std::memory_order_acquire);
        while (number != next.load(std::memory_order_acquire)) {
            Slot& slot = slot_of(number);
            // Before the claim: a producer that sees the claim sees this as well.
            slot.is_read.store(true, std::memory_order_relaxed);
            const bool is_ours = oldest.compare_exchange_strong(
                number, number + 1, std::memory_order_acq_rel, std::memory_order_acquire);
            const std::size_t bytes = is_ours ? std::min(slot.bytes, out.size()) : 0;
            std::copy_n(slot.data.begin(), bytes, out.begin());
            slot.is_read.store(false, std::memory_order_release);
            if (is_ours) return bytes;
        }
        return 0;
    }
};

WebPort::WebPort() : ring_(std::make_unique<Ring>()) {}
WebPort::~WebPort() = default;

void WebPort::deliver(std::span<const std::uint8_t> packet) noexcept {
    if (packet.empty() || packet.size() > kMaxPacketBytes) return ring_->lose();
    {
        const std::lock_guard lock(ring_->producers);
        ring_->put(packet);
    }
    ring_->signal();
}

int WebPort::fd() const noexcept {
    return ring_->fd;
}

std::size_t WebPort::take(std::span<std::uint8_t> out) noexcept {
    const std::size_t bytes = ring_->get(out);
    if (bytes > 0 || !ring_->clear_signal()) return bytes;
    return ring_->get(out);
}

void WebPort::set_out(std::shared_ptr<Out> out) noexcept {
    out_ = std::move(out);
}

std::uint64_t WebPort::dropped_packets() const noexcept {
    return ring_->dropped.load(std::memory_order_relaxed);
}

}  // namespace offhook::session
