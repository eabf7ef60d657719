#include "trace/wire_text.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>

namespace offhook::trace {

model::WireAddress wire_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    std::string host(text.substr(0, colon));
    model::WireAddress address;
    const char* const end = text.data() + text.size();
    const auto port = std::from_chars(text.data() + colon + 1, end, address.port);
    if (port.ec != std::errc{} || port.ptr != end) return {};
    address.is_v6 = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    if (address.is_v6) host = host.substr(1, host.size() - 2);
    if (inet_pton(address.is_v6 ? AF_INET6 : AF_INET, host.c_str(), address.ip.data()) != 1)
        return {};
    return address;
}

std::string text_of(const model::WireAddress& address) {
    if (address.port == 0) return {};
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.ip.data(), text.data(), text.size());
    const std::string host = address.is_v6 ? '[' + std::string(text.data()) + ']' : text.data();
    return host + ':' + std::to_string(address.port);
}

}  // namespace offhook::trace
