#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace offhook::ai {

/// How a bot wants samples as bytes. All mono.
enum class Encoding : std::uint8_t {
    Pcm,   ///< S16, little-endian
    Pcmu,  ///< G.711 mu-law
    Pcma,  ///< G.711 A-law
};

[[nodiscard]] constexpr std::size_t bytes_per_sample(Encoding encoding) noexcept {
    return encoding == Encoding::Pcm ? 2 : 1;
}
/// "pcm", "pcmu", "pcma", as configuration writes them.
[[nodiscard]] std::string_view name_of(Encoding encoding) noexcept;
/// @return `otherwise` for an empty or unknown name
[[nodiscard]] Encoding encoding_named(std::string_view name, Encoding otherwise) noexcept;

/// @param bytes  room for `pcm.size() * bytes_per_sample(encoding)`
void encode_samples(Encoding encoding,
                    std::span<const std::int16_t> pcm,
                    std::span<std::byte> bytes) noexcept;
/// @param pcm  room for `bytes.size() / bytes_per_sample(encoding)`; half a sample at the end is
/// left out
void decode_samples(Encoding encoding,
                    std::span<const std::byte> bytes,
                    std::span<std::int16_t> pcm) noexcept;

/// The same into a buffer that is reused; what it held is replaced.
void encode_samples(Encoding encoding,
                    std::span<const std::int16_t> pcm,
                    std::vector<std::byte>& bytes);
void decode_samples(Encoding encoding,
                    std::span<const std::byte> bytes,
                    std::vector<std::int16_t>& pcm);

/// Gives back what one long message made a reused buffer grow to: a thousand calls have a thousand.
template <class Buffer>
void trim(Buffer& buffer) {
    constexpr std::size_t kKeepBytes = std::size_t{16} * 1024;
    if (buffer.capacity() * sizeof(buffer[0]) > kKeepBytes) Buffer().swap(buffer);
}

}  // namespace offhook::ai
