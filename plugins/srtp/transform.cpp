// The only file with OpenSSL. SHA1_* and SHA_CTX are the plain functions, on purpose: the keyed state
// is two structures to copy, where OpenSSL 3's EVP_MAC allocates for each message
// (docs/decisions/0030-srtp-by-openssl.md).
#define OPENSSL_SUPPRESS_DEPRECATED

#include "srtp/transform.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

namespace offhook::srtp {
namespace {

constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kWordBytes = 4;
constexpr std::uint32_t kEncryptedFlag = 0x8000'0000U;

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

void write_word(std::uint32_t word, std::uint8_t* out) noexcept {
    for (std::size_t i = 0; i < kWordBytes; ++i)
        out[i] = static_cast<std::uint8_t>(word >> (24 - 8 * i));
}

void xor_number(std::uint64_t number, std::size_t bytes, std::uint8_t* out) noexcept {
    for (std::size_t i = 0; i < bytes; ++i)
        out[i] ^= static_cast<std::uint8_t>(number >> (8 * (bytes - 1 - i)));
}

/// A keyed cipher that then only needs an IV per packet; encrypting and decrypting are the same
/// XOR.
Cipher make_cipher(const EVP_CIPHER* type, const std::uint8_t* key, bool encrypts) noexcept {
    Cipher cipher(EVP_CIPHER_CTX_new());
    if (!cipher ||
        EVP_CipherInit_ex(cipher.get(), type, nullptr, key, nullptr, encrypts ? 1 : 0) != 1)
        return nullptr;
    return cipher;
}

/// HMAC-SHA1 (RFC 2104) whose key is already digested into both states.
class KeyedSha1 {
public:
    explicit KeyedSha1(std::span<const std::uint8_t, 20> key) noexcept {
        begin(inner_, key, 0x36);
        begin(outer_, key, 0x5C);
    }
    ~KeyedSha1() {
        OPENSSL_cleanse(&inner_, sizeof inner_);
        OPENSSL_cleanse(&outer_, sizeof outer_);
    }
    KeyedSha1(const KeyedSha1&) = delete;
    KeyedSha1& operator=(const KeyedSha1&) = delete;

    using Digest = std::array<std::uint8_t, SHA_DIGEST_LENGTH>;
    [[nodiscard]] Digest of(std::span<const std::uint8_t> first,
                            std::span<const std::uint8_t> second) const noexcept {
        Digest digest;
        SHA_CTX state = inner_;
        SHA1_Update(&state, first.data(), first.size());
        SHA1_Update(&state, second.data(), second.size());
        SHA1_Final(digest.data(), &state);
        state = outer_;
        SHA1_Update(&state, digest.data(), digest.size());
        SHA1_Final(digest.data(), &state);
        return digest;
    }

private:
    static void begin(SHA_CTX& state,
                      std::span<const std::uint8_t, 20> key,
                      std::uint8_t pad) noexcept {
        std::array<std::uint8_t, SHA_CBLOCK> block;
        block.fill(pad);
        for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
        SHA1_Init(&state);
        SHA1_Update(&state, block.data(), block.size());
        OPENSSL_cleanse(block.data(), block.size());
    }

