#include "ai/bot_dial.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "ai/protocols/base64.h"
#include "base/monotonic.h"

namespace offhook::ai {
namespace {

constexpr std::string_view kTraceparent = "traceparent";

/// @param wanted  in lower case
bool is_header(std::string_view name, std::string_view wanted) {
    return std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(), [](char a, char b) {
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

socket::DialSettings dial_settings(const BotSettings& settings,
                                   Opening opening,
                                   const std::string& traceparent) {
    const config::Ai& ai = settings.ai;
    socket::DialSettings dial;
    dial.url = std::move(opening.url);
    dial.subprotocol = std::move(opening.subprotocol);
    dial.headers = std::move(opening.headers);
    dial.secret_headers = std::move(opening.secret_headers);
    dial.secret_headers.insert(
        dial.secret_headers.end(), settings.headers.begin(), settings.headers.end());
    const auto is_set = [&dial](std::string_view name) {
        const auto is_it = [name](const auto& header) { return is_header(header.first, name); };
        return std::any_of(dial.headers.begin(), dial.headers.end(), is_it) ||
               std::any_of(dial.secret_headers.begin(), dial.secret_headers.end(), is_it);
    };
    const bool has_headers = dial.url.starts_with("ws");
    if (has_headers && !traceparent.empty() && !is_set(kTraceparent))
        dial.headers.emplace_back(kTraceparent, traceparent);
    if (!is_set("authorization")) {
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
