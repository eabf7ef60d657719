#include "socket/frame_codec.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/utf8.h"

namespace offhook::socket {
namespace {

using Event = FrameReader::Event;
using Kind = FrameReader::Event::Kind;

/// Buffers that one large message has made larger than this do not stay so.
constexpr std::size_t kKeptBytes = 64 * 1024;

Event broken(std::uint16_t code, std::string_view why) noexcept {
    return {.kind = Kind::Broken, .code = code, .payload = {}, .why = why};
}

bool is_control(Opcode opcode) noexcept {
    return static_cast<std::uint8_t>(opcode) >= 0x8;
}

/// How many bytes at the front are whole characters.
std::size_t whole_utf8(std::string_view text) noexcept {
    std::size_t i = 0;
    while (i < text.size()) {
        // Eight characters of ASCII at once: what JSON and base64 are.
        while (i + 8 <= text.size()) {
            std::uint64_t word = 0;
            std::memcpy(&word, text.data() + i, sizeof word);
            if ((word & 0x8080808080808080ULL) != 0) break;
            i += 8;
        }
        if (i == text.size()) break;
        const std::size_t length = base::decode_utf8(text.substr(i)).length;
        if (length == 0) break;
        i += length;
    }
    return i;
}

/// Whether more bytes could make a character of these, which are none yet (RFC 3629 §4).
bool may_become_utf8(std::string_view tail) noexcept {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(tail[i]); };
    const unsigned char first = octet(0);
    const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                               : first >= 0xE0 && first <= 0xEF ? 3
                               : first >= 0xF0 && first <= 0xF4 ? 4
                                                                : 0;
    if (tail.size() >= length) return false;
    if (tail.size() == 1) return true;
    const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return octet(1) >= low && octet(1) <= high &&
           (tail.size() == 2 || (octet(2) >= 0x80 && octet(2) <= 0xBF));
}

void give_back(std::vector<std::byte>& buffer) {
    buffer.clear();
    if (buffer.capacity() > kKeptBytes) buffer = {};
}

}  // namespace

std::size_t header_bytes(std::size_t payload_bytes, Role role) noexcept {
    const std::size_t length = payload_bytes < 126 ? 2 : payload_bytes <= 0xFFFF ? 4 : 10;
    return length + (role == Role::Client ? 4 : 0);
}

void append_frame(std::vector<std::byte>& out,
                  Opcode opcode,
                  std::span<const std::byte> payload,
                  const MaskKey* mask) {
    const std::size_t begin = out.size();
    const std::size_t header =
        header_bytes(payload.size(), mask != nullptr ? Role::Client : Role::Server);
    out.resize(begin + header + payload.size());
    std::byte* at = out.data() + begin;
    *at++ = static_cast<std::byte>(0x80U | static_cast<unsigned>(opcode));
    const unsigned masked = mask != nullptr ? 0x80U : 0U;
    const auto put_length = [&](unsigned marker, unsigned bytes) {
        *at++ = static_cast<std::byte>(masked | marker);
        for (unsigned i = bytes; i > 0; --i) {
            *at++ = static_cast<std::byte>((payload.size() >> (8U * (i - 1U))) & 0xFFU);
        }
    };
    if (payload.size() < 126) {
        put_length(static_cast<unsigned>(payload.size()), 0);
    } else if (payload.size() <= 0xFFFF) {
        put_length(126, 2);
    } else {
        put_length(127, 8);
    }
    if (mask != nullptr) {
        std::memcpy(at, mask->data(), mask->size());
        copy_masked(payload, at + mask->size(), *mask, 0);
    } else if (!payload.empty()) {
        std::memcpy(at, payload.data(), payload.size());
    }
}

void copy_masked(std::span<const std::byte> from,
                 std::byte* to,
                 const MaskKey& key,
                 std::size_t offset) noexcept {
    std::array<std::uint8_t, 8> turned{};
    for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % 4];
    std::uint64_t word_key = 0;
    std::memcpy(&word_key, turned.data(), sizeof word_key);
    std::size_t i = 0;
    for (; i + 8 <= from.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, from.data() + i, sizeof word);
        word ^= word_key;
        std::memcpy(to + i, &word, sizeof word);
    }
    for (; i < from.size(); ++i) to[i] = from[i] ^ static_cast<std::byte>(turned[i % 4]);
}

bool is_utf8(std::span<const std::byte> bytes) noexcept {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return whole_utf8(text) == text.size();
}

bool may_be_sent(std::uint16_t close_code) noexcept {
    return (close_code >= 1000 && close_code <= 1003) ||
           (close_code >= 1007 && close_code <= 1014) || (close_code >= 3000 && close_code <= 4999);
}

FrameReader::Event FrameReader::next(std::span<std::byte>& bytes) {
    for (;;) {
        if (!is_in_payload_) {
            Event failed;
            if (!read_header(bytes, failed)) return failed;
        }
        const std::size_t size = std::min(length_ - taken_, bytes.size());
        const std::span<std::byte> piece = bytes.first(size);
        bytes = bytes.subspan(size);
        if (role_ == Role::Server) copy_masked(piece, piece.data(), key_, taken_);
        const bool is_data = !is_control(opcode_);
        const std::size_t before = taken_;
        taken_ += size;
        const bool is_whole = taken_ == length_;
        if (is_whole) {
            is_in_payload_ = false;
            header_size_ = 0;
        }
        if (!is_data) {
            std::copy(piece.begin(), piece.end(), control_.begin() + static_cast<long>(before));
            if (!is_whole) return {};
            return end_control();
        }
        if (is_whole && is_final_ && pieces_.empty()) return end_message(piece, 0);
        pieces_.insert(pieces_.end(), piece.begin(), piece.end());
        if (message_ == Opcode::Text && !could_be_text())
            return broken(1007, "a text message is not UTF-8");
        if (!is_whole) return {};
        if (!is_final_) continue;
        give_back(assembled_);
        assembled_.swap(pieces_);
        return end_message(assembled_, std::exchange(checked_, 0));
    }
}

