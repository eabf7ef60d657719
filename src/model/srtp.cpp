#include "model/srtp.h"

#include <strings.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace offhook::model {

std::optional<SrtpSuite> srtp_suite_named(std::string_view name) noexcept {
    for (const SrtpSuiteFacts& facts : kSrtpSuites) {
        if (name.size() == facts.name.size() &&
            strncasecmp(name.data(), facts.name.data(), name.size()) == 0)
            return facts.suite;
    }
    return std::nullopt;
}

SrtpKey::SrtpKey(std::span<const std::uint8_t> bytes) noexcept
    : size_(static_cast<std::uint8_t>(std::min(bytes.size(), kMaxBytes))) {
    std::copy_n(bytes.begin(), size_, bytes_.begin());
}

SrtpKey::~SrtpKey() {
    explicit_bzero(bytes_.data(), bytes_.size());
}

base::Result<SrtpKey> SrtpKey::random(SrtpSuite suite) {
    SrtpKey key;
    const std::size_t size = facts_of(suite).keying_bytes();
    // Up to 256 bytes come whole and without a wait once the system has booted.
    if (getrandom(key.bytes_.data(), size, 0) != static_cast<ssize_t>(size))
        return base::fail_errno("no random bytes for an SRTP key", errno);
    key.size_ = static_cast<std::uint8_t>(size);
    return key;
}

}  // namespace offhook::model
