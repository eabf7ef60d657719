#include "base/timestamp.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "base/monotonic.h"

namespace offhook::base {

std::string rfc3339_utc_ms(std::int64_t realtime_ns) {
    const std::time_t seconds = realtime_ns / kNsPerS;
    const auto ms = static_cast<int>(realtime_ns % kNsPerS / kNsPerMs);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 24> whole{};
    const std::size_t n = std::strftime(whole.data(), whole.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    std::array<char, 8> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%03dZ", ms);
    return std::string(whole.data(), n) + fraction.data();
}

}  // namespace offhook::base