bool FrameReader::read_header(std::span<std::byte>& bytes, Event& failed) {
    std::size_t needed = 2;
    for (;;) {
        if (header_size_ >= 2) {
            const unsigned marker = header_[1] & 0x7FU;
            needed = 2 +
                     (marker == 126   ? 2U
                      : marker == 127 ? 8U
                                      : 0U) +
                     ((header_[1] & 0x80U) != 0 ? 4U : 0U);
        }
        if (header_size_ >= needed) break;
        const std::size_t size = std::min(needed - header_size_, bytes.size());
        if (size == 0) return false;
        std::memcpy(header_.data() + header_size_, bytes.data(), size);
        header_size_ += size;
        bytes = bytes.subspan(size);
    }
    const unsigned marker = header_[1] & 0x7FU;
    const std::size_t extended = marker == 126 ? 2 : marker == 127 ? 8 : 0;
    std::uint64_t length = marker;
    if (extended > 0) {
        length = 0;
        for (std::size_t i = 0; i < extended; ++i) length = (length << 8U) | header_[2 + i];
    }
    if ((extended == 2 && length < 126) || (extended == 8 && length <= 0xFFFF)) {
        failed = broken(1002, "a frame's length is not written in the fewest bytes");
        return false;
    }
    const bool is_masked = (header_[1] & 0x80U) != 0;
    if (is_masked != (role_ == Role::Server)) {
        failed = broken(
            1002, is_masked ? "a server's frame is masked" : "a client's frame is not masked");
        return false;
    }
    if (is_masked) std::memcpy(key_.data(), header_.data() + 2 + extended, key_.size());
    return begin_frame(length, failed);
}

bool FrameReader::begin_frame(std::uint64_t length, Event& failed) {
    if ((header_[0] & 0x70U) != 0) {
        failed = broken(1002, "a frame has a reserved bit; no extension was agreed on");
        return false;
    }
    opcode_ = static_cast<Opcode>(header_[0] & 0x0FU);
    is_final_ = (header_[0] & 0x80U) != 0;
    switch (opcode_) {
        case Opcode::Continuation:
            if (message_ == Opcode::Continuation) {
                failed = broken(1002, "a continuation continues nothing");
                return false;
            }
            break;
        case Opcode::Text:
        case Opcode::Binary:
            if (message_ != Opcode::Continuation) {
                failed = broken(1002, "a message begins inside another");
                return false;
            }
            message_ = opcode_;
            break;
        case Opcode::Close:
        case Opcode::Ping:
        case Opcode::Pong:
            if (!is_final_ || length > control_.size()) {
                failed = broken(1002, "a control frame is in pieces or over 125 bytes");
                return false;
            }
            break;
        default:
            failed = broken(1002, "a frame has an opcode that is none");
            return false;
    }
    if (!is_control(opcode_) && length > max_bytes_ - std::min(max_bytes_, pieces_.size())) {
        failed = broken(1009, "a message is longer than allowed");
        return false;
    }
    ++frames_;
    length_ = static_cast<std::size_t>(length);
    taken_ = 0;
    is_in_payload_ = true;
    return true;
}

FrameReader::Event FrameReader::end_control() {
    const std::span<const std::byte> payload(control_.data(), length_);
    if (opcode_ == Opcode::Ping) return {.kind = Kind::Ping, .payload = payload};
    if (opcode_ == Opcode::Pong) return {.kind = Kind::Pong, .payload = payload};
    if (payload.empty()) return {.kind = Kind::Close, .code = 1005};
    if (payload.size() == 1) return broken(1002, "a close frame has half a code");
    const auto code = static_cast<std::uint16_t>((static_cast<unsigned>(payload[0]) << 8U) |
                                                 static_cast<unsigned>(payload[1]));
    if (!may_be_sent(code)) return broken(1002, "a close frame has a code that may not be sent");
    if (!is_utf8(payload.subspan(2))) return broken(1007, "a close frame's reason is not UTF-8");
    return {.kind = Kind::Close, .code = code, .payload = payload.subspan(2)};
}

/// RFC 6455 §8.1: what cannot become UTF-8 any more is refused before the message is whole.
bool FrameReader::could_be_text() noexcept {
    const std::string_view text(reinterpret_cast<const char*>(pieces_.data()), pieces_.size());
    checked_ += whole_utf8(text.substr(checked_));
    return checked_ == text.size() || may_become_utf8(text.substr(checked_));
}

FrameReader::Event FrameReader::end_message(std::span<const std::byte> payload,
                                            std::size_t checked) {
    const Opcode kind = std::exchange(message_, Opcode::Continuation);
    if (kind == Opcode::Binary) return {.kind = Kind::Binary, .payload = payload};
    if (!is_utf8(payload.subspan(checked))) return broken(1007, "a text message is not UTF-8");
    return {.kind = Kind::Text, .payload = payload};
}

}  // namespace offhook::socket
