#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace offhook::config {

/// The keys of [events] and [otlp].
[[nodiscard]] std::vector<Key<Config>> event_keys();

/// What of [[webhook]] and [otlp] is missing or does not go together: path of the key
/// ("webhook[0].url") and sentence.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> event_problems(const Config& config);

/// Where events or spans are sent to: https, or http to this machine.
struct SinkUrl {
    bool is_tls = false;
    bool is_private = false;  ///< a numeric address of a network of one's own
};
/// @errors InvalidArgument with a sentence that says what is allowed
[[nodiscard]] base::Result<SinkUrl> parse_sink_url(const std::string& text);

}  // namespace offhook::config
