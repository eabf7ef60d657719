// The ring between webrtcbin's threads and a media worker: order, what a full one loses, wake-ups.
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "session/web_port.h"

namespace offhook::session {
namespace {

/// A packet whose every byte tells its producer and its number, so that a torn one shows.
std::vector<std::uint8_t> packet(std::uint8_t producer, std::uint32_t number) {
    std::vector<std::uint8_t> bytes(12 + number % 200, static_cast<std::uint8_t>(number * 31));
    bytes[0] = producer;
    std::memcpy(&bytes[1], &number, sizeof number);
    return bytes;
}

struct Taken {
    std::uint8_t producer;
    std::uint32_t number;
};

std::optional<Taken> take(WebPort& port) {
    std::array<std::uint8_t, WebPort::kMaxPacketBytes> bytes;
    const std::size_t n = port.take(bytes);
    if (n == 0) return std::nullopt;
    Taken taken{bytes[0], 0};
    std::memcpy(&taken.number, &bytes[1], sizeof taken.number);
    const auto whole = packet(taken.producer, taken.number);
    EXPECT_EQ(std::vector(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)), whole);
    return taken;
}

bool is_readable(const WebPort& port) {
    pollfd wait{.fd = port.fd(), .events = POLLIN, .revents = 0};
    return poll(&wait, 1, 0) == 1;
}

TEST(WebPortTest, GivesPacketsInOrder) {
    WebPort port;
    EXPECT_FALSE(take(port));
    for (std::uint32_t round = 0; round < 100; ++round) {
        for (std::uint32_t i = 0; i < 5; ++i) port.deliver(packet(1, round * 5 + i));
        for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(take(port)->number, round * 5 + i);
        EXPECT_FALSE(take(port));
    }
    EXPECT_EQ(port.dropped_packets(), 0u);
}

TEST(WebPortTest, AFullRingLosesItsOldest) {
    WebPort port;
    constexpr auto kSent = static_cast<std::uint32_t>(3 * WebPort::kCapacity + 7);
    for (std::uint32_t i = 0; i < kSent; ++i) port.deliver(packet(1, i));
    EXPECT_EQ(port.dropped_packets(), kSent - WebPort::kCapacity);
    for (std::uint32_t i = kSent - WebPort::kCapacity; i < kSent; ++i)
        EXPECT_EQ(take(port)->number, i);
    EXPECT_FALSE(take(port));
}

TEST(WebPortTest, TooLargeAndEmptyPacketsAreLost) {
    WebPort port;
    port.deliver(std::vector<std::uint8_t>(WebPort::kMaxPacketBytes + 1));
    port.deliver({});
    EXPECT_FALSE(take(port));
    EXPECT_EQ(port.dropped_packets(), 2u);
    port.deliver(std::vector<std::uint8_t>(WebPort::kMaxPacketBytes));
    std::array<std::uint8_t, WebPort::kMaxPacketBytes> bytes;
    EXPECT_EQ(port.take(bytes), WebPort::kMaxPacketBytes);
}

TEST(WebPortTest, IsReadableUntilItIsEmpty) {
    WebPort port;
    ASSERT_GE(port.fd(), 0);
    EXPECT_FALSE(is_readable(port));
    port.deliver(packet(1, 1));
    port.deliver(packet(1, 2));
    EXPECT_TRUE(is_readable(port));
    EXPECT_TRUE(take(port));
    EXPECT_TRUE(is_readable(port)) << "another one waits";
    EXPECT_TRUE(take(port));
    EXPECT_FALSE(take(port));
    EXPECT_FALSE(is_readable(port));
    port.deliver(packet(1, 3));
    EXPECT_TRUE(is_readable(port));
}

// Two transports for a moment, as in an ICE restart, and a worker that sleeps between packets: all
// of them whole, each one's in order, none but the counted ones lost, and no wake-up missed.
TEST(WebPortTest, ProducersAndTheWorkerDoNotDisturbEachOther) {
    constexpr std::uint32_t kEach = 20'000;
    constexpr std::uint32_t kLast = kEach - 1;
    WebPort port;
    std::vector<std::jthread> producers;
    for (std::uint8_t producer = 0; producer < 2; ++producer) {
        producers.emplace_back([&port, producer] {
            for (std::uint32_t i = 0; i < kEach; ++i) {
                port.deliver(packet(producer, i));
                if (i % 64 == 0) std::this_thread::yield();
            }
        });
    }
    std::array<std::int64_t, 2> last{-1, -1};
    std::uint64_t taken = 0;
    // The newest is never lost to an older one, so at least one producer's last one arrives.
    while (last[0] != kLast || last[1] != kLast) {
        pollfd wait{.fd = port.fd(), .events = POLLIN, .revents = 0};
        const bool is_woken = poll(&wait, 1, 2'000) == 1;
        for (int i = 0; i < 8; ++i) {
            const auto got = take(port);
            if (!got) break;
            ASSERT_TRUE(is_woken) << "a packet lay there and nobody was told";
            ASSERT_GT(std::int64_t{got->number}, last[got->producer]);
            last[got->producer] = got->number;
            ++taken;
        }
        if (taken + port.dropped_packets() == 2 * kEach) break;
        ASSERT_TRUE(is_woken) << taken << " taken, " << port.dropped_packets() << " lost";
    }
    producers.clear();
    while (take(port)) ++taken;
    EXPECT_EQ(taken + port.dropped_packets(), 2 * kEach);
    EXPECT_GT(taken, 0u);
}

struct Sent final : WebPort::Out {
    bool send(std::span<const std::uint8_t>) noexcept override { return true; }
};

TEST(WebPortTest, OutIsWhateverWasSetLast) {
    WebPort port;
    EXPECT_EQ(port.out(), nullptr);
    const auto first = std::make_shared<Sent>();
    const auto second = std::make_shared<Sent>();
    port.set_out(first);
    port.set_out(second);
    EXPECT_EQ(port.out(), second.get());
    EXPECT_EQ(first.use_count(), 1);
    port.set_out(nullptr);
    EXPECT_EQ(port.out(), nullptr);
}

}  // namespace
}  // namespace offhook::session
