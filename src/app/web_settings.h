#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "media/web_settings.h"

namespace offhook::app {

/// What web legs share, out of `[web]`: passwords of TURN servers read, address blocks parsed.
/// @errors InvalidArgument: a password cannot be had
[[nodiscard]] base::Result<media::WebSettings> web_settings(const config::Web& web);

/// What clients are told. Not TURN: its password is ours.
[[nodiscard]] std::vector<std::string> public_ice_servers(const config::Web& web);

/// How many web workers `[web] workers` means on this machine.
[[nodiscard]] int web_workers(const config::Web& web);

}  // namespace offhook::app
