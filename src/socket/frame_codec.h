#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace offhook::socket {

/// RFC 6455 §5.2.
enum class Opcode : std::uint8_t {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
};

/// Which end we are: clients mask what they send, servers do not (RFC 6455 §5.1).
enum class Role : std::uint8_t { Client, Server };

/// Four bytes in the order in which they are on the wire.
using MaskKey = std::array<std::uint8_t, 4>;

/// Appends one whole frame. @param mask  null: a server's
void append_frame(std::vector<std::byte>& out,
                  Opcode opcode,
                  std::span<const std::byte> payload,
                  const MaskKey* mask);
/// Bytes of the frame's header.
[[nodiscard]] std::size_t header_bytes(std::size_t payload_bytes, Role role) noexcept;

/// Copies `from` to `to` (the same length, may be the same place) under the mask, which begins with
/// the byte that byte `offset` of the payload has.
void copy_masked(std::span<const std::byte> from,
                 std::byte* to,
                 const MaskKey& key,
                 std::size_t offset) noexcept;

[[nodiscard]] bool is_utf8(std::span<const std::byte> bytes) noexcept;
/// Whether a close frame may carry it (RFC 6455 §7.4).
[[nodiscard]] bool may_be_sent(std::uint16_t close_code) noexcept;

/// Bytes in, messages and control frames out. A message that stands whole in the bytes given is
/// handed out where it stands; only what is incomplete is kept.
class FrameReader {
public:
    struct Event {
        enum class Kind : std::uint8_t {
            None,  ///< all bytes are taken, more are needed
            Text,
            Binary,
            Ping,
            Pong,
            Close,   ///< `code` 1005 when none was said; `payload` is the reason, UTF-8
            Broken,  ///< `code` to close with, `why`; nothing more can be read
        };
        Kind kind = Kind::None;
        std::uint16_t code = 0;
        std::span<const std::byte> payload{};  ///< until the next call
        std::string_view why{};                ///< a sentence
    };

    /// @param assembled  what a message of several pieces is handed out in. It outlives the reader,
    /// so that a message does as well whose receiver lets the reader go.
    FrameReader(Role role, std::size_t max_message_bytes, std::vector<std::byte>& assembled)
        : role_(role), max_bytes_(max_message_bytes), assembled_(assembled) {}

    /// The next event in `bytes`, of which it takes what it has read. Unmasks in place.
    [[nodiscard]] Event next(std::span<std::byte>& bytes);
    /// That have begun until now, of any kind.
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }

private:
    [[nodiscard]] bool read_header(std::span<std::byte>& bytes, Event& broken);
    [[nodiscard]] bool begin_frame(std::uint64_t length, Event& broken);
    [[nodiscard]] Event end_control();
    [[nodiscard]] bool could_be_text() noexcept;
    [[nodiscard]] Event end_message(std::span<const std::byte> payload, std::size_t checked);

    const Role role_;
    const std::size_t max_bytes_;
    std::vector<std::byte>& assembled_;

    std::uint64_t frames_ = 0;

    // the frame under way
    std::array<std::uint8_t, 14> header_{};
    std::size_t header_size_ = 0;  ///< bytes of it that have come
    bool is_in_payload_ = false;
    bool is_final_ = false;
    Opcode opcode_ = Opcode::Continuation;
    MaskKey key_{};
    std::size_t length_ = 0, taken_ = 0;  ///< of its payload
    std::array<std::byte, 125> control_{};

    // the message under way
    Opcode message_ = Opcode::Continuation;  ///< Continuation: none
    std::vector<std::byte> pieces_;
    std::size_t checked_ = 0;  ///< bytes of them that are whole characters
};

}  // namespace offhook::socket
