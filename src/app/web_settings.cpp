#include "app/web_settings.h"

#include <algorithm>
#include <thread>

#include "base/secret.h"

namespace offhook::app {

base::Result<media::WebSettings> web_settings(const config::Web& web) {
    media::WebSettings settings;
    for (const config::IceServer& server : web.ice_server) {
        media::IceServer given{.url = server.url, .username = server.username, .credential = {}};
        if (server.is_turn()) {
            auto credential = base::load_secret({.file = server.credential_file,
                                                 .environment = server.credential_env,
                                                 .credential = server.credential_credential},
                                                "the password of ICE server " + server.url);
            if (!credential) {
                // Wherever it is: the configuration has to change, or what it names.
                credential.error().code = base::ErrorCode::InvalidArgument;
                return tl::unexpected(credential.error());
            }
            given.credential = credential->reveal();
        }
        settings.ice_servers.push_back(std::move(given));
    }
    for (const std::string& text : web.deny) {
        auto block = config::Cidr::parse(text);
        if (!block) return tl::unexpected(block.error());
        settings.candidates.deny.push_back(std::move(*block));
    }
    settings.candidates.max_candidates = static_cast<std::size_t>(web.max_candidates);
    settings.candidates.max_mdns = static_cast<std::size_t>(web.max_mdns);
    settings.addresses = web.addresses;
    settings.first_port = web.first_port;
    settings.last_port = web.last_port;
    settings.relay_only = web.relay_only;
    settings.gather_limit = std::chrono::milliseconds(web.gather_ms);
    settings.connect_limit = std::chrono::seconds(web.connect_s);
    settings.vanish_after = std::chrono::seconds(web.vanish_s);
    settings.vanish_end = std::chrono::seconds(web.vanish_end_s);
    return settings;
}

std::vector<std::string> public_ice_servers(const config::Web& web) {
    std::vector<std::string> urls;
    for (const config::IceServer& server : web.ice_server) {
        if (!server.is_turn()) urls.push_back(server.url);
    }
    return urls;
}

int web_workers(const config::Web& web) {
    constexpr int kMost = 2;
    if (web.workers > 0) return web.workers;
    return std::clamp(static_cast<int>(std::thread::hardware_concurrency()) / 2, 1, kMost);
}

}  // namespace offhook::app
