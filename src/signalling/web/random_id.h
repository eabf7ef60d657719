#pragma once

#include <string>

namespace offhook::signalling::web {

/// 32 hex digits of the kernel's random numbers: nobody guesses the URL of somebody else's session.
[[nodiscard]] std::string random_id();

}  // namespace offhook::signalling::web
