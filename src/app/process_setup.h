#pragma once

#include <string>

#include "base/log.h"
#include "config/config.h"

namespace offhook::app {

[[nodiscard]] log::Options log_options(const config::Log& log);

/// A call takes two sockets; the soft limit of 1,024 would end at some 450 calls.
void raise_descriptor_limit();

/// A page of code or sound that was taken back while nobody used it costs a disk read in the middle
/// of a tick. What is touched stays; where that is not allowed (RLIMIT_MEMLOCK) nothing is lost but
/// this.
void keep_memory_resident();

/// Writes "ready LISTENERS" and closes the descriptor; nothing below 0.
void tell_ready(int fd, const std::string& listeners);

}  // namespace offhook::app
