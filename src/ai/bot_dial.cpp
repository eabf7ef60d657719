#include "ai/bot_dial.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "ai/protocols/base64.h"
#include "base/monotonic.h"

namespace offhook::ai {
namespace {

bool is_authorization(std::string_view name) {
    constexpr std::string_view kName = "authorization";
    return std::equal(name.begin(), name.end(), kName.begin(), kName.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

base::Secret authorization(const BotSettings& settings) {
    if (!settings.bearer.empty()) return base::Secret("Bearer " + settings.bearer.reveal());
    if (settings.ai.user.empty()) return {};
    const base::Secret pair(settings.ai.user + ':' + settings.password.reveal());
    std::string value = "Basic ";
    append_base64(std::as_bytes(std::span(pair.reveal())), value);
    return base::Secret(std::move(value));
}

}  // namespace

socket::DialSettings dial_settings(const BotSettings& settings, Opening opening) {
    const config::Ai& ai = settings.ai;
    socket::DialSettings dial;
    dial.url = std::move(opening.url);
    dial.subprotocol = std::move(opening.subprotocol);
    dial.headers = std::move(opening.headers);
    dial.secret_headers = std::move(opening.secret_headers);
    dial.secret_headers.insert(
        dial.secret_headers.end(), settings.headers.begin(), settings.headers.end());
    const auto is_set = [](const auto& headers) {
        return std::any_of(headers.begin(), headers.end(), [](const auto& header) {
            return is_authorization(header.first);
        });
    };
    if (!is_set(dial.headers) && !is_set(dial.secret_headers)) {
        if (base::Secret value = authorization(settings); !value.empty()) {
            dial.secret_headers.emplace_back("Authorization", std::move(value));
        }
    }
    dial.ca_file = ai.ca_file;
    dial.proxy = ai.proxy;
    dial.allow_private = ai.allow_private;
    dial.limits.max_message_bytes = kMaxMessageBytes;
    dial.limits.connect_timeout_ns = ai.connect_timeout_ms * base::kNsPerMs;
    dial.limits.ping_every_ns = ai.ping_s * base::kNsPerS;
    return dial;
}

}  // namespace offhook::ai
