#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace offhook::session {

/// The way of a web leg's RTP, where a phone leg has sockets: what webrtcbin has decrypted comes in
/// by a bounded ring, what we send leaves by whatever is attached.
///
///     webrtcbin's threads --deliver--> ring, eventfd --> the leg's media worker
///     the leg's media worker ------------------------> Out::send
///
/// Producers share a mutex among themselves; the worker takes none and never waits for them.
class WebPort {
public:
    /// The largest packet that passes; larger ones are lost and counted.
    static constexpr std::size_t kMaxPacketBytes = 1500;
    /// Packets that wait for the worker at most: 0.6 s of sound.
    static constexpr std::size_t kCapacity = 31;

    /// Takes packets of the leg as long as it is attached. @thread the leg's media worker
    class Out {
    public:
        virtual ~Out() = default;
        /// One plain RTP packet. May not wait. @return false: it did not leave
        virtual bool send(std::span<const std::uint8_t> packet) noexcept = 0;
    };

    WebPort();
    ~WebPort();
    WebPort(const WebPort&) = delete;
    WebPort& operator=(const WebPort&) = delete;

    /// One plain RTP or RTCP packet (told apart by RFC 5761 §4), copied. A full ring loses its
    /// oldest and counts. @thread webrtcbin's, any number of them
    void deliver(std::span<const std::uint8_t> packet) noexcept;

    // worker

    /// Readable from when something was delivered until `take` said that there is no more; -1 when
    /// the kernel gave none.
    [[nodiscard]] int fd() const noexcept;
    /// Copies the oldest packet; 0: none. @param out >= kMaxPacketBytes
    [[nodiscard]] std::size_t take(std::span<std::uint8_t> out) noexcept;
    /// Where packets go from now on; null: nowhere, they are counted as held.
    void set_out(std::shared_ptr<Out> out) noexcept;
    [[nodiscard]] Out* out() const noexcept { return out_.get(); }

    [[nodiscard]] std::uint64_t dropped_packets() const noexcept;  ///< @thread any

private:
    struct Ring;
    std::unique_ptr<Ring> ring_;
    std::shared_ptr<Out> out_;
};

}  // namespace offhook::session
