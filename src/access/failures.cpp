#include "access/failures.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "base/monotonic.h"

namespace offhook::access {
namespace {

constexpr std::int64_t kWindowNs = Failures::kWindow.count() * base::kNsPerS;

std::string key_of(const std::string& address) {
    in6_addr six{};
    if (inet_pton(AF_INET6, address.c_str(), &six) != 1) return address;
    std::fill(std::begin(six.s6_addr) + 8, std::end(six.s6_addr), std::uint8_t{0});
    std::array<char, INET6_ADDRSTRLEN> text{};
    return inet_ntop(AF_INET6, &six, text.data(), text.size());
}

}  // namespace

bool Failures::is_over(const Window& window) const {
    return now_ns_() - window.began_ns >= kWindowNs;
}

std::optional<std::chrono::seconds> Failures::shut_out(const std::string& address) const {
    const auto found = windows_.find(key_of(address));
    if (found == windows_.end() || found->second.wrong < kMaxWrong || is_over(found->second))
        return std::nullopt;
    const std::int64_t left_ns = found->second.began_ns + kWindowNs - now_ns_();
    return std::chrono::seconds((left_ns + base::kNsPerS - 1) / base::kNsPerS);
}

bool Failures::count(const std::string& address) {
    const std::string key = key_of(address);
    auto found = windows_.find(key);
    if (found == windows_.end()) {
        make_room();
        found = windows_.emplace(key, Window{}).first;
    }
    Window& window = found->second;
    if (window.wrong == 0 || is_over(window)) window = {.began_ns = now_ns_(), .wrong = 0};
    return ++window.wrong == kMaxWrong;
}

void Failures::make_room() {
    if (windows_.size() < kMaxAddresses) return;
    std::erase_if(windows_, [this](const auto& entry) { return is_over(entry.second); });
    if (windows_.size() < kMaxAddresses) return;
    windows_.erase(
        std::min_element(windows_.begin(), windows_.end(), [](const auto& a, const auto& b) {
            return a.second.began_ns < b.second.began_ns;
        }));
}

}  // namespace offhook::access
