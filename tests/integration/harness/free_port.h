#pragma once

#include <cstdint>

namespace offhook::harness {

/// A port of loopback that was free a moment ago, for programs that take no port 0. Their test
/// shows when somebody was quicker.
std::uint16_t free_port();

/// A TCP connection to a port of loopback; -1 when nobody listens.
int connect_loopback(std::uint16_t port);

}  // namespace offhook::harness
