#include "sdp/detail/ice_credentials.h"

#include <algorithm>
#include <cstddef>

namespace offhook::sdp::detail {
namespace {

constexpr std::size_t kLeastUfrag = 4;
constexpr std::size_t kLeastPwd = 22;
constexpr std::size_t kMost = 256;

bool are_characters(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("+/-_=.").find(c) != std::string_view::npos;
    });
}

}  // namespace

bool are_credentials(std::string_view ufrag, std::string_view pwd) noexcept {
    return ufrag.size() >= kLeastUfrag && ufrag.size() <= kMost && pwd.size() >= kLeastPwd &&
           pwd.size() <= kMost && are_characters(ufrag) && are_characters(pwd);
}

}  // namespace offhook::sdp::detail