    SHA_CTX inner_{};
    SHA_CTX outer_{};
};

const EVP_CIPHER* counter_mode(const model::SrtpSuiteFacts& facts) noexcept {
    return facts.key_bytes == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
}

}  // namespace

SessionKeys::~SessionKeys() {
    OPENSSL_cleanse(cipher.data(), cipher.size());
    OPENSSL_cleanse(salt.data(), salt.size());
    OPENSSL_cleanse(auth.data(), auth.size());
}

base::Result<SessionKeys> derive_session_keys(model::SrtpSuite suite,
                                              const model::SrtpKey& master,
                                              Kind kind) {
    const model::SrtpSuiteFacts& facts = model::facts_of(suite);
    if (master.bytes().size() != facts.keying_bytes()) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "the SRTP key has another length than its suite wants");
    }
    const Cipher cipher = make_cipher(counter_mode(facts), master.bytes().data(), true);
    const auto salt = master.bytes().subspan(facts.key_bytes);
    // RFC 3711 §4.3.1: label in the 8th of 14 bytes, two counter bytes behind; a salt of 12 bytes
    // is filled up with zeros (RFC 7714 §11).
    const auto derive = [&](std::uint8_t label, std::span<std::uint8_t> out) {
        std::array<std::uint8_t, kBlockBytes> iv{};
        std::copy(salt.begin(), salt.end(), iv.begin());
        iv[7] ^= label;
        std::fill(out.begin(), out.end(), std::uint8_t{0});
        int written = 0;
        return cipher &&
               EVP_EncryptInit_ex(cipher.get(), nullptr, nullptr, nullptr, iv.data()) == 1 &&
               EVP_EncryptUpdate(
                   cipher.get(), out.data(), &written, out.data(), static_cast<int>(out.size())) ==
                   1;
    };
    const std::uint8_t first_label = kind == Kind::Rtp ? 0 : 3;
    SessionKeys keys;
    const bool done = derive(first_label, std::span(keys.cipher).first(facts.key_bytes)) &&
                      derive(static_cast<std::uint8_t>(first_label + 1), keys.auth) &&
                      derive(static_cast<std::uint8_t>(first_label + 2),
                             std::span(keys.salt).first(facts.salt_bytes));
    if (!done)
        return base::fail(base::ErrorCode::Internal, "OpenSSL does not derive the SRTP keys");
    return keys;
}

struct Transform::Impl {
    Impl(const model::SrtpSuiteFacts& suite, Kind which, const SessionKeys& keys)
        : is_gcm(suite.is_gcm),
          kind(which),
          tag_bytes(which == Kind::Rtp ? suite.rtp_tag_bytes : suite.rtcp_tag_bytes),
          salt(keys.salt),
          sha1(keys.auth) {}
    ~Impl() { OPENSSL_cleanse(salt.data(), salt.size()); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    /// RFC 3711 §4.1.1, RFC 7714 §8.1 and §9.1.
    [[nodiscard]] std::array<std::uint8_t, kBlockBytes> iv_of(const Packet& packet) const noexcept {
        std::array<std::uint8_t, kBlockBytes> iv{};
        std::copy(salt.begin(), salt.end(), iv.begin());
        xor_number(packet.ssrc, 4, iv.data() + (is_gcm ? 2 : 4));
        xor_number(packet.index, 6, iv.data() + (is_gcm ? 6 : 8));
        return iv;
    }
    /// The word after the body: sent with RTCP, only authenticated with RTP (its ROC).
    [[nodiscard]] std::array<std::uint8_t, kWordBytes> word_of(
        const Packet& packet) const noexcept {
        std::array<std::uint8_t, kWordBytes> word;
        write_word(kind == Kind::Rtp ? static_cast<std::uint32_t>(packet.index >> 16)
                                     : static_cast<std::uint32_t>(packet.index) | kEncryptedFlag,
                   word.data());
        return word;
    }

    bool run(const std::uint8_t* in, std::size_t bytes, std::uint8_t* out) noexcept {
        int written = 0;
        return EVP_CipherUpdate(cipher.get(), out, &written, in, static_cast<int>(bytes)) == 1;
    }
    bool begin(const Packet& packet) noexcept {
        return EVP_CipherInit_ex(
                   cipher.get(), nullptr, nullptr, nullptr, iv_of(packet).data(), -1) == 1;
    }
    bool associate(const Packet& packet, const std::uint8_t* header) noexcept {
        const auto word = word_of(packet);
        return run(header, packet.header_bytes, nullptr) &&
               (kind == Kind::Rtp || run(word.data(), word.size(), nullptr));
    }

    bool seal_cm(const Packet& packet, const std::uint8_t* in, std::uint8_t* out) noexcept {
        if (!begin(packet) ||
            !run(in + packet.header_bytes, packet.body_bytes, out + packet.header_bytes))
            return false;
        std::size_t end = packet.header_bytes + packet.body_bytes;
        const auto word = word_of(packet);
        const auto digest = sha1.of({out, end}, word);
        if (kind == Kind::Rtcp) end = append(word, word.size(), out, end);
        append(digest, tag_bytes, out, end);
        return true;
    }
    bool open_cm(const Packet& packet, std::uint8_t* data) noexcept {
        const std::size_t end = packet.header_bytes + packet.body_bytes;
        const auto digest = sha1.of({data, end}, word_of(packet));
        const std::uint8_t* tag = data + end + (kind == Kind::Rtcp ? kWordBytes : 0);
        if (CRYPTO_memcmp(digest.data(), tag, tag_bytes) != 0) return false;
        std::uint8_t* body = data + packet.header_bytes;
        return begin(packet) && run(body, packet.body_bytes, body);
    }
    bool seal_gcm(const Packet& packet, const std::uint8_t* in, std::uint8_t* out) noexcept {
        const std::size_t end = packet.header_bytes + packet.body_bytes;
        int written = 0;
        const bool done =
            begin(packet) && associate(packet, in) &&
            run(in + packet.header_bytes, packet.body_bytes, out + packet.header_bytes) &&
            EVP_EncryptFinal_ex(cipher.get(), out + end, &written) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, out + end) == 1;
        if (done && kind == Kind::Rtcp) append(word_of(packet), kWordBytes, out, end + tag_bytes);
        return done;
    }
    bool open_gcm(const Packet& packet, std::uint8_t* data) noexcept {
        std::uint8_t* body = data + packet.header_bytes;
        if (!begin(packet) || !associate(packet, data) || !run(body, packet.body_bytes, body))
            return false;
        int written = 0;
        std::uint8_t* tag = body + packet.body_bytes;
        if (EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag) == 1 &&
            EVP_DecryptFinal_ex(cipher.get(), tag, &written) == 1)
            return true;
        // The same stream over it once more brings the packet back, for another try under another
        // number or key.
        if (begin(packet)) run(body, packet.body_bytes, body);
        return false;
    }

    template <std::size_t N>
    static std::size_t append(const std::array<std::uint8_t, N>& bytes,
                              std::size_t count,
                              std::uint8_t* out,
                              std::size_t end) noexcept {
        std::copy_n(bytes.begin(), count, out + end);
        return end + count;
    }

    const bool is_gcm;
    const Kind kind;
    const std::uint8_t tag_bytes;
    std::array<std::uint8_t, 14> salt;
    Cipher cipher;
    KeyedSha1 sha1;
};

