#include "media/web_certificate.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace offhook::media {
namespace {

constexpr long kDayS = 24 * 3600;
constexpr long kValidDays = 30;

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* thing) const noexcept {
        Free(thing);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

struct Digest {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
};

std::optional<Digest> digest_of(const X509* certificate, const EVP_MD* hash) {
    Digest digest;
    if (X509_digest(certificate, hash, digest.bytes.data(), &digest.size) != 1) return {};
    return digest;
}

const EVP_MD* function_of(sdp::Fingerprint::Hash hash) {
    using Hash = sdp::Fingerprint::Hash;
    switch (hash) {
        case Hash::Sha1:
            return EVP_sha1();
        case Hash::Sha224:
            return EVP_sha224();
        case Hash::Sha256:
            return EVP_sha256();
        case Hash::Sha384:
            return EVP_sha384();
        case Hash::Sha512:
            return EVP_sha512();
    }
    return nullptr;
}

std::string colon_hex(const Digest& digest) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string text;
    text.reserve(digest.size * 3);
    for (unsigned i = 0; i < digest.size; ++i) {
        if (i > 0) text += ':';
        text += kDigits[digest.bytes[i] >> 4];
        text += kDigits[digest.bytes[i] & 15];
    }
    return text;
}

/// A serial and a name that say nothing about who made it.
bool name_at_random(X509* certificate) {
    std::array<std::uint8_t, 16> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return false;
    std::uint64_t serial = 0;
    for (std::size_t i = 0; i < 8; ++i) serial = serial << 8 | random[i];
    Digest name;
    name.size = 8;
    std::copy_n(random.begin() + 8, name.size, name.bytes.begin());
    const std::string text = colon_hex(name);
    X509_NAME* subject = X509_get_subject_name(certificate);
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
           X509_NAME_add_entry_by_txt(subject,
                                      "CN",
                                      MBSTRING_ASC,
                                      reinterpret_cast<const unsigned char*>(text.c_str()),
                                      -1,
                                      -1,
                                      0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

Certificate sign(EVP_PKEY* key) {
    constexpr long kVersion3 = 2;
    Certificate certificate(X509_new());
    const bool is_done =
        certificate && X509_set_version(certificate.get(), kVersion3) == 1 &&
        name_at_random(certificate.get()) &&
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDayS) != nullptr &&
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValidDays * kDayS) != nullptr &&
        X509_set_pubkey(certificate.get(), key) == 1 &&
        X509_sign(certificate.get(), key, EVP_sha256()) != 0;
    return is_done ? std::move(certificate) : nullptr;
}

std::string pem_of(X509* certificate, EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1 ||
        PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return {};
    }
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

base::Result<WebCertificate> WebCertificate::create() {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate = key ? sign(key.get()) : nullptr;
    const auto digest = certificate ? digest_of(certificate.get(), EVP_sha256()) : std::nullopt;
    WebCertificate made;
    if (digest) made.pem_ = pem_of(certificate.get(), key.get());
    if (made.pem_.empty())
        return base::fail(base::ErrorCode::Internal, "OpenSSL makes no certificate for a web leg");
    made.fingerprint_ = "sha-256 " + colon_hex(*digest);
    return made;
}

bool is_announced(std::string_view pem, std::span<const sdp::Fingerprint> announced) {
    if (announced.empty()) return false;
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)
                                      : nullptr);
    if (!certificate) return false;
    const auto strongest =
        std::max_element(announced.begin(), announced.end(), [](const auto& a, const auto& b) {
            return a.hash < b.hash;
        })->hash;
    const auto digest = digest_of(certificate.get(), function_of(strongest));
    return digest && std::any_of(announced.begin(), announced.end(), [&](const auto& each) {
               return each.hash == strongest && each.bytes.size() == digest->size &&
                      CRYPTO_memcmp(each.bytes.data(), digest->bytes.data(), digest->size) == 0;
           });
}

}  // namespace offhook::media
