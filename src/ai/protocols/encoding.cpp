#include "ai/protocols/encoding.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "rtp/g711.h"

namespace offhook::ai {
namespace {

static_assert(std::endian::native == std::endian::little, "S16LE is copied as it is");

template <class Law>
void encode_with(std::span<const std::int16_t> pcm, std::byte* bytes) noexcept {
    const std::int16_t* in = pcm.data();
    for (std::size_t i = 0; i < pcm.size(); ++i) bytes[i] = std::byte{Law::encode(in[i])};
}

template <class Law>
void decode_with(std::span<const std::byte> bytes, std::int16_t* pcm) noexcept {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        pcm[i] = rtp::kG711Table<Law>[std::to_integer<std::uint8_t>(bytes[i])];
}

}  // namespace

std::string_view name_of(Encoding encoding) noexcept {
    switch (encoding) {
        case Encoding::Pcm:
            return "pcm";
        case Encoding::Pcmu:
            return "pcmu";
        case Encoding::Pcma:
            return "pcma";
    }
    return "pcm";
}

Encoding encoding_named(std::string_view name, Encoding otherwise) noexcept {
    for (const Encoding encoding : {Encoding::Pcm, Encoding::Pcmu, Encoding::Pcma})
        if (name_of(encoding) == name) return encoding;
    return otherwise;
}

void encode_samples(Encoding encoding,
                    std::span<const std::int16_t> pcm,
                    std::span<std::byte> bytes) noexcept {
    pcm = pcm.first(std::min(pcm.size(), bytes.size() / bytes_per_sample(encoding)));
    switch (encoding) {
        case Encoding::Pcm:
            if (!pcm.empty()) std::memcpy(bytes.data(), pcm.data(), pcm.size_bytes());
            break;
        case Encoding::Pcmu:
            encode_with<rtp::Ulaw>(pcm, bytes.data());
            break;
        case Encoding::Pcma:
            encode_with<rtp::Alaw>(pcm, bytes.data());
            break;
    }
}

void decode_samples(Encoding encoding,
                    std::span<const std::byte> bytes,
                    std::span<std::int16_t> pcm) noexcept {
    const std::size_t samples = std::min(pcm.size(), bytes.size() / bytes_per_sample(encoding));
    bytes = bytes.first(samples * bytes_per_sample(encoding));
    switch (encoding) {
        case Encoding::Pcm:
            if (!bytes.empty()) std::memcpy(pcm.data(), bytes.data(), bytes.size());
            break;
        case Encoding::Pcmu:
            decode_with<rtp::Ulaw>(bytes, pcm.data());
            break;
        case Encoding::Pcma:
            decode_with<rtp::Alaw>(bytes, pcm.data());
            break;
    }
}

void encode_samples(Encoding encoding,
                    std::span<const std::int16_t> pcm,
                    std::vector<std::byte>& bytes) {
    bytes.resize(pcm.size() * bytes_per_sample(encoding));
    encode_samples(encoding, pcm, std::span<std::byte>(bytes));
}

void decode_samples(Encoding encoding,
                    std::span<const std::byte> bytes,
                    std::vector<std::int16_t>& pcm) {
    pcm.resize(bytes.size() / bytes_per_sample(encoding));
    decode_samples(encoding, bytes, std::span<std::int16_t>(pcm));
}

}  // namespace offhook::ai
