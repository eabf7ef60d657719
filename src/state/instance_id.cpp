#include "state/instance_id.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <stdexcept>

#include "base/log.h"

namespace offhook::state {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kUuidChars = 36;

constexpr bool is_dash_at(std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

}  // namespace

std::string make_uuid() {
    std::array<std::uint8_t, 16> bytes{};
    while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        if (errno != EINTR) throw std::runtime_error("the kernel gives no random numbers");
    }
    bytes[6] = static_cast<std::uint8_t>(0x40 | (bytes[6] & 0x0F));  // version 4
    bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3F));  // RFC 4122 variant
    std::string text;
    for (const std::uint8_t byte : bytes) {
        if (is_dash_at(text.size())) text += '-';
        text += kDigits[byte >> 4];
        text += kDigits[byte & 0x0F];
    }
    return text;
}

bool is_uuid(std::string_view text) noexcept {
    if (text.size() != kUuidChars) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool fits = is_dash_at(i) ? text[i] == '-' : kDigits.find(text[i]) != kDigits.npos;
        if (!fits) return false;
    }
    return true;
}

base::Result<std::string> kept_instance_id(const StateDirectory& directory,
                                           std::string_view account) {
    const std::string name = "instance-" + std::string(account);
    auto kept = directory.read(name);
    if (kept) {
        if (!kept->empty() && kept->back() == '\n') kept->pop_back();
        if (is_uuid(*kept)) return kept;
        log::write(log::Level::Warning,
                   log::Mark::Warning,
                   "state.replaced",
                   {},
                   "the kept instance id is no UUID; a new one is made",
                   {{"file", directory.path() + "/" + name}});
    } else if (kept.error().code != base::ErrorCode::NotFound &&
               kept.error().code != base::ErrorCode::Malformed) {
        return tl::unexpected(kept.error());
    }
    std::string made = make_uuid();
    if (auto written = directory.write(name, made + "\n"); !written) {
        return tl::unexpected(written.error());
    }
    return made;
}

}  // namespace offhook::state
