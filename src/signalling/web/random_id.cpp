#include "signalling/web/random_id.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <stdexcept>

namespace offhook::signalling::web {

std::string random_id() {
    constexpr char kDigits[] = "0123456789abcdef";
    std::array<std::uint8_t, 16> bytes{};
    while (::getrandom(bytes.data(), bytes.size(), 0) != ssize_t{sizeof bytes}) {
        if (errno != EINTR) throw std::runtime_error("the kernel gives no random numbers");
    }
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 0x0f];
    }
    return text;
}

}  // namespace offhook::signalling::web
