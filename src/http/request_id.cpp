#include "http/request_id.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <random>

namespace offhook::http {
namespace {

constexpr std::size_t kMaxBytes = 64;

bool is_plain(char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\' && c != '<' && c != '>';
}

}  // namespace

std::string request_id_from(std::string_view header) {
    if (!header.empty() && header.size() <= kMaxBytes &&
        std::all_of(header.begin(), header.end(), is_plain)) {
        return std::string(header);
    }
    thread_local std::mt19937_64 engine{std::random_device{}()};
    std::array<char, 16> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "r-%012llx",
                  static_cast<unsigned long long>(engine() & 0xFFFF'FFFF'FFFFULL));
    return text.data();
}

}  // namespace offhook::http
