#include "model/call_id.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <random>

namespace offhook::model {

CallId CallId::make() {
    thread_local std::mt19937_64 engine{[] {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device()};
        return std::mt19937_64(seed);
    }()};
    std::array<char, 16> text{};
    const auto bits = static_cast<unsigned long long>(engine() & 0xFFFF'FFFF'FFFFULL);
    const int n = std::snprintf(text.data(), text.size(), "c-%012llx", bits);
    return CallId{std::string(text.data(), static_cast<std::size_t>(n))};
}

}  // namespace offhook::model