Transform::Transform(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Transform::~Transform() = default;
Transform::Transform(Transform&&) noexcept = default;
Transform& Transform::operator=(Transform&&) noexcept = default;

base::Result<Transform> Transform::create(model::SrtpSuite suite,
                                          Kind kind,
                                          const SessionKeys& keys,
                                          Way way) {
    const model::SrtpSuiteFacts& facts = model::facts_of(suite);
    auto impl = std::make_unique<Impl>(facts, kind, keys);
    const EVP_CIPHER* gcm = facts.key_bytes == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    impl->cipher =
        make_cipher(facts.is_gcm ? gcm : counter_mode(facts), keys.cipher.data(), way == Way::Seal);
    if (!impl->cipher) {
        return base::fail(base::ErrorCode::Internal,
                          "OpenSSL does not offer " + std::string(facts.name));
    }
    return Transform(std::move(impl));
}

std::size_t Transform::overhead_bytes() const noexcept {
    return impl_->tag_bytes + (impl_->kind == Kind::Rtcp ? kWordBytes : 0);
}

std::size_t Transform::word_offset(std::size_t packet_bytes) const noexcept {
    return packet_bytes - kWordBytes - (impl_->is_gcm ? 0u : impl_->tag_bytes);
}

bool Transform::seal(const Packet& packet, const std::uint8_t* in, std::uint8_t* out) noexcept {
    if (out != in) std::copy_n(in, packet.header_bytes, out);
    return impl_->is_gcm ? impl_->seal_gcm(packet, in, out) : impl_->seal_cm(packet, in, out);
}

bool Transform::open(const Packet& packet, std::uint8_t* data) noexcept {
    return impl_->is_gcm ? impl_->open_gcm(packet, data) : impl_->open_cm(packet, data);
}

}  // namespace offhook::srtp
